create table profiles (
    merchant_id uuid not null,
    person_id uuid not null,
    sealed bytea not null,
    folded uuid[] not null,
    gender text,
    birth_month smallint,
    province text,
    city text,
    language text,
    updated_at timestamptz not null,
    constraint profiles_pkey primary key (merchant_id, person_id),
    constraint profiles_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint profiles_gender_check check (gender in ('female', 'male', 'other')),
    constraint profiles_birth_month_check check (birth_month between 1 and 12)
);

comment on table profiles is 'what is known of persons besides keys; a merge moves nothing: gaps are filled from the rows of aliases';
comment on column profiles.merchant_id is 'the tenant';
comment on column profiles.person_id is 'the person that it was said of, who may be an alias now';
comment on column profiles.sealed is 'all of it, an encoded siyu.member.v1.Profile sealed by the vault';
comment on column profiles.folded is 'the aliases whose rows it holds already, because it was changed after they were merged';
comment on column profiles.gender is 'the gender, to be searched; null: not known';
comment on column profiles.birth_month is 'the month of the birthday, to be searched; null: not known';
comment on column profiles.province is 'the province, to be searched; null: not known';
comment on column profiles.city is 'the city, to be searched; null: not known';
comment on column profiles.language is 'the language, to be searched; null: not known';
comment on column profiles.updated_at is 'when it was last changed';

alter table persons add column erased_at timestamptz;
comment on column persons.erased_at is 'when what is personal was erased; null: it was not';

select siyu_tenant_table('profiles');
