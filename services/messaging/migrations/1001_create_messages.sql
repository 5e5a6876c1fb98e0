create table messages (
    merchant_id uuid not null,
    id uuid not null,
    campaign_id uuid not null,
    person_id uuid not null,
    channel text not null,
    state text not null,
    state_at timestamptz not null,
    failure text not null default '',
    attempt integer not null default 0,
    lease_until timestamptz,
    constraint messages_pkey primary key (merchant_id, id),
    constraint messages_person_id_key unique (merchant_id, campaign_id, person_id, channel),
    constraint messages_campaign_id_fkey foreign key (merchant_id, campaign_id) references campaigns (merchant_id, id),
    constraint messages_state_check check (
        state in ('queued', 'submitted', 'sent', 'delivered', 'read', 'clicked', 'failed', 'cancelled')),
    constraint messages_lease_until_check check (state = 'queued' or lease_until is null),
    constraint messages_failure_check check (state = 'failed' or failure = '')
);

comment on table messages is 'one row for each campaign, person and channel';
comment on column messages.merchant_id is 'the tenant';
comment on column messages.id is 'the message; providers know it by this id';
comment on column messages.campaign_id is 'the campaign';
comment on column messages.person_id is 'who gets it, of the member service';
comment on column messages.channel is 'how it is sent';
comment on column messages.state is 'how far it has come; only moves forward';
comment on column messages.state_at is 'since when';
comment on column messages.failure is 'why it failed';
comment on column messages.attempt is 'how often it was taken; fences a worker that is late';
comment on column messages.lease_until is 'until when a worker may be handing it over; null: none has tried';

create index messages_campaign_id_idx on messages (merchant_id, campaign_id, id);
create index messages_state_idx on messages (merchant_id, campaign_id, state, id);

create table receipts (
    merchant_id uuid not null,
    channel text not null,
    receipt_id text not null,
    message_id uuid not null,
    state text not null,
    occurred_at timestamptz not null,
    created_at timestamptz not null,
    constraint receipts_pkey primary key (merchant_id, channel, receipt_id),
    constraint receipts_message_id_fkey foreign key (merchant_id, message_id) references messages (merchant_id, id),
    constraint receipts_state_check check (state in ('sent', 'delivered', 'read', 'clicked', 'failed'))
);

comment on table receipts is 'what channels said of messages; each counts once';
comment on column receipts.merchant_id is 'the tenant';
comment on column receipts.channel is 'the channel of the message';
comment on column receipts.receipt_id is 'the channel''s own id';
comment on column receipts.message_id is 'the message';
comment on column receipts.state is 'what was reached';
comment on column receipts.occurred_at is 'when, as the channel says';
comment on column receipts.created_at is 'when it was stored here';

select siyu_tenant_table('messages');
select siyu_tenant_table('receipts');
