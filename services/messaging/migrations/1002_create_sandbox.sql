create table sandbox_messages (
    merchant_id uuid not null,
    message_id uuid not null,
    submitted_at timestamptz not null,
    reported boolean not null,
    constraint sandbox_messages_pkey primary key (merchant_id, message_id)
);

comment on table sandbox_messages is 'what the sandbox was handed: its memory, which no other channel has here';
comment on column sandbox_messages.merchant_id is 'the tenant';
comment on column sandbox_messages.message_id is 'the message';
comment on column sandbox_messages.submitted_at is 'when it was handed over first';
comment on column sandbox_messages.reported is 'everything was said of it';

create index sandbox_messages_open_idx on sandbox_messages (submitted_at, merchant_id, message_id) where not reported;

select siyu_tenant_table('sandbox_messages');
