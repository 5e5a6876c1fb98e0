create table identity_addresses (
    merchant_id uuid not null,
    kind text not null,
    value text not null,
    sealed bytea not null,
    created_at timestamptz not null,
    constraint identity_addresses_pkey primary key (merchant_id, kind, value),
    constraint identity_addresses_kind_check check (kind in ('phone', 'email'))
);

comment on table identity_addresses is 'phones and e-mail addresses that are keys, sealed: the key itself is a digest of them';
comment on column identity_addresses.merchant_id is 'the tenant';
comment on column identity_addresses.kind is 'what kind of key it is';
comment on column identity_addresses.value is 'the key: a keyed digest, the same as in identities';
comment on column identity_addresses.sealed is 'the address, sealed by the vault';
comment on column identity_addresses.created_at is 'when it was first seen';

select siyu_tenant_table('identity_addresses');

comment on column identities.value is 'the key; of a phone or an e-mail address, a keyed digest in hexadecimal';

-- Clear addresses of earlier versions, to be concealed at the start; empty ever after.
create index identities_clear_idx on identities (merchant_id) where kind in ('phone', 'email') and value ~ '[+@]';
