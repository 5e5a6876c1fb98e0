create table items (
    merchant_id uuid not null,
    code text not null,
    name text not null,
    categories text[] not null,
    withdrawn boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint items_pkey primary key (merchant_id, code)
);

comment on table items is 'what a merchant sells';
comment on column items.merchant_id is 'the tenant';
comment on column items.code is 'the merchant''s own key';
comment on column items.name is 'the name';
comment on column items.categories is 'the categories, the top-level one first';
comment on column items.withdrawn is 'whether it is not sold at present';
comment on column items.created_at is 'when it was created here';
comment on column items.updated_at is 'when it was last changed here';

create table skus (
    merchant_id uuid not null,
    code text not null,
    item_code text not null,
    place integer not null,
    name text not null,
    price_minor bigint not null,
    constraint skus_pkey primary key (merchant_id, code),
    constraint skus_item_code_fkey foreign key (merchant_id, item_code) references items (merchant_id, code),
    constraint skus_price_minor_check check (price_minor >= 0)
);

comment on table skus is 'the kinds of items: what a line of an order names';
comment on column skus.merchant_id is 'the tenant';
comment on column skus.code is 'the merchant''s own key';
comment on column skus.item_code is 'the item that it is a kind of';
comment on column skus.place is 'its place among the kinds of the item';
comment on column skus.name is 'the name beside the item''s';
comment on column skus.price_minor is 'the list price of one piece, in minor units of the merchant''s currency';

create index skus_item_code_idx on skus (merchant_id, item_code);

create table promotions (
    merchant_id uuid not null,
    code text not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    paused boolean not null,
    definition bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint promotions_pkey primary key (merchant_id, code),
    constraint promotions_valid_to_check check (valid_to > valid_from)
);

comment on table promotions is 'rules that change prices by themselves';
comment on column promotions.merchant_id is 'the tenant';
comment on column promotions.code is 'the merchant''s own key';
comment on column promotions.valid_from is 'from when on it is in force';
comment on column promotions.valid_to is 'until when, exclusive';
comment on column promotions.paused is 'whether it is switched off';
comment on column promotions.definition is 'an encoded siyu.order.v1.Promotion: read whole, never searched';
comment on column promotions.created_at is 'when it was created here';
comment on column promotions.updated_at is 'when it was last changed here';

create index promotions_valid_to_idx on promotions (merchant_id, valid_to);

select siyu_tenant_table('items');
select siyu_tenant_table('skus');
select siyu_tenant_table('promotions');
