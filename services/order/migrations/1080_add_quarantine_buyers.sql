alter table quarantined_orders add column person_id uuid;
comment on column quarantined_orders.person_id is
    'who was behind the buyer''s id when it came; null: put aside by a version that did not ask';

create index quarantined_orders_person_id_idx on quarantined_orders (merchant_id, person_id) where person_id is not null;

create table erased_buyers (
    merchant_id uuid not null,
    person_id uuid not null,
    erased_at timestamptz not null,
    constraint erased_buyers_pkey primary key (merchant_id, person_id)
);

comment on table erased_buyers is 'persons whose personal data were erased, as the member service told';
comment on column erased_buyers.merchant_id is 'the tenant';
comment on column erased_buyers.person_id is 'the person, or an id that it had before a merge';
comment on column erased_buyers.erased_at is 'when';

select siyu_tenant_table('erased_buyers');
