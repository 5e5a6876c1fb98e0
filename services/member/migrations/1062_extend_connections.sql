alter table connections add column reason text not null default '';
alter table connections add constraint connections_reason_check
    check (reason in ('', 'left', 'removed', 'blocked', 'handed_over', 'unreachable') and (reason = '' or state = 'disconnected'));
alter table connection_relics add column reason text not null default '';

comment on column connections.reason is 'why it ended; empty: not told, or it has not';
comment on column connection_relics.reason is 'why it had ended; empty: not told, or it had not';

create index connections_account_id_idx on connections (merchant_id, channel, account_id, person_id);

create table touches (
    merchant_id uuid not null,
    person_id uuid not null,
    kind text not null,
    last_at timestamptz not null,
    previous_at timestamptz,
    constraint touches_pkey primary key (merchant_id, person_id, kind),
    constraint touches_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint touches_kind_check check (kind in ('live', 'content', 'content_group')),
    constraint touches_previous_at_check check (previous_at < last_at)
);

comment on table touches is 'when persons last showed interest in what the merchant shows: the latest two of each kind';
comment on column touches.merchant_id is 'the tenant';
comment on column touches.person_id is 'the person';
comment on column touches.kind is 'live: watched for a minute; content: opened or clicked; content_group: joined a group by a code';
comment on column touches.last_at is 'when it last happened';
comment on column touches.previous_at is 'when it happened before; null: it has happened once';

select siyu_tenant_table('touches');
