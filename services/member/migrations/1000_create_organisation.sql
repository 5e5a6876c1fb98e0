create table merchants (
    merchant_id uuid not null,
    name text not null,
    zone text not null,
    currency text not null,
    created_at timestamptz not null,
    constraint merchants_pkey primary key (merchant_id)
);

comment on table merchants is 'the tenants of the suite';
comment on column merchants.merchant_id is 'the tenant';
comment on column merchants.name is 'the name that people know it by';
comment on column merchants.zone is 'the IANA zone in which its days are cut';
comment on column merchants.currency is 'ISO 4217, of its figures';
comment on column merchants.created_at is 'when it was opened';

create table stores (
    merchant_id uuid not null,
    id uuid not null,
    code text not null,
    name text not null,
    kind text not null,
    zone text not null,
    hours bytea not null,
    area_centi_sqm bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint stores_pkey primary key (merchant_id, id),
    constraint stores_code_key unique (merchant_id, code),
    constraint stores_kind_check check (kind in ('direct', 'franchise')),
    constraint stores_area_centi_sqm_check check (area_centi_sqm >= 0)
);

comment on table stores is 'the shops of a merchant';
comment on column stores.merchant_id is 'the tenant';
comment on column stores.id is 'the store here';
comment on column stores.code is 'the merchant''s own key';
comment on column stores.name is 'the name';
comment on column stores.kind is 'who runs it';
comment on column stores.zone is 'the IANA zone of its clock';
comment on column stores.hours is 'when it is open, an encoded siyu.member.v1.OpeningHours: read whole, never searched';
comment on column stores.area_centi_sqm is 'selling floor in hundredths of a square metre; 0: not known';
comment on column stores.created_at is 'when it was created here';
comment on column stores.updated_at is 'when it was last changed here';

create table staff (
    merchant_id uuid not null,
    id uuid not null,
    code text not null,
    name text not null,
    role text not null,
    store_id uuid,
    created_at timestamptz not null,
    constraint staff_pkey primary key (merchant_id, id),
    constraint staff_code_key unique (merchant_id, code),
    constraint staff_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id),
    constraint staff_role_check check (role in ('guide', 'store_manager', 'headquarters'))
);

comment on table staff is 'the employees of a merchant';
comment on column staff.merchant_id is 'the tenant';
comment on column staff.id is 'the employee here';
comment on column staff.code is 'the merchant''s own key';
comment on column staff.name is 'the name';
comment on column staff.role is 'what the employee does';
comment on column staff.store_id is 'the store that the employee works in; null for headquarters';
comment on column staff.created_at is 'when the employee was added';

select siyu_tenant_table('merchants');
select siyu_tenant_table('stores');
select siyu_tenant_table('staff');
