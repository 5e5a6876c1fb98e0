alter table group_seats add column due_at timestamptz;

comment on column group_seats.due_at is 'before this instant the job does not look at it again; null: it never was put off';

drop index group_seats_due_idx;
create index group_seats_due_idx on group_seats (due_at nulls first, merchant_id, order_id)
    where state in ('forming', 'refunding');
