create table blacklist_entries (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid,
    origin_person_id uuid,
    key_kind text,
    key_scope text,
    key_value text,
    scope text not null,
    reason bytea,
    expires_at timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    deleted_at timestamptz,
    constraint blacklist_entries_pkey primary key (merchant_id, id),
    constraint blacklist_entries_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint blacklist_entries_target_check check ((person_id is null) <> (key_kind is null)),
    constraint blacklist_entries_key_check check (num_nulls(key_kind, key_scope, key_value) in (0, 3)),
    constraint blacklist_entries_scope_check check (scope in ('marketing', 'promotion', 'purchase', 'all'))
);

create index blacklist_entries_person_id_idx on blacklist_entries (merchant_id, person_id) where deleted_at is null;
create index blacklist_entries_key_idx on blacklist_entries (merchant_id, key_kind, key_scope, key_value)
    where deleted_at is null;

comment on table blacklist_entries is 'whom a merchant does not want to deal with';
comment on column blacklist_entries.merchant_id is 'the tenant';
comment on column blacklist_entries.id is 'the entry';
comment on column blacklist_entries.person_id is 'the person; null for an entry by key';
comment on column blacklist_entries.origin_person_id is 'who it was, before a merge; null: the same person';
comment on column blacklist_entries.key_kind is 'the kind of the key; null for an entry by person';
comment on column blacklist_entries.key_scope is 'where the key is unique';
comment on column blacklist_entries.key_value is 'the key; of a phone or an e-mail address, its keyed digest';
comment on column blacklist_entries.scope is 'out of what';
comment on column blacklist_entries.reason is 'why, sealed by the vault; null: erased';
comment on column blacklist_entries.expires_at is 'until when; null: until it is deleted';
comment on column blacklist_entries.created_by is 'the credential that made it';
comment on column blacklist_entries.created_at is 'when it was made';
comment on column blacklist_entries.deleted_at is 'when it was taken off the list; null: it is on it';

select siyu_tenant_table('blacklist_entries');
