-- What this service has handled of the facts of others.

create table event_cursors (
    consumer    text not null,
    source      text not null,
    position    bigint not null default 0,
    event_id    uuid,
    occurred_at timestamptz,
    moved_at    timestamptz not null default now(),
    constraint event_cursors_pkey primary key (consumer, source),
    constraint event_cursors_position_check check (position >= 0)
);
comment on table event_cursors is 'How far each consumer has come; moved in the transaction of the effects';
comment on column event_cursors.consumer is 'Who handles the events';
comment on column event_cursors.source is 'Whose events';
comment on column event_cursors.position is 'The last position that is done; everything at or below it is a duplicate';
comment on column event_cursors.event_id is 'The event at that position: tells a log that was restored from a backup';
comment on column event_cursors.occurred_at is 'When that event became true: where to start in a broker';
comment on column event_cursors.moved_at is 'When the cursor moved last';

select siyu_system_table('event_cursors');
revoke insert, update, delete on event_cursors from siyu_app;

create table event_parked (
    merchant_id uuid not null,
    consumer    text not null,
    source      text not null,
    position    bigint not null,
    event_id    uuid not null,
    type        text not null,
    subject     text not null,
    event       bytea not null,
    behind      bigint,
    attempts    integer not null,
    error       text not null,
    parked_at   timestamptz not null default now(),
    constraint event_parked_pkey primary key (merchant_id, consumer, source, position),
    constraint event_parked_attempts_check check (attempts >= 0)
);
comment on table event_parked is 'Events that could not be handled, and those that wait behind them, until they are replayed';
comment on column event_parked.merchant_id is 'The merchant the event belongs to';
comment on column event_parked.consumer is 'Who could not handle it';
comment on column event_parked.source is 'Who told it';
comment on column event_parked.position is 'Its position in the source''s log';
comment on column event_parked.event_id is 'Id of the event';
comment on column event_parked.type is 'Full name of its message';
comment on column event_parked.subject is 'The aggregate it is about; later events of it wait here too';
comment on column event_parked.event is 'The event as siyu.event.v1.Event';
comment on column event_parked.behind is 'The position of the event it waits behind; null if it failed itself';
comment on column event_parked.attempts is 'How often it was tried';
comment on column event_parked.error is 'What it failed with last; empty if it waits behind another';
comment on column event_parked.parked_at is 'When it was parked';

create index event_parked_order_idx on event_parked (consumer, source, position);
create index event_parked_subject_idx on event_parked (consumer, source, subject);

select siyu_tenant_table('event_parked');
revoke insert, update, delete on event_parked from siyu_app;
