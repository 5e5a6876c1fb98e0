create table persons (
    merchant_id uuid not null,
    id uuid not null,
    growth bigint not null,
    tier integer not null,
    created_at timestamptz not null,
    constraint persons_pkey primary key (merchant_id, id),
    constraint persons_growth_check check (growth >= 0),
    constraint persons_tier_check check (tier >= 1)
);

comment on table persons is 'human beings as a merchant knows them';
comment on column persons.merchant_id is 'the tenant';
comment on column persons.id is 'the person';
comment on column persons.growth is 'the growth value: the balance of the growth account, kept here to be searched';
comment on column persons.tier is 'the tier that the growth reaches, 1 the lowest';
comment on column persons.created_at is 'when the person was first seen';

create index persons_growth_idx on persons (merchant_id, growth);

create table identities (
    merchant_id uuid not null,
    kind text not null,
    scope text not null,
    value text not null,
    person_id uuid not null,
    created_at timestamptz not null,
    constraint identities_pkey primary key (merchant_id, kind, scope, value),
    constraint identities_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint identities_kind_check
        check (kind in ('unionid', 'external_userid', 'phone', 'email', 'platform_buyer', 'openid'))
);

comment on table identities is 'strong keys: each belongs to one person';
comment on column identities.merchant_id is 'the tenant';
comment on column identities.kind is 'what kind of key it is';
comment on column identities.scope is 'where the value is unique; empty for phone and email';
comment on column identities.value is 'the key';
comment on column identities.person_id is 'who holds it';
comment on column identities.created_at is 'when it was first seen';

create index identities_person_id_idx on identities (merchant_id, person_id);

create table connections (
    merchant_id uuid not null,
    person_id uuid not null,
    channel text not null,
    account_id text not null,
    state text not null,
    state_at timestamptz not null,
    source text not null,
    created_at timestamptz not null,
    constraint connections_pkey primary key (merchant_id, person_id, channel, account_id),
    constraint connections_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint connections_state_check check (state in ('connected', 'disconnected'))
);

comment on table connections is 'edges between persons and the merchant''s channel accounts';
comment on column connections.merchant_id is 'the tenant';
comment on column connections.person_id is 'the person';
comment on column connections.channel is 'the channel';
comment on column connections.account_id is 'the merchant''s account on it';
comment on column connections.state is 'whether the person can be reached over it';
comment on column connections.state_at is 'since when';
comment on column connections.source is 'where the edge came from';
comment on column connections.created_at is 'when it was first seen';

select siyu_tenant_table('persons');
select siyu_tenant_table('identities');
select siyu_tenant_table('connections');
