alter table identities add column verified_at timestamptz;
comment on column identities.verified_at is
    'phone and e-mail: when it was last verified that the person holds it; null: not known when';

create table released_identities (
    merchant_id uuid not null,
    id uuid not null,
    kind text not null,
    scope text not null,
    value text not null,
    person_id uuid not null,
    taken_by_person_id uuid,
    note text not null,
    released_at timestamptz not null,
    constraint released_identities_pkey primary key (merchant_id, id),
    constraint released_identities_person_id_fkey foreign key (merchant_id, person_id)
        references persons (merchant_id, id)
);

create index released_identities_person_id_idx on released_identities (merchant_id, person_id);

comment on table released_identities is 'keys that a person held once: append-only';
comment on column released_identities.merchant_id is 'the tenant';
comment on column released_identities.id is 'the release';
comment on column released_identities.kind is 'what kind of key it is';
comment on column released_identities.scope is 'where the value is unique';
comment on column released_identities.value is 'the key';
comment on column released_identities.person_id is 'who held it';
comment on column released_identities.taken_by_person_id is 'who has it since: a newer verification; null: an operator released it';
comment on column released_identities.note is 'what the operator said; empty otherwise';
comment on column released_identities.released_at is 'when';

create table merge_reviews (
    merchant_id uuid not null,
    id uuid not null,
    person_ids uuid[] not null,
    keys bytea not null,
    state text not null,
    note text not null default '',
    created_at timestamptz not null,
    decided_at timestamptz,
    constraint merge_reviews_pkey primary key (merchant_id, id),
    constraint merge_reviews_person_ids_key unique (merchant_id, person_ids),
    constraint merge_reviews_state_check check (state in ('open', 'merged', 'kept_apart')),
    constraint merge_reviews_decided_at_check check ((state = 'open') = (decided_at is null))
);

comment on table merge_reviews is 'conflicts: keys that came together and contradict each other, once for the same persons';
comment on column merge_reviews.merchant_id is 'the tenant';
comment on column merge_reviews.id is 'the review';
comment on column merge_reviews.person_ids is 'the persons that the keys belong to, in the order of their ids';
comment on column merge_reviews.keys is 'the keys that came together, an encoded siyu.member.v1.IdentitySet, masked: shown, never searched';
comment on column merge_reviews.state is 'what became of it';
comment on column merge_reviews.note is 'what who decided said';
comment on column merge_reviews.created_at is 'when it came up';
comment on column merge_reviews.decided_at is 'when it was decided; null while it is open';

create table persons_apart (
    merchant_id uuid not null,
    person_id uuid not null,
    other_person_id uuid not null,
    created_at timestamptz not null,
    constraint persons_apart_pkey primary key (merchant_id, person_id, other_person_id),
    constraint persons_apart_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint persons_apart_other_person_id_fkey foreign key (merchant_id, other_person_id)
        references persons (merchant_id, id)
);

comment on table persons_apart is 'persons of whom somebody said that they are not one: keys do not merge them; in both directions';
comment on column persons_apart.merchant_id is 'the tenant';
comment on column persons_apart.person_id is 'the one';
comment on column persons_apart.other_person_id is 'the other';
comment on column persons_apart.created_at is 'since when';

select siyu_tenant_table('released_identities');
select siyu_tenant_table('merge_reviews');
select siyu_tenant_table('persons_apart');
