create table tier_policies (
    merchant_id uuid not null,
    version integer not null,
    policy bytea not null,
    created_at timestamptz not null,
    applied_to uuid,
    applied_at timestamptz,
    constraint tier_policies_pkey primary key (merchant_id, version),
    constraint tier_policies_version_check check (version > 0)
);

comment on table tier_policies is 'the tiers of a merchant, version by version; the highest is in force';
comment on column tier_policies.merchant_id is 'the tenant';
comment on column tier_policies.version is 'the version, from 1';
comment on column tier_policies.policy is 'an encoded siyu.member.v1.TierPolicy: read whole, never searched';
comment on column tier_policies.created_at is 'when it was set';
comment on column tier_policies.applied_to is 'the last person whose tier was looked at by it; null before the first';
comment on column tier_policies.applied_at is 'when everybody''s tier had been looked at by it; null until then';

-- Across merchants, for the job; hardly any is open.
create index tier_policies_applied_at_idx on tier_policies (merchant_id, version) where applied_at is null;

create table person_tiers (
    merchant_id uuid not null,
    person_id uuid not null,
    tier integer not null,
    reached_at timestamptz not null,
    expires_at timestamptz,
    constraint person_tiers_pkey primary key (merchant_id, person_id),
    constraint person_tiers_tier_check check (tier >= 1),
    constraint person_tiers_expires_at_check check ((expires_at is null) = (tier = 1))
);

comment on table person_tiers is 'the tiers of persons who have ever had more than the lowest';
comment on column person_tiers.merchant_id is 'the tenant';
comment on column person_tiers.person_id is 'the person';
comment on column person_tiers.tier is 'the tier, 1 the lowest';
comment on column person_tiers.reached_at is 'since when';
comment on column person_tiers.expires_at is 'from when on it may fall; null for the lowest';

create index person_tiers_expires_at_idx on person_tiers (expires_at, merchant_id, person_id) where expires_at is not null;

create table tier_changes (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    from_tier integer not null,
    to_tier integer not null,
    reason text not null,
    growth bigint not null,
    changed_at timestamptz not null,
    origin_person_id uuid,
    constraint tier_changes_pkey primary key (merchant_id, id),
    constraint tier_changes_reason_check check (reason in ('reached', 'lapsed', 'initial', 'merged'))
);

comment on table tier_changes is 'how persons rose and fell: append-only';
comment on column tier_changes.merchant_id is 'the tenant';
comment on column tier_changes.id is 'the change';
comment on column tier_changes.person_id is 'the person';
comment on column tier_changes.from_tier is 'the tier before';
comment on column tier_changes.to_tier is 'the tier after';
comment on column tier_changes.reason is 'why';
comment on column tier_changes.growth is 'the growth that counted then';
comment on column tier_changes.changed_at is 'when';
comment on column tier_changes.origin_person_id is 'whose change it was before a merge; null: nobody else''s';

create index tier_changes_person_id_idx on tier_changes (merchant_id, person_id, id);

create table tier_gifts (
    merchant_id uuid not null,
    person_id uuid not null,
    tier integer not null,
    points bigint not null,
    state text not null,
    created_at timestamptz not null,
    constraint tier_gifts_pkey primary key (merchant_id, person_id, tier),
    constraint tier_gifts_state_check check (state in ('due', 'given', 'withheld'))
);

comment on table tier_gifts is 'what persons got for reaching a tier: once for each, however often they reach it';
comment on column tier_gifts.merchant_id is 'the tenant';
comment on column tier_gifts.person_id is 'the person';
comment on column tier_gifts.tier is 'the tier';
comment on column tier_gifts.points is 'the points';
comment on column tier_gifts.state is 'due: to be posted; given: posted; withheld: the tier was taken over from another system';
comment on column tier_gifts.created_at is 'when the tier was reached';

create index tier_gifts_due_idx on tier_gifts (merchant_id, person_id, tier) where state = 'due';

select siyu_tenant_table('tier_policies');
select siyu_tenant_table('person_tiers');
select siyu_tenant_table('tier_changes');
select siyu_tenant_table('tier_gifts');

-- Growth counts for a window from now on: it lies in lots, each as large as what is left of the posting that gave it, and
-- each posting that took it back drew on the lot of the one that it reverses.
insert into ledger_lots (merchant_id, id, account_id, amount, remaining, held, earned_at, available_at, expires_at)
select t.merchant_id, t.id, t.credit_account_id, t.amount,
    t.amount - coalesce((
        select sum(r.amount) from ledger_transfers as r where r.merchant_id = t.merchant_id and r.reverses_id = t.id
    ), 0),
    0, t.posted_at, t.posted_at, t.posted_at + interval '365 days'
from ledger_transfers as t
join ledger_accounts as a on a.merchant_id = t.merchant_id and a.id = t.credit_account_id
where a.code = 1 and a.asset = 'growth' and a.flags = 0 and t.kind = 'post';

insert into ledger_lot_moves (merchant_id, transfer_id, position, account_id, lot_id, kind, remaining, held)
select t.merchant_id, t.id, 0, t.credit_account_id, t.id, 'feed', t.amount, 0
from ledger_transfers as t
join ledger_accounts as a on a.merchant_id = t.merchant_id and a.id = t.credit_account_id
where a.code = 1 and a.asset = 'growth' and a.flags = 0 and t.kind = 'post'
union all
select t.merchant_id, t.id, 0, t.debit_account_id, t.reverses_id, 'draw', -t.amount, 0
from ledger_transfers as t
join ledger_accounts as a on a.merchant_id = t.merchant_id and a.id = t.debit_account_id
where a.code = 1 and a.asset = 'growth' and a.flags = 0 and t.kind = 'reverse';

update ledger_accounts set flags = 4 where code = 1 and asset = 'growth' and flags = 0;

insert into person_tiers (merchant_id, person_id, tier, reached_at, expires_at)
select merchant_id, id, tier, now(), now() + interval '365 days' from persons where tier > 1;
