alter table assignment_lines add column returned bigint not null default 0;
alter table assignment_lines add constraint assignment_lines_returned_check check (returned >= 0);

comment on column assignment_lines.returned is 'pieces that were sent and came back: they do not belong to the part any more';
