alter table persons
    add column merged_into uuid,
    add constraint persons_merged_into_fkey foreign key (merchant_id, merged_into) references persons (merchant_id, id),
    add constraint persons_merged_into_check check (merged_into <> id);

comment on column persons.merged_into is
    'whom this id is an alias of, never an alias itself: chains of merges are kept short here; null for a person of its own';

-- Partial: hardly anybody is an alias.
create index persons_merged_into_idx on persons (merchant_id, merged_into) where merged_into is not null;

create table person_merges (
    merchant_id uuid not null,
    id uuid not null,
    survivor_id uuid not null,
    loser_id uuid not null,
    reason text not null,
    note text not null,
    keys bytea not null,
    merged_at timestamptz not null,
    unmerged_at timestamptz,
    unmerge_note text not null default '',
    constraint person_merges_pkey primary key (merchant_id, id),
    constraint person_merges_survivor_id_fkey foreign key (merchant_id, survivor_id) references persons (merchant_id, id),
    constraint person_merges_loser_id_fkey foreign key (merchant_id, loser_id) references persons (merchant_id, id),
    constraint person_merges_persons_check check (survivor_id <> loser_id),
    constraint person_merges_reason_check check (reason in ('keys', 'review', 'manual'))
);

-- A person loses its own life once, until that is undone.
create unique index person_merges_loser_id_key on person_merges (merchant_id, loser_id) where unmerged_at is null;
create index person_merges_survivor_id_idx on person_merges (merchant_id, survivor_id, id);

comment on table person_merges is 'which persons turned out to be one, and which of that was undone';
comment on column person_merges.merchant_id is 'the tenant';
comment on column person_merges.id is 'the merge';
comment on column person_merges.survivor_id is 'who stayed: the person that was there first';
comment on column person_merges.loser_id is 'whose id became an alias';
comment on column person_merges.reason is 'keys: strong keys came together; review: decided after a conflict; manual: by an operator';
comment on column person_merges.note is 'what the operator said; empty for keys';
comment on column person_merges.keys is 'the keys that brought them together, an encoded siyu.member.v1.IdentitySet, masked: shown, never searched';
comment on column person_merges.merged_at is 'when';
comment on column person_merges.unmerged_at is 'when it was undone; null while it is in force';
comment on column person_merges.unmerge_note is 'what the operator said about that';

alter table identities add column origin_person_id uuid;
comment on column identities.origin_person_id is 'who held the key before a merge; null: nobody else';
alter table order_earnings add column origin_person_id uuid;
comment on column order_earnings.origin_person_id is 'who had earned it before a merge; null: nobody else';
create index order_earnings_person_id_idx on order_earnings (merchant_id, person_id);
alter table connections add column origin_person_id uuid;
comment on column connections.origin_person_id is 'whose edge it was before a merge; null: nobody else''s';

create table connection_relics (
    merchant_id uuid not null,
    merge_id uuid not null,
    channel text not null,
    account_id text not null,
    state text not null,
    state_at timestamptz not null,
    source text not null,
    constraint connection_relics_pkey primary key (merchant_id, merge_id, channel, account_id)
);

comment on table connection_relics is 'what a merge overwrote: the survivor''s edge, where the loser had a later one to the same account';
comment on column connection_relics.merchant_id is 'the tenant';
comment on column connection_relics.merge_id is 'the merge';
comment on column connection_relics.channel is 'the channel';
comment on column connection_relics.account_id is 'the merchant''s account on it';
comment on column connection_relics.state is 'the state of the survivor''s edge before';
comment on column connection_relics.state_at is 'since when';
comment on column connection_relics.source is 'where it came from';

select siyu_tenant_table('person_merges');
select siyu_tenant_table('connection_relics');
