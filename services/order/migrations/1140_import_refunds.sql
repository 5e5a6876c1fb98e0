alter table order_lines
    add column refunded_minor bigint not null default 0,
    add column refunded_quantity bigint not null default 0,
    add constraint order_lines_refunded_check check (refunded_minor >= 0 and refunded_quantity >= 0);

comment on column order_lines.refunded_minor is
    'of an imported order: what its platform gave back of the line; the line was sold for paid_minor and this';
comment on column order_lines.refunded_quantity is
    'of an imported order: the pieces that came back; the line was sold with quantity and these';

alter table orders add column platform_state text;

comment on column orders.platform_state is
    'of an imported order that refunds have emptied: the state that the platform''s word means; null: as state';

create table imported_refunds (
    merchant_id uuid not null,
    platform text not null,
    shop_id text not null,
    platform_order_no text not null,
    refund_no text not null,
    line_no integer not null,
    id uuid not null,
    order_id uuid,
    amount_minor bigint not null,
    quantity bigint not null,
    version timestamptz not null,
    created_at timestamptz not null,
    constraint imported_refunds_pkey
        primary key (merchant_id, platform, shop_id, platform_order_no, refund_no, line_no),
    constraint imported_refunds_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint imported_refunds_amounts_check check (line_no >= 0 and amount_minor >= 0 and quantity >= 0)
);

comment on table imported_refunds is 'what other platforms gave back of orders, as they tell it';
comment on column imported_refunds.merchant_id is 'the tenant';
comment on column imported_refunds.platform is 'where the order was placed';
comment on column imported_refunds.shop_id is 'the shop on the platform';
comment on column imported_refunds.platform_order_no is 'the number that the platform gave the order';
comment on column imported_refunds.refund_no is 'the number that the platform gave the refund';
comment on column imported_refunds.line_no is 'the line of the order; 0: the order as a whole';
comment on column imported_refunds.id is 'the row, for lists';
comment on column imported_refunds.order_id is 'the order here; null: it has not come yet';
comment on column imported_refunds.amount_minor is 'how much was given back, in minor units; 0: the refund was withdrawn';
comment on column imported_refunds.quantity is 'the pieces that came back';
comment on column imported_refunds.version is 'the platform''s version';
comment on column imported_refunds.created_at is 'when it came first';

create index imported_refunds_id_idx on imported_refunds (merchant_id, created_at, id);
create index imported_refunds_order_id_idx on imported_refunds (merchant_id, order_id, created_at, id);

select siyu_tenant_table('imported_refunds');
