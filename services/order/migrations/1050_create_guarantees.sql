create table guarantees (
    merchant_id uuid not null,
    order_id uuid not null,
    currency text not null,
    paid_minor bigint not null,
    held_minor bigint not null,
    released_minor bigint not null,
    refunded_minor bigint not null,
    advanced_minor bigint not null,
    commission_bp integer not null,
    fee_bp integer not null,
    releases integer not null,
    disputed boolean not null,
    releasable_at timestamptz,
    released_at timestamptz,
    created_at timestamptz not null,
    constraint guarantees_pkey primary key (merchant_id, order_id),
    constraint guarantees_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint guarantees_amounts_check check (paid_minor >= 0 and held_minor between 0 and paid_minor
        and released_minor >= 0 and refunded_minor between 0 and paid_minor and advanced_minor between 0 and refunded_minor),
    constraint guarantees_rates_check check (commission_bp >= 0 and fee_bp >= 0 and commission_bp + fee_bp <= 10000),
    constraint guarantees_releases_check check (releases >= 0)
);

comment on table guarantees is 'what is held of orders between payment and release';
comment on column guarantees.merchant_id is 'the tenant';
comment on column guarantees.order_id is 'the order';
comment on column guarantees.currency is 'ISO 4217, of every amount';
comment on column guarantees.paid_minor is 'what was paid';
comment on column guarantees.held_minor is 'what is held now: the balance of the account in the ledger';
comment on column guarantees.released_minor is 'what was released, commission and fee included';
comment on column guarantees.refunded_minor is 'what was taken for refunds, wherever it came from, less what came back';
comment on column guarantees.advanced_minor is 'the part of it that was paid in advance for the merchant';
comment on column guarantees.commission_bp is 'what a release sets aside for commission, of what it releases';
comment on column guarantees.fee_bp is 'what a release takes for the platform';
comment on column guarantees.releases is 'counts the releases';
comment on column guarantees.disputed is 'a dispute is open';
comment on column guarantees.releasable_at is 'from when on it is released; null: the buyer has not received everything';
comment on column guarantees.released_at is 'when it was released last; null before';
comment on column guarantees.created_at is 'when it was paid';

create index guarantees_releasable_at_idx on guarantees (releasable_at, merchant_id, order_id)
    where held_minor > 0 and not disputed;
create index guarantees_held_minor_idx on guarantees (merchant_id, currency) include (held_minor) where held_minor > 0;

create table disputes (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid not null,
    amount_minor bigint not null,
    frozen_minor bigint not null,
    reason text not null,
    outcome text,
    note text not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    constraint disputes_pkey primary key (merchant_id, id),
    constraint disputes_order_id_fkey foreign key (merchant_id, order_id) references guarantees (merchant_id, order_id),
    constraint disputes_amounts_check check (frozen_minor between 0 and amount_minor),
    constraint disputes_outcome_check check (outcome in ('buyer', 'merchant', 'withdrawn')),
    constraint disputes_closed_at_check check ((outcome is null) = (closed_at is null))
);

comment on table disputes is 'objections of buyers, which freeze money';
comment on column disputes.merchant_id is 'the tenant';
comment on column disputes.id is 'the dispute';
comment on column disputes.order_id is 'the order';
comment on column disputes.amount_minor is 'what is disputed; refunds make it smaller';
comment on column disputes.frozen_minor is 'what of it is frozen';
comment on column disputes.reason is 'why, in the words of who opened it';
comment on column disputes.outcome is 'who was right; null while it is open';
comment on column disputes.note is 'why so, in the words of who closed it';
comment on column disputes.opened_at is 'when it was opened';
comment on column disputes.closed_at is 'when it was closed';

create unique index disputes_order_id_key on disputes (merchant_id, order_id) where closed_at is null;
create index disputes_order_id_idx on disputes (merchant_id, order_id, id);

create table guarantee_entries (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid,
    kind text not null,
    amount_minor bigint not null,
    currency text not null,
    subject text not null,
    created_at timestamptz not null,
    constraint guarantee_entries_pkey primary key (merchant_id, id),
    constraint guarantee_entries_kind_check check (kind in ('paid', 'released', 'commission', 'fee', 'recovered', 'refunded',
        'charged', 'advanced', 'refund_paid', 'refund_returned', 'frozen', 'unfrozen', 'suspended', 'unsuspended')),
    constraint guarantee_entries_amount_minor_check check (amount_minor > 0)
);

comment on table guarantee_entries is 'what moved in the ledger, in words';
comment on column guarantee_entries.merchant_id is 'the tenant';
comment on column guarantee_entries.id is 'the entry';
comment on column guarantee_entries.order_id is 'the order; null: money that belongs to none';
comment on column guarantee_entries.kind is 'what it was';
comment on column guarantee_entries.amount_minor is 'how much';
comment on column guarantee_entries.currency is 'ISO 4217';
comment on column guarantee_entries.subject is 'what it was for: a tender, a refund, a dispute';
comment on column guarantee_entries.created_at is 'when';

create index guarantee_entries_order_id_idx on guarantee_entries (merchant_id, order_id, id);

select siyu_tenant_table('guarantees');
select siyu_tenant_table('disputes');
select siyu_tenant_table('guarantee_entries');
