create table activities (
    merchant_id uuid not null,
    kind text not null,
    code text not null,
    definition bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint activities_pkey primary key (merchant_id, kind, code),
    constraint activities_kind_check check (kind in ('group_buy', 'bargain', 'flash_sale'))
);

comment on table activities is 'what orders of a special kind are placed under';
comment on column activities.merchant_id is 'the tenant';
comment on column activities.kind is 'group_buy, bargain or flash_sale';
comment on column activities.code is 'the merchant''s own key';
comment on column activities.definition is 'an encoded GroupActivity, BargainActivity or FlashSale of siyu.order.v1: read whole, never searched';
comment on column activities.created_at is 'when it was created here';
comment on column activities.updated_at is 'when it was last changed here';

create table activity_counts (
    merchant_id uuid not null,
    kind text not null,
    code text not null,
    person_id uuid not null,
    taken bigint not null,
    constraint activity_counts_pkey primary key (merchant_id, kind, code, person_id),
    constraint activity_counts_taken_check check (taken >= 0)
);

comment on table activity_counts is 'how much of an activity each person has taken: reserved when an order is placed, given back when it ends unpaid';
comment on column activity_counts.merchant_id is 'the tenant';
comment on column activity_counts.kind is 'the kind of activity';
comment on column activity_counts.code is 'the activity';
comment on column activity_counts.person_id is 'the person, of the member service';
comment on column activity_counts.taken is 'seats of a group-buy, pieces of a flash sale or of a blind box';

create table activity_orders (
    merchant_id uuid not null,
    order_id uuid not null,
    kind text not null,
    code text not null,
    person_id uuid not null,
    taken bigint not null,
    stock_channel text not null,
    ended boolean not null,
    constraint activity_orders_pkey primary key (merchant_id, order_id),
    constraint activity_orders_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint activity_orders_kind_check check (kind in ('group_buy', 'bargain', 'flash_sale', 'blind_box'))
);

comment on table activity_orders is 'orders that take part in an activity';
comment on column activity_orders.merchant_id is 'the tenant';
comment on column activity_orders.order_id is 'the order';
comment on column activity_orders.kind is 'the kind of activity';
comment on column activity_orders.code is 'the activity';
comment on column activity_orders.person_id is 'whom it counts for';
comment on column activity_orders.taken is 'how much it counts';
comment on column activity_orders.stock_channel is 'the channel that its stock comes from; empty: the usual one';
comment on column activity_orders.ended is 'whether it ended unpaid and gave back what it had taken';

create table buy_groups (
    merchant_id uuid not null,
    id uuid not null,
    activity_code text not null,
    definition bytea not null,
    state text not null,
    size integer not null,
    taken integer not null,
    paid integer not null,
    simulated boolean not null,
    deadline timestamptz,
    created_at timestamptz not null,
    constraint buy_groups_pkey primary key (merchant_id, id),
    constraint buy_groups_state_check check (state in ('pending', 'open', 'formed', 'failed', 'cancelled')),
    constraint buy_groups_taken_check check (taken between 0 and size),
    constraint buy_groups_paid_check check (paid between 0 and taken),
    constraint buy_groups_deadline_check check (state in ('pending', 'cancelled') or deadline is not null),
    constraint buy_groups_simulated_check check (not simulated or state = 'formed')
);

comment on table buy_groups is 'groups of buyers who buy together';
comment on column buy_groups.merchant_id is 'the tenant';
comment on column buy_groups.id is 'the group';
comment on column buy_groups.activity_code is 'the activity';
comment on column buy_groups.definition is 'an encoded siyu.order.v1.GroupActivity: as it was when the group was opened';
comment on column buy_groups.state is 'where it is in its life';
comment on column buy_groups.size is 'how many make it complete';
comment on column buy_groups.taken is 'how many seats are taken, paid or not';
comment on column buy_groups.paid is 'how many seats are paid';
comment on column buy_groups.simulated is 'whether it counts as complete though it was short of members';
comment on column buy_groups.deadline is 'until when it waits for others; null before its opener has paid';
comment on column buy_groups.created_at is 'when it was opened';

create index buy_groups_activity_code_idx on buy_groups (merchant_id, activity_code, id);
create index buy_groups_deadline_idx on buy_groups (deadline) where state = 'open';

create table group_seats (
    merchant_id uuid not null,
    order_id uuid not null,
    group_id uuid not null,
    activity_code text not null,
    person_id uuid not null,
    opener boolean not null,
    state text not null,
    live boolean not null,
    created_at timestamptz not null,
    constraint group_seats_pkey primary key (merchant_id, order_id),
    constraint group_seats_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint group_seats_group_id_fkey foreign key (merchant_id, group_id) references buy_groups (merchant_id, id),
    constraint group_seats_state_check
        check (state in ('reserved', 'paid', 'forming', 'formed', 'refunding', 'refunded', 'released'))
);

comment on table group_seats is 'places in groups, one for each order';
comment on column group_seats.merchant_id is 'the tenant';
comment on column group_seats.order_id is 'the order';
comment on column group_seats.group_id is 'the group';
comment on column group_seats.activity_code is 'the activity';
comment on column group_seats.person_id is 'the buyer';
comment on column group_seats.opener is 'whether the buyer opened the group';
comment on column group_seats.state is 'where it is in its life; forming and refunding wait for a job';
comment on column group_seats.live is 'whether its group still waits and the buyer is in it';
comment on column group_seats.created_at is 'when it was taken';

create unique index group_seats_person_id_key on group_seats (merchant_id, activity_code, person_id) where live;
create index group_seats_group_id_idx on group_seats (merchant_id, group_id, created_at, order_id);
create index group_seats_due_idx on group_seats (merchant_id, order_id) where state in ('forming', 'refunding');

select siyu_tenant_table('activities');
select siyu_tenant_table('activity_counts');
select siyu_tenant_table('activity_orders');
select siyu_tenant_table('buy_groups');
select siyu_tenant_table('group_seats');
