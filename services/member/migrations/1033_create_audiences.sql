create table audiences (
    merchant_id uuid not null,
    id uuid not null,
    name text not null,
    description text not null,
    filter bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint audiences_pkey primary key (merchant_id, id),
    constraint audiences_name_key unique (merchant_id, name)
);

comment on table audiences is 'saved filters over persons';
comment on column audiences.merchant_id is 'the tenant';
comment on column audiences.id is 'the audience';
comment on column audiences.name is 'the name';
comment on column audiences.description is 'what it is for';
comment on column audiences.filter is 'whom it holds, an encoded siyu.member.v1.Filter: read whole, never searched';
comment on column audiences.created_at is 'when it was created';
comment on column audiences.updated_at is 'when it was last changed';

create table audience_snapshots (
    merchant_id uuid not null,
    id uuid not null,
    audience_id uuid not null,
    persons bigint not null,
    created_at timestamptz not null,
    constraint audience_snapshots_pkey primary key (merchant_id, id)
);

comment on table audience_snapshots is 'who was in audiences at single instants';
comment on column audience_snapshots.merchant_id is 'the tenant';
comment on column audience_snapshots.id is 'the snapshot';
comment on column audience_snapshots.audience_id is 'the audience; it may be deleted since';
comment on column audience_snapshots.persons is 'how many there were';
comment on column audience_snapshots.created_at is 'the instant';

create table audience_snapshot_pages (
    merchant_id uuid not null,
    snapshot_id uuid not null,
    page bigint not null,
    last_person_id uuid not null,
    person_ids uuid[] not null,
    constraint audience_snapshot_pages_pkey primary key (merchant_id, snapshot_id, page),
    constraint audience_snapshot_pages_last_person_id_key unique (merchant_id, snapshot_id, last_person_id)
);

comment on table audience_snapshot_pages is 'the persons of snapshots, some thousands in a row';
comment on column audience_snapshot_pages.merchant_id is 'the tenant';
comment on column audience_snapshot_pages.snapshot_id is 'the snapshot';
comment on column audience_snapshot_pages.page is 'the number of the page, from 0';
comment on column audience_snapshot_pages.last_person_id is 'the last person of the page';
comment on column audience_snapshot_pages.person_ids is 'the persons in the order of their ids';

select siyu_tenant_table('audiences');
select siyu_tenant_table('audience_snapshots');
select siyu_tenant_table('audience_snapshot_pages');
