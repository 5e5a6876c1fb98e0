create table order_disputes (
    merchant_id uuid not null,
    order_id uuid not null,
    id uuid not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    constraint order_disputes_pkey primary key (merchant_id, order_id, id)
);

comment on table order_disputes is 'objections of buyers: while one is open, points of the order that cannot be spent yet wait on';
comment on column order_disputes.merchant_id is 'the tenant';
comment on column order_disputes.order_id is 'the order, of the order service';
comment on column order_disputes.id is 'the dispute, of the order service';
comment on column order_disputes.opened_at is 'when it was opened';
comment on column order_disputes.closed_at is 'when somebody decided; null while it is open';

select siyu_tenant_table('order_disputes');

alter table order_earnings add column is_completed boolean not null default false;

comment on column order_earnings.is_completed is
    'the buyer has what was bought, as of that revision; false too where nobody asked when it was written';
