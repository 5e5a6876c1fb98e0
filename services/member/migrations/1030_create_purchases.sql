create table purchases (
    merchant_id uuid not null,
    order_id uuid not null,
    person_id uuid not null,
    store_id uuid,
    platform text not null,
    channel text not null,
    domain text not null,
    paid_at timestamptz not null,
    paid_day integer not null,
    paid_minor bigint not null,
    counts boolean not null,
    revision bigint not null,
    constraint purchases_pkey primary key (merchant_id, order_id),
    constraint purchases_domain_check check (domain in ('private', 'public', 'pos'))
);

comment on table purchases is 'orders as the order service told them last, by who bought: one row for each order';
comment on column purchases.merchant_id is 'the tenant';
comment on column purchases.order_id is 'the order, of the order service';
comment on column purchases.person_id is 'who bought';
comment on column purchases.store_id is 'the store; null without one';
comment on column purchases.platform is 'the platform that it was placed on';
comment on column purchases.channel is 'the channel within the domain; may be empty';
comment on column purchases.domain is 'who owns the traffic that it came from';
comment on column purchases.paid_at is 'when it was paid';
comment on column purchases.paid_day is 'the day of the payment in the merchant''s zone, counted from 1970-01-01';
comment on column purchases.paid_minor is 'what was paid, in minor units of the merchant''s currency';
comment on column purchases.counts is 'paid and neither cancelled nor wholly refunded';
comment on column purchases.revision is 'the revision of the order that is stored';

create index purchases_person_id_idx on purchases (merchant_id, person_id, paid_at);
create index purchases_paid_at_idx on purchases (merchant_id, paid_at) include (person_id, paid_minor) where counts;
create index purchases_store_id_idx on purchases (merchant_id, store_id, paid_at) include (person_id)
    where counts and store_id is not null;

create table purchase_lines (
    merchant_id uuid not null,
    order_id uuid not null,
    line_no integer not null,
    person_id uuid not null,
    paid_at timestamptz not null,
    sku text not null,
    category text not null,
    quantity bigint not null,
    paid_minor bigint not null,
    constraint purchase_lines_pkey primary key (merchant_id, order_id, line_no),
    constraint purchase_lines_order_id_fkey
        foreign key (merchant_id, order_id) references purchases (merchant_id, order_id)
);

comment on table purchase_lines is 'what was bought: the lines of the purchases that count';
comment on column purchase_lines.merchant_id is 'the tenant';
comment on column purchase_lines.order_id is 'the order';
comment on column purchase_lines.line_no is 'the number of the line';
comment on column purchase_lines.person_id is 'who bought, as in purchases: searched without a look there';
comment on column purchase_lines.paid_at is 'when it was paid, as in purchases';
comment on column purchase_lines.sku is 'the SKU; may be empty';
comment on column purchase_lines.category is 'the top-level category; may be empty';
comment on column purchase_lines.quantity is 'the pieces';
comment on column purchase_lines.paid_minor is 'what was paid for the line, in minor units of the merchant''s currency';

create index purchase_lines_category_idx on purchase_lines (merchant_id, category, paid_at) include (person_id);
create index purchase_lines_sku_idx on purchase_lines (merchant_id, sku, paid_at) include (person_id);

create table person_purchases (
    merchant_id uuid not null,
    person_id uuid not null,
    orders bigint not null,
    paid_minor bigint not null,
    first_paid_at timestamptz not null,
    last_paid_at timestamptz not null,
    purchase_days bigint not null,
    constraint person_purchases_pkey primary key (merchant_id, person_id),
    constraint person_purchases_orders_check check (orders > 0)
);

comment on table person_purchases is 'what persons bought in all: computed from the purchases that count; without a row nothing was bought';
comment on column person_purchases.merchant_id is 'the tenant';
comment on column person_purchases.person_id is 'who bought';
comment on column person_purchases.orders is 'how many orders count';
comment on column person_purchases.paid_minor is 'what was paid for them, in minor units of the merchant''s currency';
comment on column person_purchases.first_paid_at is 'when the first was paid';
comment on column person_purchases.last_paid_at is 'when the last was paid';
comment on column person_purchases.purchase_days is 'on how many days of the merchant''s zone something was paid';

create index person_purchases_last_paid_at_idx on person_purchases (merchant_id, last_paid_at) include (person_id);
create index person_purchases_paid_minor_idx on person_purchases (merchant_id, paid_minor) include (person_id);
create index person_purchases_orders_idx on person_purchases (merchant_id, orders) include (person_id);

create table purchase_moves (
    merchant_id uuid not null,
    merge_id uuid not null,
    order_id uuid not null,
    constraint purchase_moves_pkey primary key (merchant_id, merge_id, order_id),
    constraint purchase_moves_order_id_fkey
        foreign key (merchant_id, order_id) references purchases (merchant_id, order_id)
);

comment on table purchase_moves is 'which purchases a merge of persons moved: they go back when it is undone';
comment on column purchase_moves.merchant_id is 'the tenant';
comment on column purchase_moves.merge_id is 'the merge';
comment on column purchase_moves.order_id is 'the order';

select siyu_tenant_table('purchases');
select siyu_tenant_table('purchase_lines');
select siyu_tenant_table('person_purchases');
select siyu_tenant_table('purchase_moves');
