alter table assignments add column location text not null default '';
alter table assignments add column accept_minutes integer not null default 10;
alter table assignments drop constraint assignments_store_id_check;
alter table assignments add constraint assignments_store_id_check check (state <> 'offered' or store_id is not null);
alter table assignments add constraint assignments_accept_minutes_check check (accept_minutes >= 1);

comment on column assignments.store_id is 'the store that it is offered to or that took it; null: headquarters';
comment on column assignments.location is 'where its pieces are reserved; empty: no pieces of it are counted';
comment on column assignments.accept_minutes is 'how long a store may answer';

create index assignments_state_idx on assignments (merchant_id, state, order_id, part);
create index assignments_store_idx on assignments (merchant_id, store_id, order_id, part) where store_id is not null;

alter table assignment_events drop constraint assignment_events_kind_check;
alter table assignment_events add constraint assignment_events_kind_check
    check (kind in ('begun', 'accepted', 'kept', 'refused', 'timed_out', 'assigned', 'done', 'withdrawn'));

create table assignment_lines (
    merchant_id uuid not null,
    order_id uuid not null,
    part integer not null,
    line_no integer not null,
    quantity bigint not null,
    constraint assignment_lines_pkey primary key (merchant_id, order_id, part, line_no),
    constraint assignment_lines_order_id_part_fkey foreign key (merchant_id, order_id, part)
        references assignments (merchant_id, order_id, part),
    constraint assignment_lines_quantity_check check (quantity >= 0)
);

comment on table assignment_lines is 'what belongs to the parts of orders';
comment on column assignment_lines.merchant_id is 'the tenant';
comment on column assignment_lines.order_id is 'the order';
comment on column assignment_lines.part is 'the part';
comment on column assignment_lines.line_no is 'the line of the order';
comment on column assignment_lines.quantity is 'pieces; refunds make it smaller';

create table fulfilment_sites (
    merchant_id uuid not null,
    location text not null,
    methods text[] not null,
    paused boolean not null,
    capacity bigint,
    radius_m bigint,
    updated_at timestamptz not null,
    constraint fulfilment_sites_pkey primary key (merchant_id, location),
    constraint fulfilment_sites_location_fkey foreign key (merchant_id, location) references locations (merchant_id, code),
    constraint fulfilment_sites_methods_check
        check (cardinality(methods) > 0 and methods <@ array['parcel', 'pick_up', 'local']),
    constraint fulfilment_sites_capacity_check check (capacity > 0),
    constraint fulfilment_sites_radius_m_check check (radius_m > 0)
);

comment on table fulfilment_sites is 'stores that fulfil orders from their own stock';
comment on column fulfilment_sites.merchant_id is 'the tenant';
comment on column fulfilment_sites.location is 'the stock of the store';
comment on column fulfilment_sites.methods is 'how they bring goods to buyers';
comment on column fulfilment_sites.paused is 'whether they are not asked at present';
comment on column fulfilment_sites.capacity is 'how many parts of orders they can have; null: no bound';
comment on column fulfilment_sites.radius_m is 'how far they serve, in metres; null: everywhere';
comment on column fulfilment_sites.updated_at is 'when this was said';

create table fulfilment_policies (
    merchant_id uuid not null,
    definition bytea not null,
    updated_at timestamptz not null,
    constraint fulfilment_policies_pkey primary key (merchant_id)
);

comment on table fulfilment_policies is 'how merchants route orders';
comment on column fulfilment_policies.merchant_id is 'the tenant';
comment on column fulfilment_policies.definition is 'an encoded siyu.order.v1.FulfilmentPolicy: read whole, never searched';
comment on column fulfilment_policies.updated_at is 'when it was set';

alter table parcels add column part integer not null default 1;
comment on column parcels.part is 'the part of the order that it belongs to';
create index parcels_order_id_idx on parcels (merchant_id, order_id, id);

create table parcel_draws (
    merchant_id uuid not null,
    order_id uuid not null,
    seq integer not null,
    parcel_id uuid not null,
    constraint parcel_draws_pkey primary key (merchant_id, order_id, seq),
    constraint parcel_draws_parcel_id_fkey foreign key (merchant_id, parcel_id) references parcels (merchant_id, id)
);

comment on table parcel_draws is 'which draws of blind boxes are in which parcel: each in one';
comment on column parcel_draws.merchant_id is 'the tenant';
comment on column parcel_draws.order_id is 'the order';
comment on column parcel_draws.seq is 'the piece, from 1';
comment on column parcel_draws.parcel_id is 'the parcel';

create index parcel_draws_parcel_id_idx on parcel_draws (merchant_id, parcel_id, seq);

comment on column checkouts.ripe_at is 'when the order is routed, completed or closed by itself; null while it is none of these';

select siyu_tenant_table('assignment_lines');
select siyu_tenant_table('fulfilment_sites');
select siyu_tenant_table('fulfilment_policies');
select siyu_tenant_table('parcel_draws');
