create table consent_records (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    origin_person_id uuid,
    purpose text not null,
    channel text not null,
    status text not null,
    text_version text not null,
    decided_at timestamptz not null,
    evidence bytea,
    source text not null,
    recorded_by text not null,
    recorded_at timestamptz not null,
    constraint consent_records_pkey primary key (merchant_id, id),
    constraint consent_records_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint consent_records_decision_key unique (merchant_id, person_id, purpose, channel, decided_at, status),
    constraint consent_records_status_check check (status in ('granted', 'withdrawn'))
);

comment on table consent_records is 'every decision about the use of personal data, as proof: rows are added, never changed';
comment on column consent_records.merchant_id is 'the tenant';
comment on column consent_records.id is 'the record';
comment on column consent_records.person_id is 'who decided';
comment on column consent_records.origin_person_id is 'as whom, before a merge; null: the same person';
comment on column consent_records.purpose is 'what for';
comment on column consent_records.channel is 'the channel; empty: none for a grant, all for a withdrawal';
comment on column consent_records.status is 'what was decided';
comment on column consent_records.text_version is 'which text the person saw';
comment on column consent_records.decided_at is 'when';
comment on column consent_records.evidence is 'what proves it, sealed by the vault; null: nothing, or erased';
comment on column consent_records.source is 'where it came from';
comment on column consent_records.recorded_by is 'the credential that recorded it';
comment on column consent_records.recorded_at is 'when it was recorded here';

create table consents (
    merchant_id uuid not null,
    person_id uuid not null,
    purpose text not null,
    channel text not null,
    status text not null,
    text_version text not null,
    decided_at timestamptz not null,
    constraint consents_pkey primary key (merchant_id, person_id, purpose, channel),
    constraint consents_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint consents_status_check check (status in ('granted', 'withdrawn'))
);

comment on table consents is 'the latest decision per person, purpose and channel: follows from consent_records';
comment on column consents.merchant_id is 'the tenant';
comment on column consents.person_id is 'who decided';
comment on column consents.purpose is 'what for';
comment on column consents.channel is 'the channel; empty: none for a grant, all for a withdrawal';
comment on column consents.status is 'what is in force';
comment on column consents.text_version is 'which text the person saw';
comment on column consents.decided_at is 'when it was decided';

select siyu_tenant_table('consent_records');
select siyu_tenant_table('consents');
