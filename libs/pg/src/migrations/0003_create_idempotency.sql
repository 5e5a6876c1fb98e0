create table idempotency (
    merchant_id uuid not null,
    method text not null,
    request_id text not null,
    fingerprint bytea not null,
    reply bytea,
    created_at timestamptz not null default now(),
    constraint idempotency_pkey primary key (merchant_id, method, request_id),
    constraint idempotency_fingerprint_check check (octet_length(fingerprint) = 32)
);

comment on table idempotency is 'requests that had an effect, with their reply: a repeat gets the same reply and has none';
comment on column idempotency.merchant_id is 'whose request; the nil uuid for requests of the platform';
comment on column idempotency.method is 'the full name of the rpc: one request id may serve several methods';
comment on column idempotency.request_id is 'chosen by the caller';
comment on column idempotency.fingerprint is 'sha-256 of the request: the same id with another content is refused';
comment on column idempotency.reply is 'the encoded reply; null while the first request is under way';
comment on column idempotency.created_at is 'when; old rows are purged';

create index idempotency_created_at_idx on idempotency (created_at);

select siyu_tenant_table('idempotency');
