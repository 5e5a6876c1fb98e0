create table tokens (
    merchant_id uuid not null,
    id uuid not null,
    name text not null,
    scopes text[] not null,
    digest bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint tokens_pkey primary key (merchant_id, id),
    constraint tokens_digest_check check (octet_length(digest) = 32),
    constraint tokens_scopes_check check (cardinality(scopes) > 0)
);

comment on table tokens is 'credentials with which callers come in from outside; who holds the secret is the merchant';
comment on column tokens.merchant_id is 'whose credential it is';
comment on column tokens.id is 'UUIDv7: sorts by the time of making';
comment on column tokens.name is 'for people';
comment on column tokens.scopes is 'what it allows: "orders.read", "orders.*", "*"';
comment on column tokens.digest is 'sha-256 of the secret, which is stored nowhere';
comment on column tokens.created_at is 'when it was made';
comment on column tokens.expires_at is 'when it ends by itself; null: never';
comment on column tokens.revoked_at is 'when it was revoked; null: it was not';

-- The merchant is what the look-up finds out, so it cannot lead this index. Two secrets of 256 random bits are never equal.
create index tokens_digest_idx on tokens (digest);

select siyu_tenant_table('tokens');
