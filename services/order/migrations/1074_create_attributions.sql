create table live_clicks (
    merchant_id uuid not null,
    person_id uuid not null,
    sku text not null,
    clicked_at timestamptz not null,
    room_id text not null,
    session_id text not null,
    anchor_id text not null,
    slot integer not null,
    constraint live_clicks_pkey primary key (merchant_id, person_id, sku, clicked_at, room_id, session_id, slot)
);

comment on table live_clicks is 'clicks on products in live rooms';
comment on column live_clicks.merchant_id is 'the tenant';
comment on column live_clicks.person_id is 'who clicked, of the member service';
comment on column live_clicks.sku is 'the SKU';
comment on column live_clicks.clicked_at is 'when';
comment on column live_clicks.room_id is 'the room, as its platform calls it';
comment on column live_clicks.session_id is 'the session of the room; may be empty';
comment on column live_clicks.anchor_id is 'who presents; may be empty';
comment on column live_clicks.slot is 'the place of the product in the session; 0: not known';

create table order_attributions (
    merchant_id uuid not null,
    order_id uuid not null,
    person_id uuid not null,
    sku text not null,
    clicked_at timestamptz not null,
    room_id text not null,
    session_id text not null,
    anchor_id text not null,
    slot integer not null,
    constraint order_attributions_pkey primary key (merchant_id, order_id),
    constraint order_attributions_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id)
);

comment on table order_attributions is 'the live rooms that orders came from: copied when an order is placed, never changed';
comment on column order_attributions.merchant_id is 'the tenant';
comment on column order_attributions.order_id is 'the order';
comment on column order_attributions.person_id is 'who clicked';
comment on column order_attributions.sku is 'the SKU that was clicked';
comment on column order_attributions.clicked_at is 'when';
comment on column order_attributions.room_id is 'the room, as its platform calls it';
comment on column order_attributions.session_id is 'the session of the room; may be empty';
comment on column order_attributions.anchor_id is 'who presents; may be empty';
comment on column order_attributions.slot is 'the place of the product in the session; 0: not known';

create table settlement_terms (
    merchant_id uuid not null,
    store_code text not null,
    run text not null,
    platform_fee_bp integer not null,
    hq_bp integer not null,
    marketing_bp integer not null,
    updated_at timestamptz not null,
    constraint settlement_terms_pkey primary key (merchant_id, store_code),
    constraint settlement_terms_run_check check (run in ('direct', 'franchise')),
    constraint settlement_terms_rates_check check (
        platform_fee_bp >= 0 and hq_bp >= 0 and marketing_bp >= 0 and platform_fee_bp + hq_bp + marketing_bp <= 10000
    )
);

comment on table settlement_terms is 'the terms under which the orders of stores are settled';
comment on column settlement_terms.merchant_id is 'the tenant';
comment on column settlement_terms.store_code is 'the store';
comment on column settlement_terms.run is 'who runs it: the merchant, or a franchisee';
comment on column settlement_terms.platform_fee_bp is 'the part of the platform, in basis points';
comment on column settlement_terms.hq_bp is 'the part of headquarters';
comment on column settlement_terms.marketing_bp is 'the part of common marketing';
comment on column settlement_terms.updated_at is 'when they were last changed';

create table settlements (
    merchant_id uuid not null,
    order_id uuid not null,
    revision bigint not null,
    store_code text not null,
    currency text not null,
    platform_fee_bp integer not null,
    hq_bp integer not null,
    marketing_bp integer not null,
    net_minor bigint not null,
    platform_fee_minor bigint not null,
    hq_minor bigint not null,
    marketing_minor bigint not null,
    franchisee_minor bigint not null,
    occurred_at timestamptz not null,
    constraint settlements_pkey primary key (merchant_id, order_id, revision),
    constraint settlements_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint settlements_net_minor_check
        check (net_minor = platform_fee_minor + hq_minor + marketing_minor + franchisee_minor)
);

comment on table settlements is 'what orders of franchised stores bring to whom: entries that are never changed';
comment on column settlements.merchant_id is 'the tenant';
comment on column settlements.order_id is 'the order';
comment on column settlements.revision is 'the revision of the order that brought it';
comment on column settlements.store_code is 'the store';
comment on column settlements.currency is 'the currency of the amounts';
comment on column settlements.platform_fee_bp is 'the part of the platform, in basis points, of the terms when the order was paid';
comment on column settlements.hq_bp is 'the part of headquarters';
comment on column settlements.marketing_bp is 'the part of common marketing';
comment on column settlements.net_minor is 'how much more, or less, the goods bring';
comment on column settlements.platform_fee_minor is 'how much more, or less, is the platform''s';
comment on column settlements.hq_minor is 'how much more, or less, is headquarters''';
comment on column settlements.marketing_minor is 'how much more, or less, is common marketing''s';
comment on column settlements.franchisee_minor is 'how much more, or less, is the franchisee''s';
comment on column settlements.occurred_at is 'when';

create index settlements_store_code_idx on settlements (merchant_id, store_code, occurred_at, order_id, revision);

select siyu_tenant_table('live_clicks');
select siyu_tenant_table('order_attributions');
select siyu_tenant_table('settlement_terms');
select siyu_tenant_table('settlements');
