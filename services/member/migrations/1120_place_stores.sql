-- Orders are routed to stores that are near; where a store stands is not known of those that are there.
alter table stores add column latitude_e6 integer;
alter table stores add column longitude_e6 integer;
alter table stores add constraint stores_latitude_e6_check check (latitude_e6 between -90000000 and 90000000);
alter table stores add constraint stores_longitude_e6_check check (longitude_e6 between -180000000 and 180000000);
alter table stores add constraint stores_point_check check ((latitude_e6 is null) = (longitude_e6 is null));

comment on column stores.latitude_e6 is 'how far north it stands, WGS-84, in millionths of a degree; null: not known';
comment on column stores.longitude_e6 is 'how far east it stands, WGS-84, in millionths of a degree; null: not known';
