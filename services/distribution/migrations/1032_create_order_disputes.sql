create table order_disputes (
    merchant_id uuid not null,
    order_id uuid not null,
    id uuid not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    constraint order_disputes_pkey primary key (merchant_id, order_id, id)
);

comment on table order_disputes is 'objections of buyers: what their orders earned is frozen while one is open';
comment on column order_disputes.merchant_id is 'the tenant';
comment on column order_disputes.order_id is 'the order, of the order service';
comment on column order_disputes.id is 'the dispute, of the order service';
comment on column order_disputes.opened_at is 'when it was opened';
comment on column order_disputes.closed_at is 'when somebody decided; null while it is open';

select siyu_tenant_table('order_disputes');

alter table commissions
    add column freeze_id uuid,
    add column frozen_minor bigint not null default 0,
    add constraint commissions_frozen_minor_check
        check (frozen_minor between 0 and earned_minor and (freeze_id is null) = (frozen_minor = 0));

comment on column commissions.freeze_id is 'the transfer that reserves it while the order is disputed; null when none does';
comment on column commissions.frozen_minor is 'what of it is reserved';
