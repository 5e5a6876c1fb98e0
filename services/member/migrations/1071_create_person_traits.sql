alter table profiles add column birth_digest text;
comment on column profiles.birth_digest is
    'the keyed digest of month and day of the birthday; empty: none; null: written by a version that did not compute it';

create index profiles_birth_digest_idx on profiles (merchant_id, person_id) where birth_digest is null;

create table person_traits (
    merchant_id uuid not null,
    person_id uuid not null,
    gender text,
    birth_month smallint,
    birth_digest text,
    province text,
    city text,
    language text,
    constraint person_traits_pkey primary key (merchant_id, person_id)
);

comment on table person_traits is 'what profiles say of each person, with those of its aliases, to be searched by; follows from them';
comment on column person_traits.merchant_id is 'the tenant';
comment on column person_traits.person_id is 'the person, never an alias';
comment on column person_traits.gender is 'the gender; null: not known';
comment on column person_traits.birth_month is 'the month of the birthday; null: not known';
comment on column person_traits.birth_digest is 'the keyed digest of its month and day; null: not known';
comment on column person_traits.province is 'the province; null: not known';
comment on column person_traits.city is 'the city; null: not known';
comment on column person_traits.language is 'the language; null: not known';

create index person_traits_gender_idx on person_traits (merchant_id, gender, person_id) where gender is not null;
create index person_traits_birth_month_idx on person_traits (merchant_id, birth_month, person_id)
    where birth_month is not null;
create index person_traits_birth_digest_idx on person_traits (merchant_id, birth_digest, person_id)
    where birth_digest is not null;
create index person_traits_province_idx on person_traits (merchant_id, province, person_id) where province is not null;
create index person_traits_city_idx on person_traits (merchant_id, city, person_id) where city is not null;
create index person_traits_language_idx on person_traits (merchant_id, language, person_id) where language is not null;

-- An audience asks for a purpose and a channel of all persons.
create index consents_purpose_idx on consents (merchant_id, purpose, channel, status, person_id) include (decided_at);
create index cards_plan_id_idx on cards (merchant_id, plan_id, person_id) include (starts_at, ends_at)
    where state = 'active';

select siyu_tenant_table('person_traits');
