create table card_plans (
    merchant_id uuid not null,
    id uuid not null,
    plan bytea not null,
    created_at timestamptz not null,
    constraint card_plans_pkey primary key (merchant_id, id)
);

comment on table card_plans is 'benefit cards on offer';
comment on column card_plans.merchant_id is 'the tenant';
comment on column card_plans.id is 'the plan';
comment on column card_plans.plan is 'an encoded siyu.member.v1.CardPlan: read whole, never searched';
comment on column card_plans.created_at is 'when it was created';

create table cards (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    plan_id uuid not null,
    plan bytea not null,
    state text not null,
    starts_at timestamptz,
    ends_at timestamptz,
    frozen_at timestamptz,
    refund_minor bigint not null,
    used_minor bigint not null,
    consent_at timestamptz,
    notice_at timestamptz,
    created_at timestamptz not null,
    origin_person_id uuid,
    constraint cards_pkey primary key (merchant_id, id),
    constraint cards_plan_id_fkey foreign key (merchant_id, plan_id) references card_plans (merchant_id, id),
    constraint cards_state_check check (state in ('pending_payment', 'active', 'frozen', 'expired', 'refunded')),
    constraint cards_times_check check (
        (starts_at is null) = (ends_at is null) and (starts_at is null) = (state = 'pending_payment') and starts_at < ends_at
    ),
    constraint cards_frozen_at_check check ((frozen_at is not null) = (state = 'frozen'))
);

comment on table cards is 'memberships that persons pay for';
comment on column cards.merchant_id is 'the tenant';
comment on column cards.id is 'the card';
comment on column cards.person_id is 'the person';
comment on column cards.plan_id is 'the plan';
comment on column cards.plan is 'the plan as it was at the purchase, an encoded siyu.member.v1.CardPlan';
comment on column cards.state is 'where it is in its life';
comment on column cards.starts_at is 'from when on its benefits hold; null before the payment';
comment on column cards.ends_at is 'from when on they no longer do; null before the payment';
comment on column cards.frozen_at is 'since when it rests; null while it does not';
comment on column cards.refund_minor is 'what was given back for it, in minor units';
comment on column cards.used_minor is 'what its used benefits take off a refund, in minor units';
comment on column cards.consent_at is 'when the person agreed to automatic renewal; null without consent';
comment on column cards.notice_at is 'when the person was last told of a charge to come';
comment on column cards.created_at is 'when it was purchased';
comment on column cards.origin_person_id is 'whose card it was before a merge; null: nobody else''s';

create index cards_person_id_idx on cards (merchant_id, person_id, id);
-- Across merchants, for the job.
create index cards_ends_at_idx on cards (ends_at, merchant_id, id) where state = 'active';

create table benefit_uses (
    merchant_id uuid not null,
    person_id uuid not null,
    kind integer not null,
    period date not null,
    used integer not null,
    constraint benefit_uses_pkey primary key (merchant_id, person_id, kind, period),
    constraint benefit_uses_used_check check (used > 0)
);

comment on table benefit_uses is 'how often persons used their benefits';
comment on column benefit_uses.merchant_id is 'the tenant';
comment on column benefit_uses.person_id is 'the person';
comment on column benefit_uses.kind is 'the benefit, a siyu.member.v1.BenefitKind';
comment on column benefit_uses.period is 'the first day of the period, in the merchant''s zone';
comment on column benefit_uses.used is 'how often in that period';

select siyu_tenant_table('card_plans');
select siyu_tenant_table('cards');
select siyu_tenant_table('benefit_uses');
