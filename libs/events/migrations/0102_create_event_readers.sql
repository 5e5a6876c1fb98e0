-- How far those who follow this log have come, as far as it knows: what may be pruned.

create table event_readers (
    reader      text not null,
    position    bigint not null,
    read_at     timestamptz not null default now(),
    constraint event_readers_pkey primary key (reader),
    constraint event_readers_position_check check (position >= 0)
);
comment on table event_readers is 'Services that follow this log, and after which position they asked last';
comment on column event_readers.reader is 'The service';
comment on column event_readers.position is 'After which position it asked; what is far enough below it was handled for good';
comment on column event_readers.read_at is 'When that was noted';

select siyu_system_table('event_readers');
revoke insert, update, delete on event_readers from siyu_app;
