create table quarantined_orders (
    merchant_id uuid not null,
    id uuid not null,
    platform text not null,
    shop_id text not null,
    platform_order_no text not null,
    status text not null,
    version timestamptz not null,
    payload bytea not null,
    created_at timestamptz not null,
    constraint quarantined_orders_pkey primary key (merchant_id, id),
    constraint quarantined_orders_version_key
        unique (merchant_id, platform, shop_id, platform_order_no, status, version)
);

comment on table quarantined_orders is 'orders of an import whose status nobody has explained yet';
comment on column quarantined_orders.merchant_id is 'the tenant';
comment on column quarantined_orders.id is 'the row';
comment on column quarantined_orders.platform is 'where the order was placed';
comment on column quarantined_orders.shop_id is 'the shop on the platform';
comment on column quarantined_orders.platform_order_no is 'the number that the platform gave it';
comment on column quarantined_orders.status is 'the word that is not known';
comment on column quarantined_orders.version is 'the platform''s version';
comment on column quarantined_orders.payload is 'the order as it came, an encoded siyu.order.v1.ExternalOrder';
comment on column quarantined_orders.created_at is 'when it came';

create table status_mappings (
    merchant_id uuid not null,
    platform text not null,
    status text not null,
    state text not null,
    constraint status_mappings_pkey primary key (merchant_id, platform, status),
    constraint status_mappings_state_check
        check (state in ('created', 'paid', 'shipped', 'completed', 'closed', 'cancelled', 'refunded'))
);

comment on table status_mappings is 'what the words of a platform mean here';
comment on column status_mappings.merchant_id is 'the tenant';
comment on column status_mappings.platform is 'the platform';
comment on column status_mappings.status is 'its word, in lower case';
comment on column status_mappings.state is 'the state of an order that it means';

select siyu_tenant_table('quarantined_orders');
select siyu_tenant_table('status_mappings');
