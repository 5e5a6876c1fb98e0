create table regions (
    merchant_id uuid not null,
    id uuid not null,
    code text not null,
    name text not null,
    parent_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint regions_pkey primary key (merchant_id, id),
    constraint regions_code_key unique (merchant_id, code),
    constraint regions_parent_id_fkey foreign key (merchant_id, parent_id) references regions (merchant_id, id),
    constraint regions_parent_id_check check (parent_id <> id)
);

comment on table regions is 'how a merchant divides its stores: a tree';
comment on column regions.merchant_id is 'the tenant';
comment on column regions.id is 'the region here';
comment on column regions.code is 'the merchant''s own key';
comment on column regions.name is 'the name';
comment on column regions.parent_id is 'the region that it is part of; null at the top';
comment on column regions.created_at is 'when it was created here';
comment on column regions.updated_at is 'when it was last changed here';

create index regions_parent_id_idx on regions (merchant_id, parent_id);

alter table stores add column region_id uuid;
alter table stores add column opening_cost_minor bigint not null default 0;
alter table stores add constraint stores_region_id_fkey
    foreign key (merchant_id, region_id) references regions (merchant_id, id);
alter table stores add constraint stores_opening_cost_minor_check check (opening_cost_minor >= 0);

comment on column stores.region_id is 'the region that it belongs to; null: to none';
comment on column stores.opening_cost_minor is
    'what opening it cost, in minor units of the merchant''s currency; 0: not known';

create index stores_region_id_idx on stores (merchant_id, region_id);

alter table staff add column region_id uuid;
alter table staff add column wecom_userid text not null default '';
alter table staff add column left_at timestamptz;
alter table staff add column updated_at timestamptz;
alter table staff drop constraint staff_role_check;
alter table staff add constraint staff_role_check
    check (role in ('guide', 'store_manager', 'region_manager', 'headquarters'));
alter table staff add constraint staff_region_id_fkey
    foreign key (merchant_id, region_id) references regions (merchant_id, id);

comment on column staff.region_id is 'the region that the employee is responsible for; null: for none';
comment on column staff.wecom_userid is 'the userid in the merchant''s WeCom corp; empty: none';
comment on column staff.left_at is 'when the employee left; null: works here';
comment on column staff.updated_at is 'when the employee was last changed here; null: never';

create unique index staff_wecom_userid_key on staff (merchant_id, wecom_userid)
    where wecom_userid <> '' and left_at is null;
create index staff_store_id_idx on staff (merchant_id, store_id);

create table staff_stores (
    merchant_id uuid not null,
    staff_id uuid not null,
    store_id uuid not null,
    constraint staff_stores_pkey primary key (merchant_id, staff_id, store_id),
    constraint staff_stores_staff_id_fkey foreign key (merchant_id, staff_id) references staff (merchant_id, id),
    constraint staff_stores_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id)
);

comment on table staff_stores is 'the stores that employees work in besides their first one';
comment on column staff_stores.merchant_id is 'the tenant';
comment on column staff_stores.staff_id is 'the employee';
comment on column staff_stores.store_id is 'the store';

create index staff_stores_store_id_idx on staff_stores (merchant_id, store_id);

select siyu_tenant_table('regions');
select siyu_tenant_table('staff_stores');
