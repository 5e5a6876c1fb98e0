-- The facts of one service, in the order in which they became true.

create table event_log (
    -- Drawn when the row is written, so it has gaps and its rows become visible out of order; only the sequencer reads it.
    -- The sequence must not cache: a session that had drawn numbers ahead would break the order of one aggregate.
    event_seq   bigint generated always as identity (cache 1) not null,
    event_id    uuid not null,
    merchant_id uuid not null,
    type        text not null,
    subject     text not null,
    occurred_at timestamptz not null,
    trace_parent text not null default '',
    data        bytea not null,
    position    bigint,
    constraint event_log_pkey primary key (event_seq),
    constraint event_log_event_id_key unique (event_id),
    constraint event_log_position_check check (position > 0),
    constraint event_log_data_check check (octet_length(data) <= 262144)
);
comment on table event_log is 'Facts of this service; appended in the transaction of the change, never altered';
comment on column event_log.event_seq is 'Order of writing; per aggregate it is the order of the changes';
comment on column event_log.event_id is 'Id of the event; the same over every delivery';
comment on column event_log.merchant_id is 'The merchant the fact belongs to';
comment on column event_log.type is 'Full name of the protobuf message in data';
comment on column event_log.subject is 'The aggregate the fact is about, as a prefixed id';
comment on column event_log.occurred_at is 'When the fact became true';
comment on column event_log.trace_parent is 'W3C trace context of the request that caused it; empty if none';
comment on column event_log.data is 'The encoded message';
comment on column event_log.position is 'Place in the log: from 1, without gaps; null until the sequencer has stamped it';

create unique index event_log_position_key on event_log (position) where position is not null;
create index event_log_unstamped_idx on event_log (event_seq) where position is null;

-- Every row is updated once, soon after it was written: the index of unstamped rows must not gather dead entries.
alter table event_log set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

select siyu_tenant_table('event_log');
-- A request appends facts. It neither reads nor alters them; the jobs of the log do.
revoke select, update, delete on event_log from siyu_app;

create table event_heads (
    singleton   boolean not null default true,
    position    bigint not null default 0,
    constraint event_heads_pkey primary key (singleton),
    constraint event_heads_singleton_check check (singleton),
    constraint event_heads_position_check check (position >= 0)
);
comment on table event_heads is 'The highest position given so far: one row, which outlives the pruning of the log';
comment on column event_heads.singleton is 'Always true: there is one row';
comment on column event_heads.position is 'The highest position given so far';

insert into event_heads default values;

select siyu_system_table('event_heads');
revoke insert, update, delete on event_heads from siyu_app;
