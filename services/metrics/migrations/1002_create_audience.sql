create table connections (
    merchant_id uuid not null,
    person integer not null,
    channel text not null,
    account_id text not null,
    connected_at timestamptz not null,
    disconnected_at timestamptz,
    constraint connections_pkey primary key (merchant_id, person, channel, account_id, connected_at)
);

comment on table connections is 'times in which a person was connected to a channel account';
comment on column connections.merchant_id is 'the tenant';
comment on column connections.person is 'the number of the person';
comment on column connections.channel is 'the channel';
comment on column connections.account_id is 'the merchant''s account on it';
comment on column connections.connected_at is 'since when';
comment on column connections.disconnected_at is 'until when, exclusive; null while it holds';

create table messages (
    merchant_id uuid not null,
    message_id uuid not null,
    person integer not null,
    channel text not null,
    attempted_at timestamptz,
    delivered_at timestamptz,
    failed_at timestamptz,
    constraint messages_pkey primary key (merchant_id, message_id)
);

comment on table messages is 'whom the merchant tried to reach, and whether it did';
comment on column messages.merchant_id is 'the tenant';
comment on column messages.message_id is 'the message, of the messaging service';
comment on column messages.person is 'the number of the person';
comment on column messages.channel is 'the channel';
comment on column messages.attempted_at is 'when it was handed to the channel';
comment on column messages.delivered_at is 'when it was first known to have arrived';
comment on column messages.failed_at is 'when it failed for good';

create index messages_attempted_at_idx on messages (merchant_id, attempted_at);

create table referrals (
    merchant_id uuid not null,
    person integer not null,
    bound_at timestamptz not null,
    referrer integer not null,
    expires_at timestamptz,
    constraint referrals_pkey primary key (merchant_id, person, bound_at)
);

comment on table referrals is 'who brought whom, over time: a later binding of a person replaces an earlier one';
comment on column referrals.merchant_id is 'the tenant';
comment on column referrals.person is 'the number of who was brought';
comment on column referrals.bound_at is 'since when';
comment on column referrals.referrer is 'the number of the person who brought';
comment on column referrals.expires_at is 'when the binding ends by itself; null: never';

select siyu_tenant_table('connections');
select siyu_tenant_table('messages');
select siyu_tenant_table('referrals');
