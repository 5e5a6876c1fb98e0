create table fx_rates (
    merchant_id uuid not null,
    currency text not null,
    rate text not null,
    source text not null,
    rate_at timestamptz not null,
    updated_at timestamptz not null,
    constraint fx_rates_pkey primary key (merchant_id, currency)
);

comment on table fx_rates is 'what one major unit of merchants'' currencies is in others';
comment on column fx_rates.merchant_id is 'the tenant';
comment on column fx_rates.currency is 'the other currency';
comment on column fx_rates.rate is 'the rate, a decimal number as it was given';
comment on column fx_rates.source is 'where it is from';
comment on column fx_rates.rate_at is 'when it was so';
comment on column fx_rates.updated_at is 'when it was last changed here';

create table order_presentments (
    merchant_id uuid not null,
    order_id uuid not null,
    currency text not null,
    rate text not null,
    source text not null,
    rate_at timestamptz not null,
    payable_minor bigint not null,
    lines_minor bigint[] not null,
    shipping_minor bigint not null,
    constraint order_presentments_pkey primary key (merchant_id, order_id),
    constraint order_presentments_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id)
);

comment on table order_presentments is 'orders in the currencies that their buyers see: the snapshot that refunds use, never changed';
comment on column order_presentments.merchant_id is 'the tenant';
comment on column order_presentments.order_id is 'the order';
comment on column order_presentments.currency is 'the currency';
comment on column order_presentments.rate is 'the rate, a decimal number as it was given';
comment on column order_presentments.source is 'where it is from';
comment on column order_presentments.rate_at is 'when it was so';
comment on column order_presentments.payable_minor is 'what is to be paid';
comment on column order_presentments.lines_minor is 'the parts of the lines, in their order';
comment on column order_presentments.shipping_minor is 'the part that is shipping';

select siyu_tenant_table('fx_rates');
select siyu_tenant_table('order_presentments');
