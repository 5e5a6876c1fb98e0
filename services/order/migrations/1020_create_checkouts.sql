alter table orders drop constraint orders_state_check;
alter table orders add constraint orders_state_check check (state in (
    'created', 'paid', 'shipped', 'completed', 'closed', 'cancelled', 'refunded', 'group_pending', 'accepted',
    'ready_for_pickup', 'picked_up', 'delivering', 'delivered', 'signed'
));

create table order_events (
    merchant_id uuid not null,
    order_id uuid not null,
    seq bigint not null,
    key text not null,
    event text not null,
    from_state text,
    to_state text not null,
    actor text not null,
    reason text not null,
    occurred_at timestamptz not null,
    constraint order_events_pkey primary key (merchant_id, order_id, seq),
    constraint order_events_key_key unique (merchant_id, order_id, key),
    constraint order_events_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint order_events_seq_check check (seq >= 1)
);

comment on table order_events is 'what happened to orders that were placed here';
comment on column order_events.merchant_id is 'the tenant';
comment on column order_events.order_id is 'the order';
comment on column order_events.seq is 'the revision of the order that it made';
comment on column order_events.key is 'what caused it: the same cause happens once';
comment on column order_events.event is 'what happened';
comment on column order_events.from_state is 'the state before; null for the first';
comment on column order_events.to_state is 'the state since';
comment on column order_events.actor is 'who did it';
comment on column order_events.reason is 'why, in words; may be empty';
comment on column order_events.occurred_at is 'when';

create table checkouts (
    merchant_id uuid not null,
    order_id uuid not null,
    request_id text not null,
    fingerprint bytea not null,
    snapshot bytea not null,
    list_minor bigint not null,
    payable_minor bigint not null,
    shipping_minor bigint not null,
    cash_minor bigint not null,
    delivery_method text not null,
    open boolean not null,
    pay_deadline timestamptz not null,
    confirm_days integer not null,
    after_sale_days integer not null,
    ripe_at timestamptz,
    constraint checkouts_pkey primary key (merchant_id, order_id),
    constraint checkouts_request_id_key unique (merchant_id, request_id),
    constraint checkouts_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint checkouts_cash_minor_check check (cash_minor between 0 and payable_minor),
    constraint checkouts_delivery_method_check check (delivery_method in ('parcel', 'pick_up', 'local'))
);

comment on table checkouts is 'how orders that were placed here came about';
comment on column checkouts.merchant_id is 'the tenant';
comment on column checkouts.order_id is 'the order';
comment on column checkouts.request_id is 'the caller''s key: one order for each';
comment on column checkouts.fingerprint is 'SHA-256 of the request';
comment on column checkouts.snapshot is 'an encoded siyu.order.v1.PriceSnapshot: what the price followed from, and the price';
comment on column checkouts.list_minor is 'the goods without any rule';
comment on column checkouts.payable_minor is 'what is to be paid, shipping and all';
comment on column checkouts.shipping_minor is 'the part of payable_minor that is shipping';
comment on column checkouts.cash_minor is 'the part of payable_minor that is paid in cash';
comment on column checkouts.delivery_method is 'how the goods come to the buyer';
comment on column checkouts.open is 'whether it waits for its payment';
comment on column checkouts.pay_deadline is 'until when it waits';
comment on column checkouts.confirm_days is 'so many days after receipt the order is completed by itself';
comment on column checkouts.after_sale_days is 'so many days after its completion the order is closed';
comment on column checkouts.ripe_at is 'when the order is completed or closed by itself; null while it is neither';

create index checkouts_pay_deadline_idx on checkouts (pay_deadline) where open;
create index checkouts_ripe_at_idx on checkouts (ripe_at) where ripe_at is not null;

create table checkout_policies (
    merchant_id uuid not null,
    definition bytea not null,
    updated_at timestamptz not null,
    constraint checkout_policies_pkey primary key (merchant_id)
);

comment on table checkout_policies is 'the rules of merchants for new orders';
comment on column checkout_policies.merchant_id is 'the tenant';
comment on column checkout_policies.definition is 'an encoded siyu.order.v1.CheckoutPolicy';
comment on column checkout_policies.updated_at is 'when it was last changed';

create table tenders (
    merchant_id uuid not null,
    order_id uuid not null,
    kind text not null,
    state text not null,
    amount_minor bigint not null,
    points bigint not null,
    charges bytea not null,
    person_id uuid not null,
    hold_id uuid,
    capture_id uuid,
    failure text not null,
    hold_until timestamptz not null,
    due_at timestamptz not null,
    attempts integer not null,
    constraint tenders_pkey primary key (merchant_id, order_id, kind),
    constraint tenders_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint tenders_kind_check check (kind in ('value', 'points')),
    constraint tenders_state_check
        check (state in ('planned', 'held', 'capturing', 'captured', 'voiding', 'voided', 'stuck')),
    constraint tenders_amount_minor_check check (amount_minor > 0),
    constraint tenders_points_check check (points >= 0)
);

comment on table tenders is 'what orders are paid with that the member service holds';
comment on column tenders.merchant_id is 'the tenant';
comment on column tenders.order_id is 'the order';
comment on column tenders.kind is 'stored value or points';
comment on column tenders.state is 'where it is in its life';
comment on column tenders.amount_minor is 'what it pays; of points: what they take off';
comment on column tenders.points is 'the points; 0 for stored value';
comment on column tenders.charges is 'an encoded siyu.member.v1.HoldValueRequest with what each card pays; empty for points';
comment on column tenders.person_id is 'the buyer';
comment on column tenders.hold_id is 'the hold, of the member service; null before it is known';
comment on column tenders.capture_id is 'the transfer that took the points, which a refund reverts; null before';
comment on column tenders.failure is 'what the member service said when it refused; may be empty';
comment on column tenders.hold_until is 'until when it is held';
comment on column tenders.due_at is 'when the next step is due, in states that have one';
comment on column tenders.attempts is 'how often the step was tried';

create index tenders_due_at_idx on tenders (due_at) where state in ('planned', 'capturing', 'voiding');

alter table coupons add column state text not null default 'issued';
alter table coupons add column order_id uuid;
alter table coupons add constraint coupons_state_check check (state in ('issued', 'locked', 'used'));
alter table coupons add constraint coupons_order_id_check check ((state = 'issued') = (order_id is null));

comment on column coupons.state is 'issued, locked by an order that waits for its payment, or used';
comment on column coupons.order_id is 'the order that locked or used it';

create index coupons_order_id_idx on coupons (merchant_id, order_id) where order_id is not null;

select siyu_tenant_table('order_events');
select siyu_tenant_table('checkouts');
select siyu_tenant_table('checkout_policies');
select siyu_tenant_table('tenders');
