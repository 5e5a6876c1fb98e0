create table reveals (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    revealed_by text not null,
    fields text[] not null,
    reason bytea not null,
    revealed_at timestamptz not null,
    constraint reveals_pkey primary key (merchant_id, id),
    constraint reveals_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id)
);

create index reveals_person_id_idx on reveals (merchant_id, person_id, id);

comment on table reveals is 'who saw personal data in clear: rows are added, never changed';
comment on column reveals.merchant_id is 'the tenant';
comment on column reveals.id is 'the reveal';
comment on column reveals.person_id is 'whose data: the person as it was called then, who may be an alias now';
comment on column reveals.revealed_by is 'the credential that asked';
comment on column reveals.fields is 'which fields';
comment on column reveals.reason is 'why, sealed by the vault';
comment on column reveals.revealed_at is 'when';

select siyu_tenant_table('reveals');
