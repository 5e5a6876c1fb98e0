create table day_cells (
    merchant_id uuid not null,
    scope smallint not null,
    day integer not null,
    version bigint not null,
    cell bytea not null,
    constraint day_cells_pkey primary key (merchant_id, scope, day)
);

comment on table day_cells is 'who bought how much on a day: equal facts give equal bytes';
comment on column day_cells.merchant_id is 'the tenant';
comment on column day_cells.scope is '1 the whole domain, 2 the private domain';
comment on column day_cells.day is 'the day';
comment on column day_cells.version is 'the fold that wrote it';
comment on column day_cells.cell is 'an encoded day cell; empty when the day has no order any more';

create index day_cells_version_idx on day_cells (merchant_id, version);

create table day_indexes (
    merchant_id uuid not null,
    scope smallint not null,
    kind smallint not null,
    key integer not null,
    version bigint not null,
    persons bytea not null,
    constraint day_indexes_pkey primary key (merchant_id, scope, kind, key),
    constraint day_indexes_kind_check check (kind between 1 and 4)
);

comment on table day_indexes is 'persons by what follows from their purchase days';
comment on column day_indexes.merchant_id is 'the tenant';
comment on column day_indexes.scope is '1 the whole domain, 2 the private domain';
comment on column day_indexes.kind is '1 first purchase day, 2 second, 3 days between the two, 4 back after more than 365 days';
comment on column day_indexes.key is 'the day; for kind 3 the number of days';
comment on column day_indexes.version is 'the fold that wrote it';
comment on column day_indexes.persons is 'a serialised roaring bitmap; empty when nobody is in it any more';

create index day_indexes_version_idx on day_indexes (merchant_id, version);

select siyu_tenant_table('day_cells');
select siyu_tenant_table('day_indexes');
