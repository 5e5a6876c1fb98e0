create table orders (
    merchant_id uuid not null,
    id uuid not null,
    platform text not null,
    shop_id text not null,
    platform_order_no text not null,
    person_id uuid not null,
    state text not null,
    domain text not null,
    channel text not null,
    store_id uuid,
    paid_at timestamptz,
    currency text not null,
    paid_minor bigint not null,
    subsidy_minor bigint not null,
    quantity bigint not null,
    revision bigint not null,
    version timestamptz not null,
    told boolean not null,
    created_at timestamptz not null,
    constraint orders_pkey primary key (merchant_id, id),
    constraint orders_platform_order_no_key unique (merchant_id, platform, shop_id, platform_order_no),
    constraint orders_state_check
        check (state in ('created', 'paid', 'shipped', 'completed', 'closed', 'cancelled', 'refunded')),
    constraint orders_domain_check check (domain in ('private', 'public', 'pos')),
    constraint orders_paid_minor_check check (paid_minor >= 0),
    constraint orders_subsidy_minor_check check (subsidy_minor >= 0),
    constraint orders_quantity_check check (quantity >= 0),
    constraint orders_revision_check check (revision >= 1)
);

comment on table orders is 'orders of every platform as they are now';
comment on column orders.merchant_id is 'the tenant';
comment on column orders.id is 'the order here';
comment on column orders.platform is 'where it was placed, for example tmall';
comment on column orders.shop_id is 'the shop on the platform';
comment on column orders.platform_order_no is 'the number that the platform gave it';
comment on column orders.person_id is 'the buyer, a person of the member service';
comment on column orders.state is 'where it is in its life';
comment on column orders.domain is 'who owns the traffic that it came from';
comment on column orders.channel is 'the channel within the domain; may be empty';
comment on column orders.store_id is 'the store, of the member service';
comment on column orders.paid_at is 'when the buyer paid; null before';
comment on column orders.currency is 'ISO 4217, of every amount of the order';
comment on column orders.paid_minor is 'what the buyer paid: the sum of the lines';
comment on column orders.subsidy_minor is 'what the platform paid towards it; not part of paid_minor';
comment on column orders.quantity is 'pieces: the sum of the lines';
comment on column orders.revision is 'counts the changes here, from 1';
comment on column orders.version is 'the platform''s version of everything but the lines';
comment on column orders.told is 'the fact that it is paid was published';
comment on column orders.created_at is 'when it was stored here';

create index orders_paid_at_idx on orders (merchant_id, coalesce(paid_at, '-infinity'), id);
create index orders_person_id_idx on orders (merchant_id, person_id, coalesce(paid_at, '-infinity'), id);

create table order_lines (
    merchant_id uuid not null,
    order_id uuid not null,
    line_no integer not null,
    sku text not null,
    category text not null,
    quantity bigint not null,
    paid_minor bigint not null,
    version timestamptz not null,
    constraint order_lines_pkey primary key (merchant_id, order_id, line_no),
    constraint order_lines_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint order_lines_line_no_check check (line_no >= 1),
    constraint order_lines_quantity_check check (quantity >= 0),
    constraint order_lines_paid_minor_check check (paid_minor >= 0)
);

comment on table order_lines is 'the positions of an order';
comment on column order_lines.merchant_id is 'the tenant';
comment on column order_lines.order_id is 'the order';
comment on column order_lines.line_no is 'the number on the platform, from 1';
comment on column order_lines.sku is 'the article; may be empty';
comment on column order_lines.category is 'the top-level category; may be empty';
comment on column order_lines.quantity is 'pieces';
comment on column order_lines.paid_minor is 'what the buyer paid for the line';
comment on column order_lines.version is 'the platform''s version of the line';

select siyu_tenant_table('orders');
select siyu_tenant_table('order_lines');
