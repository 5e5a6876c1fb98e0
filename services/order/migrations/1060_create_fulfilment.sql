create table pickup_codes (
    merchant_id uuid not null,
    order_id uuid not null,
    store_id uuid not null,
    code text not null,
    state text not null,
    issue integer not null,
    expires_at timestamptz not null,
    issued_at timestamptz not null,
    used_at timestamptz,
    constraint pickup_codes_pkey primary key (merchant_id, order_id, store_id),
    constraint pickup_codes_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint pickup_codes_code_check check (code ~ '^[0-9]{8}$'),
    constraint pickup_codes_state_check check (state in ('issued', 'used', 'void')),
    constraint pickup_codes_issue_check check (issue >= 1),
    constraint pickup_codes_used_at_check check ((state = 'used') = (used_at is not null))
);

comment on table pickup_codes is 'what a buyer shows to pick an order up: one for each order and store';
comment on column pickup_codes.merchant_id is 'the tenant';
comment on column pickup_codes.order_id is 'the order';
comment on column pickup_codes.store_id is 'the store, of the member service: the code is good nowhere else';
comment on column pickup_codes.code is 'eight digits, in clear because the buyer is shown them again; never written to a log';
comment on column pickup_codes.state is 'whether it can be used';
comment on column pickup_codes.issue is 'counts the codes of the order and store: a used one is never good again';
comment on column pickup_codes.expires_at is 'until when, exclusive';
comment on column pickup_codes.issued_at is 'when this code was issued';
comment on column pickup_codes.used_at is 'when it was used; null: it was not';

create unique index pickup_codes_code_key on pickup_codes (merchant_id, store_id, code) where state = 'issued';
create index pickup_codes_store_id_idx on pickup_codes (merchant_id, store_id, code);

create table pickup_events (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid not null,
    store_id uuid not null,
    issue integer not null,
    kind text not null,
    actor text not null,
    reason text not null,
    created_at timestamptz not null,
    constraint pickup_events_pkey primary key (merchant_id, id),
    constraint pickup_events_kind_check check (kind in ('issued', 'verified', 'reversed', 'voided'))
);

comment on table pickup_events is 'who did what with pick-up codes';
comment on column pickup_events.merchant_id is 'the tenant';
comment on column pickup_events.id is 'the event';
comment on column pickup_events.order_id is 'the order';
comment on column pickup_events.store_id is 'the store';
comment on column pickup_events.issue is 'which code of the order and store';
comment on column pickup_events.kind is 'what was done';
comment on column pickup_events.actor is 'the credential that did it';
comment on column pickup_events.reason is 'why; may be empty';
comment on column pickup_events.created_at is 'when';

create index pickup_events_order_id_idx on pickup_events (merchant_id, order_id, id);

create table pickup_failures (
    merchant_id uuid not null,
    store_id uuid not null,
    since timestamptz not null,
    failures integer not null,
    constraint pickup_failures_pkey primary key (merchant_id, store_id),
    constraint pickup_failures_failures_check check (failures > 0)
);

comment on table pickup_failures is 'wrong codes that were tried at a store, so that nobody tries them all';
comment on column pickup_failures.merchant_id is 'the tenant';
comment on column pickup_failures.store_id is 'the store';
comment on column pickup_failures.since is 'when the first of them was tried';
comment on column pickup_failures.failures is 'how many since then';

create table parcels (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid not null,
    store_id uuid,
    carrier text not null,
    tracking_no text not null,
    shipped_at timestamptz not null,
    signed_at timestamptz,
    constraint parcels_pkey primary key (merchant_id, id),
    constraint parcels_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint parcels_tracking_no_key unique (merchant_id, order_id, carrier, tracking_no)
);

comment on table parcels is 'what was sent of orders';
comment on column parcels.merchant_id is 'the tenant';
comment on column parcels.id is 'the parcel';
comment on column parcels.order_id is 'the order';
comment on column parcels.store_id is 'who sent it, of the member service; null: headquarters';
comment on column parcels.carrier is 'who brings it';
comment on column parcels.tracking_no is 'the carrier''s number';
comment on column parcels.shipped_at is 'when it was sent';
comment on column parcels.signed_at is 'when it arrived; null before';

create table parcel_lines (
    merchant_id uuid not null,
    parcel_id uuid not null,
    line_no integer not null,
    quantity bigint not null,
    constraint parcel_lines_pkey primary key (merchant_id, parcel_id, line_no),
    constraint parcel_lines_parcel_id_fkey foreign key (merchant_id, parcel_id) references parcels (merchant_id, id),
    constraint parcel_lines_quantity_check check (quantity > 0)
);

comment on table parcel_lines is 'what is in parcels';
comment on column parcel_lines.merchant_id is 'the tenant';
comment on column parcel_lines.parcel_id is 'the parcel';
comment on column parcel_lines.line_no is 'the line of the order';
comment on column parcel_lines.quantity is 'pieces';

create table assignments (
    merchant_id uuid not null,
    order_id uuid not null,
    part integer not null,
    state text not null,
    turn integer not null,
    store_id uuid,
    candidates uuid[] not null,
    expires_at timestamptz,
    updated_at timestamptz not null,
    constraint assignments_pkey primary key (merchant_id, order_id, part),
    constraint assignments_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint assignments_state_check check (state in ('offered', 'accepted', 'headquarters', 'done', 'withdrawn')),
    constraint assignments_store_id_check check (state not in ('offered', 'accepted') or store_id is not null),
    constraint assignments_expires_at_check check ((state = 'offered') = (expires_at is not null))
);

comment on table assignments is 'which store fulfils which part of an order';
comment on column assignments.merchant_id is 'the tenant';
comment on column assignments.order_id is 'the order';
comment on column assignments.part is 'the part, from 1: an order that is split has several';
comment on column assignments.state is 'how it stands';
comment on column assignments.turn is 'counts the changes: whoever changes it names the one that was read';
comment on column assignments.store_id is 'the store that it is offered to or that took it; null: headquarters';
comment on column assignments.candidates is 'the stores that are asked next, the best first';
comment on column assignments.expires_at is 'until when the store may answer, exclusive';
comment on column assignments.updated_at is 'when it changed last';

create index assignments_expires_at_idx on assignments (expires_at, merchant_id, order_id, part) where state = 'offered';
create index assignments_store_id_idx on assignments (merchant_id, store_id, state) where state in ('offered', 'accepted');

create table assignment_events (
    merchant_id uuid not null,
    order_id uuid not null,
    part integer not null,
    turn integer not null,
    kind text not null,
    store_id uuid,
    actor text not null,
    reason text not null,
    created_at timestamptz not null,
    constraint assignment_events_pkey primary key (merchant_id, order_id, part, turn),
    constraint assignment_events_kind_check
        check (kind in ('begun', 'accepted', 'refused', 'timed_out', 'assigned', 'done', 'withdrawn'))
);

comment on table assignment_events is 'how assignments came to stand as they do';
comment on column assignment_events.merchant_id is 'the tenant';
comment on column assignment_events.order_id is 'the order';
comment on column assignment_events.part is 'the part';
comment on column assignment_events.turn is 'the turn that it led to';
comment on column assignment_events.kind is 'what happened';
comment on column assignment_events.store_id is 'the store that it is about; null: headquarters';
comment on column assignment_events.actor is 'the credential that did it, or the job';
comment on column assignment_events.reason is 'why; may be empty';
comment on column assignment_events.created_at is 'when';

select siyu_tenant_table('pickup_codes');
select siyu_tenant_table('pickup_events');
select siyu_tenant_table('pickup_failures');
select siyu_tenant_table('parcels');
select siyu_tenant_table('parcel_lines');
select siyu_tenant_table('assignments');
select siyu_tenant_table('assignment_events');
