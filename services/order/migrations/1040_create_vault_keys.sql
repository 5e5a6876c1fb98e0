create table vault_keys (
    merchant_id uuid not null,
    number integer not null,
    wrapped_by text not null,
    wrapped bytea not null,
    created_at timestamptz not null,
    constraint vault_keys_pkey primary key (merchant_id, number),
    constraint vault_keys_number_check check (number >= 1)
);

comment on table vault_keys is 'the keys that a merchant''s secrets with payment companies are sealed with, each sealed by a key that stands in no database';
comment on column vault_keys.merchant_id is 'the tenant';
comment on column vault_keys.number is 'the number that sealed values name; the highest seals, all open';
comment on column vault_keys.wrapped_by is 'the id of the configured key that seals it';
comment on column vault_keys.wrapped is 'the sealed key';
comment on column vault_keys.created_at is 'when it was drawn';

select siyu_tenant_table('vault_keys');
