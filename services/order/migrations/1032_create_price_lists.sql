create table price_lists (
    merchant_id uuid not null,
    code text not null,
    name text not null,
    priority integer not null,
    for_stores text[] not null,
    for_regions uuid[] not null,
    for_tiers integer[] not null,
    for_channels text[] not null,
    valid_from timestamptz,
    valid_to timestamptz,
    paused boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint price_lists_pkey primary key (merchant_id, code),
    constraint price_lists_valid_to_check check (valid_to > valid_from)
);

comment on table price_lists is 'prices for some buyers, in some places or by some channels';
comment on column price_lists.merchant_id is 'the tenant';
comment on column price_lists.code is 'the merchant''s own key';
comment on column price_lists.name is 'the name';
comment on column price_lists.priority is 'of lists with the same price the smaller one is named';
comment on column price_lists.for_stores is 'the stores that it is for, by code; empty: wherever';
comment on column price_lists.for_regions is 'the regions that it is for, with the smaller ones in them; empty: wherever';
comment on column price_lists.for_tiers is 'the tiers that it is for; empty: whoever buys';
comment on column price_lists.for_channels is 'the channels that it is for; empty: by whatever';
comment on column price_lists.valid_from is 'from when on it is in force; null: ever since';
comment on column price_lists.valid_to is 'until when, exclusive; null: without an end';
comment on column price_lists.paused is 'whether it is switched off';
comment on column price_lists.created_at is 'when it was created here';
comment on column price_lists.updated_at is 'when it was last changed here';

create table listed_prices (
    merchant_id uuid not null,
    list_code text not null,
    sku text not null,
    unit_minor bigint not null,
    constraint listed_prices_pkey primary key (merchant_id, list_code, sku),
    constraint listed_prices_list_code_fkey foreign key (merchant_id, list_code)
        references price_lists (merchant_id, code),
    constraint listed_prices_unit_minor_check check (unit_minor >= 0)
);

comment on table listed_prices is 'what price lists say';
comment on column listed_prices.merchant_id is 'the tenant';
comment on column listed_prices.list_code is 'the list';
comment on column listed_prices.sku is 'the SKU';
comment on column listed_prices.unit_minor is 'one piece, in minor units of the merchant''s currency';

create index listed_prices_sku_idx on listed_prices (merchant_id, sku, list_code);

select siyu_tenant_table('price_lists');
select siyu_tenant_table('listed_prices');
