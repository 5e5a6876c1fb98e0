create table person_aliases (
    merchant_id uuid not null,
    person_id uuid not null,
    merged_into uuid not null,
    constraint person_aliases_pkey primary key (merchant_id, person_id),
    constraint person_aliases_merged_into_check check (merged_into <> person_id)
);

-- Partial, with a predicate that always holds: a look-up by the primary key does not take it by mistake.
create index person_aliases_merged_into_idx on person_aliases (merchant_id, merged_into) where merged_into is not null;

comment on table person_aliases is 'persons who turned out to be others, as the member service told';
comment on column person_aliases.merchant_id is 'the tenant';
comment on column person_aliases.person_id is 'the id that is an alias';
comment on column person_aliases.merged_into is 'whom it leads to, never an alias itself';

alter table connections add column origin_person integer;
comment on column connections.origin_person is 'the number of whose it was before a merge; null: nobody else''s';
alter table messages add column origin_person integer;
comment on column messages.origin_person is 'the number of whom it was meant for before a merge; null: nobody else';
alter table referrals add column origin_person integer, add column origin_referrer integer;
comment on column referrals.origin_person is 'the number of who was brought before a merge; null: nobody else';
comment on column referrals.origin_referrer is 'the number of who brought before a merge; null: nobody else';

create index messages_person_idx on messages (merchant_id, person);
create index referrals_referrer_idx on referrals (merchant_id, referrer);

select siyu_tenant_table('person_aliases');
