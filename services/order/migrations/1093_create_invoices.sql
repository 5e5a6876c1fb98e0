create table tax_rates (
    merchant_id uuid not null,
    category text not null,
    valid_from timestamptz not null,
    rate_bp integer not null,
    created_at timestamptz not null,
    constraint tax_rates_pkey primary key (merchant_id, category, valid_from),
    constraint tax_rates_rate_bp_check check (rate_bp between 0 and 10000)
);

comment on table tax_rates is 'the tax that prices contain';
comment on column tax_rates.merchant_id is 'the tenant';
comment on column tax_rates.category is 'the category of items; empty: whatever has no rate of its own, and the shipping';
comment on column tax_rates.valid_from is 'orders that are placed then or later have it';
comment on column tax_rates.rate_bp is 'the rate in basis points';
comment on column tax_rates.created_at is 'when it was said';

create table invoice_titles (
    merchant_id uuid not null,
    order_id uuid not null,
    kind text not null,
    sealed bytea not null,
    updated_at timestamptz not null,
    constraint invoice_titles_pkey primary key (merchant_id, order_id),
    constraint invoice_titles_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint invoice_titles_kind_check check (kind in ('personal', 'company'))
);

comment on table invoice_titles is 'to whom invoices of orders are made out';
comment on column invoice_titles.merchant_id is 'the tenant';
comment on column invoice_titles.order_id is 'the order';
comment on column invoice_titles.kind is 'a person or a company';
comment on column invoice_titles.sealed is 'an encoded siyu.order.v1.InvoiceTitle, sealed by the vault';
comment on column invoice_titles.updated_at is 'when it was said';

select siyu_tenant_table('tax_rates');
select siyu_tenant_table('invoice_titles');
