create table merchants (
    merchant_id uuid not null,
    zone text,
    currency text,
    facts_version bigint not null,
    facts_at timestamptz,
    folded_version bigint not null,
    persons integer not null,
    constraint merchants_pkey primary key (merchant_id),
    constraint merchants_persons_check check (persons >= 0)
);

comment on table merchants is 'what is known of a merchant, and how far its figures are';
comment on column merchants.merchant_id is 'the tenant';
comment on column merchants.zone is 'the IANA zone in which its days are cut; null until the member service told it';
comment on column merchants.currency is 'ISO 4217, of its figures; null until the member service told it';
comment on column merchants.facts_version is 'counts the batches of facts that were taken in';
comment on column merchants.facts_at is 'when the newest fact was taken in';
comment on column merchants.folded_version is 'counts the folds of changed days into aggregates';
comment on column merchants.persons is 'how many persons have a number: numbers are dealt from 0 without holes';

create table stores (
    merchant_id uuid not null,
    store_id uuid not null,
    zone text not null,
    hours bytea not null,
    constraint stores_pkey primary key (merchant_id, store_id)
);

comment on table stores is 'when stores are open: a copy of what the member service tells';
comment on column stores.merchant_id is 'the tenant';
comment on column stores.store_id is 'the store, of the member service';
comment on column stores.zone is 'the IANA zone of its clock';
comment on column stores.hours is 'an encoded siyu.member.v1.OpeningHours';

create table persons (
    merchant_id uuid not null,
    person_id uuid not null,
    number integer not null,
    constraint persons_pkey primary key (merchant_id, person_id),
    constraint persons_number_key unique (merchant_id, number)
);

comment on table persons is 'the dense number of each person, by which bitmaps count';
comment on column persons.merchant_id is 'the tenant';
comment on column persons.person_id is 'the person, of the member service';
comment on column persons.number is 'the number, from 0';

create table order_facts (
    merchant_id uuid not null,
    order_id uuid not null,
    revision bigint not null,
    counts boolean not null,
    person integer not null,
    day integer not null,
    paid_at timestamptz not null,
    amount_minor bigint not null,
    units bigint not null,
    domain text not null,
    store_id uuid,
    categories text[] not null,
    constraint order_facts_pkey primary key (merchant_id, order_id),
    constraint order_facts_domain_check check (domain in ('private', 'public', 'pos'))
);

comment on table order_facts is 'orders that were paid, as of their latest revision; every aggregate can be computed from them';
comment on column order_facts.merchant_id is 'the tenant';
comment on column order_facts.order_id is 'the order, of the order service';
comment on column order_facts.revision is 'the revision of the order';
comment on column order_facts.counts is 'the order is a sale: not cancelled, not wholly refunded';
comment on column order_facts.person is 'the number of the buyer';
comment on column order_facts.day is 'the merchant''s calendar day of payment, in days since 1970-01-01';
comment on column order_facts.paid_at is 'when it was paid';
comment on column order_facts.amount_minor is 'what the buyer paid, in minor units';
comment on column order_facts.units is 'pieces';
comment on column order_facts.domain is 'who owns the traffic that it came from';
comment on column order_facts.store_id is 'the store';
comment on column order_facts.categories is 'the distinct top-level categories of its lines, sorted; none empty';

create index order_facts_day_idx on order_facts (merchant_id, day);
create index order_facts_store_id_idx on order_facts (merchant_id, store_id, day) where store_id is not null;

create table dirty_days (
    merchant_id uuid not null,
    day integer not null,
    constraint dirty_days_pkey primary key (merchant_id, day)
);

comment on table dirty_days is 'days whose facts changed since they were folded';
comment on column dirty_days.merchant_id is 'the tenant';
comment on column dirty_days.day is 'the day';

select siyu_tenant_table('merchants');
select siyu_tenant_table('stores');
select siyu_tenant_table('persons');
select siyu_tenant_table('order_facts');
select siyu_tenant_table('dirty_days');
