create table owners (
    merchant_id uuid not null,
    person_id uuid not null,
    span integer not null,
    staff_id uuid,
    store_id uuid,
    since_at timestamptz,
    source text,
    constraint owners_pkey primary key (merchant_id, person_id),
    constraint owners_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint owners_staff_id_fkey foreign key (merchant_id, staff_id) references staff (merchant_id, id),
    constraint owners_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id),
    constraint owners_span_check check (span >= 0),
    constraint owners_source_check
        check (source in ('manual', 'channel_code', 'round_robin', 'last_order', 'lapsed', 'handover', 'merge', 'unmerge')),
    constraint owners_staff_id_check
        check ((staff_id is null) = (since_at is null) and (staff_id is null) = (source is null))
);

comment on table owners is 'which employee a person belongs to: one row for a person, so never two; who changes it locks it';
comment on column owners.merchant_id is 'the tenant';
comment on column owners.person_id is 'the person';
comment on column owners.span is 'the number of the latest of the person''s spans; 0: there is none yet';
comment on column owners.staff_id is 'the employee; null: nobody';
comment on column owners.store_id is 'the store that the employee looks after the person in; null: in none';
comment on column owners.since_at is 'since when it holds';
comment on column owners.source is 'how it came about';

create index owners_staff_id_idx on owners (merchant_id, staff_id, person_id);
create index owners_store_id_idx on owners (merchant_id, store_id, person_id);

create table owner_spans (
    merchant_id uuid not null,
    person_id uuid not null,
    number integer not null,
    staff_id uuid not null,
    store_id uuid,
    since_at timestamptz not null,
    until_at timestamptz,
    source text not null,
    recorded_at timestamptz not null,
    ended_at timestamptz,
    constraint owner_spans_pkey primary key (merchant_id, person_id, number),
    constraint owner_spans_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint owner_spans_staff_id_fkey foreign key (merchant_id, staff_id) references staff (merchant_id, id),
    constraint owner_spans_until_at_check check (until_at >= since_at),
    constraint owner_spans_ended_at_check check ((until_at is null) = (ended_at is null))
);

comment on table owner_spans is 'whom persons belonged to and when: what held, and since when it is known';
comment on column owner_spans.merchant_id is 'the tenant';
comment on column owner_spans.person_id is 'the person, as known at that time: a merge moves nothing';
comment on column owner_spans.number is 'counts the spans of the person, from 1';
comment on column owner_spans.staff_id is 'the employee';
comment on column owner_spans.store_id is 'the store; null: none';
comment on column owner_spans.since_at is 'since when it held';
comment on column owner_spans.until_at is 'until when, exclusive; null: it holds';
comment on column owner_spans.source is 'how it came about';
comment on column owner_spans.recorded_at is 'when it was recorded here';
comment on column owner_spans.ended_at is 'when its end was recorded here; null: it has none';

create unique index owner_spans_person_id_key on owner_spans (merchant_id, person_id) where until_at is null;

create table owner_turns (
    merchant_id uuid not null,
    store_id uuid not null,
    staff_id uuid,
    constraint owner_turns_pkey primary key (merchant_id, store_id),
    constraint owner_turns_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id)
);

comment on table owner_turns is 'whose turn it was last in a store that hands out customers in turn';
comment on column owner_turns.merchant_id is 'the tenant';
comment on column owner_turns.store_id is 'the store';
comment on column owner_turns.staff_id is 'the employee who got the last one; null: nobody yet';

create table interactions (
    merchant_id uuid not null,
    person_id uuid not null,
    staff_id uuid not null,
    kind text not null,
    last_at timestamptz not null,
    constraint interactions_pkey primary key (merchant_id, person_id, staff_id, kind),
    constraint interactions_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint interactions_staff_id_fkey foreign key (merchant_id, staff_id) references staff (merchant_id, id),
    constraint interactions_kind_check
        check (kind in ('message_to_person', 'message_from_person', 'call', 'visit', 'order_served'))
);

comment on table interactions is 'when persons and employees last had to do with each other: the latest of each kind';
comment on column interactions.merchant_id is 'the tenant';
comment on column interactions.person_id is 'the person';
comment on column interactions.staff_id is 'the employee';
comment on column interactions.kind is 'what it was';
comment on column interactions.last_at is 'when it last happened';

create table interaction_merges (
    merchant_id uuid not null,
    merge_id uuid not null,
    survivor_id uuid not null,
    staff_id uuid not null,
    kind text not null,
    before_at timestamptz,
    merged_at timestamptz not null,
    constraint interaction_merges_pkey primary key (merchant_id, merge_id, staff_id, kind)
);

comment on table interaction_merges is 'what a merge of persons changed in interactions: it is taken back when the merge is undone';
comment on column interaction_merges.merchant_id is 'the tenant';
comment on column interaction_merges.merge_id is 'the merge';
comment on column interaction_merges.survivor_id is 'who stayed';
comment on column interaction_merges.staff_id is 'the employee';
comment on column interaction_merges.kind is 'what it was';
comment on column interaction_merges.before_at is 'what the survivor had; null: nothing';
comment on column interaction_merges.merged_at is 'what the survivor got from the other';

create table handovers (
    merchant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    from_staff_id uuid not null,
    to_staff_id uuid not null,
    to_store_id uuid,
    kind text not null,
    state text not null,
    failure text not null,
    message text not null,
    requested_at timestamptz not null,
    accepted_at timestamptz,
    due_at timestamptz,
    ended_at timestamptz,
    constraint handovers_pkey primary key (merchant_id, id),
    constraint handovers_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint handovers_from_staff_id_fkey foreign key (merchant_id, from_staff_id) references staff (merchant_id, id),
    constraint handovers_to_staff_id_fkey foreign key (merchant_id, to_staff_id) references staff (merchant_id, id),
    constraint handovers_to_store_id_fkey foreign key (merchant_id, to_store_id) references stores (merchant_id, id),
    constraint handovers_kind_check check (kind in ('on_job', 'resigned')),
    constraint handovers_state_check check (state in ('requested', 'waiting', 'done', 'refused', 'failed')),
    constraint handovers_due_at_check check ((state in ('requested', 'waiting')) = (due_at is not null)),
    constraint handovers_ended_at_check check ((state in ('requested', 'waiting')) = (ended_at is null)),
    constraint handovers_failure_check check ((state = 'failed') = (failure <> ''))
);

comment on table handovers is 'customers passed from one employee to another, by the rules of the platform';
comment on column handovers.merchant_id is 'the tenant';
comment on column handovers.id is 'the hand-over';
comment on column handovers.person_id is 'the customer';
comment on column handovers.from_staff_id is 'who gives';
comment on column handovers.to_staff_id is 'who takes';
comment on column handovers.to_store_id is 'the store of who takes; null: none';
comment on column handovers.kind is 'whether who gives works here or left';
comment on column handovers.state is 'where it is in its life';
comment on column handovers.failure is 'why it failed; empty otherwise';
comment on column handovers.message is 'what the customer is told';
comment on column handovers.requested_at is 'when it was asked for';
comment on column handovers.accepted_at is 'when the platform took it; null: not yet';
comment on column handovers.due_at is 'when it takes effect or, not taken by the platform, fails; null: it has ended';
comment on column handovers.ended_at is 'when it ended; null: it has not';

create unique index handovers_person_id_key on handovers (merchant_id, person_id)
    where state in ('requested', 'waiting');
create index handovers_person_id_idx on handovers (merchant_id, person_id, requested_at);
create index handovers_due_at_idx on handovers (due_at) where due_at is not null;

select siyu_tenant_table('owners');
select siyu_tenant_table('owner_spans');
select siyu_tenant_table('owner_turns');
select siyu_tenant_table('interactions');
select siyu_tenant_table('interaction_merges');
select siyu_tenant_table('handovers');
