create table attributes (
    merchant_id uuid not null,
    id uuid not null,
    code text not null,
    name text not null,
    kind text not null,
    choices text[] not null,
    created_at timestamptz not null,
    constraint attributes_pkey primary key (merchant_id, id),
    constraint attributes_code_key unique (merchant_id, code),
    constraint attributes_kind_check check (kind in ('text', 'number', 'flag', 'day', 'choice')),
    constraint attributes_choices_check check ((kind = 'choice') = (cardinality(choices) > 0))
);

comment on table attributes is 'what a merchant wants to know of persons besides';
comment on column attributes.merchant_id is 'the tenant';
comment on column attributes.id is 'the attribute';
comment on column attributes.code is 'the merchant''s own key';
comment on column attributes.name is 'the name';
comment on column attributes.kind is 'what the values are';
comment on column attributes.choices is 'the values of a choice; empty for other kinds';
comment on column attributes.created_at is 'when it was defined';

create table person_attributes (
    merchant_id uuid not null,
    person_id uuid not null,
    attribute_id uuid not null,
    text_value text,
    number_value bigint,
    set_at timestamptz not null,
    constraint person_attributes_pkey primary key (merchant_id, person_id, attribute_id),
    constraint person_attributes_attribute_id_fkey
        foreign key (merchant_id, attribute_id) references attributes (merchant_id, id),
    constraint person_attributes_value_check check (num_nonnulls(text_value, number_value) = 1)
);

comment on table person_attributes is 'the values of attributes of persons; without a row the value is not known';
comment on column person_attributes.merchant_id is 'the tenant';
comment on column person_attributes.person_id is 'whose';
comment on column person_attributes.attribute_id is 'which attribute';
comment on column person_attributes.text_value is 'the value of a text or a choice; null for others';
comment on column person_attributes.number_value is
    'the value of a number, 1 or 0 for a flag, the days since 1970-01-01 for a day; null for others';
comment on column person_attributes.set_at is 'when it was set';

create index person_attributes_text_value_idx
    on person_attributes (merchant_id, attribute_id, text_value) include (person_id) where text_value is not null;
create index person_attributes_number_value_idx
    on person_attributes (merchant_id, attribute_id, number_value) include (person_id) where number_value is not null;

create table person_attribute_relics (
    merchant_id uuid not null,
    merge_id uuid not null,
    person_id uuid not null,
    attribute_id uuid not null,
    text_value text,
    number_value bigint,
    set_at timestamptz not null,
    constraint person_attribute_relics_pkey primary key (merchant_id, merge_id, person_id, attribute_id)
);

comment on table person_attribute_relics is 'which values two persons had when they were merged: they have them again when that is undone';
comment on column person_attribute_relics.merchant_id is 'the tenant';
comment on column person_attribute_relics.merge_id is 'the merge';
comment on column person_attribute_relics.person_id is 'who of the two';
comment on column person_attribute_relics.attribute_id is 'which attribute';
comment on column person_attribute_relics.text_value is 'as in person_attributes';
comment on column person_attribute_relics.number_value is 'as in person_attributes';
comment on column person_attribute_relics.set_at is 'when it was set';

select siyu_tenant_table('attributes');
select siyu_tenant_table('person_attributes');
select siyu_tenant_table('person_attribute_relics');
