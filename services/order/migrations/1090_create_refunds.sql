create table refunds (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid not null,
    number integer not null,
    request_id text not null,
    fingerprint bytea not null,
    state text not null,
    plan bytea not null,
    reason text not null,
    needs_return boolean not null,
    cash_minor bigint not null,
    cash text not null,
    value_minor bigint not null,
    value text not null,
    points bigint not null,
    points_part text not null,
    failure text not null,
    actor text not null,
    due_at timestamptz,
    attempts integer not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint refunds_pkey primary key (merchant_id, id),
    constraint refunds_number_key unique (merchant_id, order_id, number),
    constraint refunds_request_id_key unique (merchant_id, request_id),
    constraint refunds_order_id_fkey foreign key (merchant_id, order_id) references checkouts (merchant_id, order_id),
    constraint refunds_state_check check (state in (
        'requested', 'agreed', 'return_shipped', 'processing', 'succeeded', 'failed', 'rejected', 'withdrawn'
    )),
    constraint refunds_cash_check check (cash in ('nothing', 'waiting', 'done', 'failed')),
    constraint refunds_value_check check (value in ('nothing', 'waiting', 'done', 'failed')),
    constraint refunds_points_part_check check (points_part in ('nothing', 'waiting', 'done', 'failed')),
    constraint refunds_cash_minor_check check (cash_minor >= 0 and value_minor >= 0 and points >= 0),
    constraint refunds_ended_at_check
        check ((ended_at is null) = (state in ('requested', 'agreed', 'return_shipped', 'processing')))
);

comment on table refunds is 'what of orders is given back';
comment on column refunds.merchant_id is 'the tenant';
comment on column refunds.id is 'the refund';
comment on column refunds.order_id is 'the order';
comment on column refunds.number is 'counts the refunds of the order';
comment on column refunds.request_id is 'the caller''s key: one refund for each';
comment on column refunds.fingerprint is 'SHA-256 of the request';
comment on column refunds.state is 'where it is in its life';
comment on column refunds.plan is 'an encoded siyu.order.v1.RefundPlan: what it gives back, fixed when it was asked for';
comment on column refunds.reason is 'why it was asked for';
comment on column refunds.needs_return is 'whether the goods are to be sent back first';
comment on column refunds.cash_minor is 'what goes back through the payment';
comment on column refunds.cash is 'how that stands';
comment on column refunds.value_minor is 'what goes back to stored value';
comment on column refunds.value is 'how that stands';
comment on column refunds.points is 'points that go back';
comment on column refunds.points_part is 'how they stand';
comment on column refunds.failure is 'what was said when a part was refused; may be empty';
comment on column refunds.actor is 'who asked for it';
comment on column refunds.due_at is 'when the next step is due; null where none is';
comment on column refunds.attempts is 'how often the step was tried';
comment on column refunds.created_at is 'when it was asked for';
comment on column refunds.ended_at is 'when it ended';

create index refunds_due_at_idx on refunds (due_at) where due_at is not null;

select siyu_tenant_table('refunds');
