create table relations (
    merchant_id uuid not null,
    person_id uuid not null,
    kind text not null,
    other_id uuid not null,
    since_at timestamptz not null,
    source text not null,
    merge_id uuid,
    constraint relations_pkey primary key (merchant_id, person_id, kind, other_id),
    constraint relations_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint relations_other_id_fkey foreign key (merchant_id, other_id) references persons (merchant_id, id),
    constraint relations_persons_check check (person_id <> other_id),
    constraint relations_kind_check check (kind in ('household', 'companion', 'invited_by', 'invited'))
);

comment on table relations is 'who belongs together: each relation stands twice, seen from either side';
comment on column relations.merchant_id is 'the tenant';
comment on column relations.person_id is 'the person';
comment on column relations.kind is 'what the other one is to the person';
comment on column relations.other_id is 'the other one';
comment on column relations.since_at is 'since when it is known';
comment on column relations.source is 'where it came from';
comment on column relations.merge_id is 'the merge that brought it from the one who became an alias; null: it was told';

create unique index relations_person_id_key on relations (merchant_id, person_id) where kind = 'invited_by';
create index relations_merge_id_idx on relations (merchant_id, merge_id) where merge_id is not null;
create index relations_other_id_idx on relations (merchant_id, other_id);

select siyu_tenant_table('relations');
