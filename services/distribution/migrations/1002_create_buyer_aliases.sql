create table buyer_aliases (
    merchant_id uuid not null,
    person_id uuid not null,
    merged_into uuid not null,
    constraint buyer_aliases_pkey primary key (merchant_id, person_id),
    constraint buyer_aliases_merged_into_check check (merged_into <> person_id)
);

-- Partial, with a predicate that always holds: a look-up by the primary key does not take it by mistake.
create index buyer_aliases_merged_into_idx on buyer_aliases (merchant_id, merged_into) where merged_into is not null;

comment on table buyer_aliases is 'persons who turned out to be others, as the member service told';
comment on column buyer_aliases.merchant_id is 'the tenant';
comment on column buyer_aliases.person_id is 'the id that is an alias';
comment on column buyer_aliases.merged_into is 'whom it leads to, never an alias itself';

alter table bindings add column origin_person_id uuid, add column ended_by_merge_id uuid;
comment on column bindings.origin_person_id is 'the customer before a merge of persons; null: nobody else';
comment on column bindings.ended_by_merge_id is 'the merge of persons that ended it, because the other one had an earlier binding';

alter table promoters add column origin_person_id uuid;
comment on column promoters.origin_person_id is 'the person before a merge; null: nobody else';

create index bindings_ended_by_merge_id_idx on bindings (merchant_id, ended_by_merge_id) where ended_by_merge_id is not null;

select siyu_tenant_table('buyer_aliases');
