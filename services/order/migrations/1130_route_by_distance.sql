-- Stores are compared by how far they are from where the goods go, and have their time to answer from when they open.
alter table checkouts add column latitude_e6 integer;
alter table checkouts add column longitude_e6 integer;
alter table checkouts add constraint checkouts_latitude_e6_check check (latitude_e6 between -90000000 and 90000000);
alter table checkouts add constraint checkouts_longitude_e6_check check (longitude_e6 between -180000000 and 180000000);
alter table checkouts add constraint checkouts_point_check check ((latitude_e6 is null) = (longitude_e6 is null));

comment on column checkouts.latitude_e6 is
    'how far north the goods go, WGS-84, in millionths of a degree; null: not known, or forgotten with the buyer''s data';
comment on column checkouts.longitude_e6 is 'how far east the goods go, in millionths of a degree; null with the latitude';

alter table assignments add column opens timestamptz[] not null default '{}';

comment on column assignments.opens is
    'when each of the candidates opens: its time to answer begins then; of another length than theirs: they were open at once';
