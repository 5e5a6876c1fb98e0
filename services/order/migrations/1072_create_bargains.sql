create table bargains (
    merchant_id uuid not null,
    id uuid not null,
    activity_code text not null,
    definition bytea not null,
    person_id uuid not null,
    remaining_minor bigint not null,
    cuts_left integer not null,
    seed bytea not null,
    deadline timestamptz not null,
    order_id uuid,
    live boolean not null,
    created_at timestamptz not null,
    constraint bargains_pkey primary key (merchant_id, id),
    constraint bargains_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint bargains_cuts_left_check check (cuts_left >= 0),
    constraint bargains_remaining_minor_check
        check (remaining_minor >= cuts_left and (cuts_left > 0 or remaining_minor = 0))
);

comment on table bargains is 'prices that friends bring down';
comment on column bargains.merchant_id is 'the tenant';
comment on column bargains.id is 'the bargain';
comment on column bargains.activity_code is 'the activity';
comment on column bargains.definition is 'an encoded siyu.order.v1.BargainActivity: as it was when the bargain began';
comment on column bargains.person_id is 'who bargains';
comment on column bargains.remaining_minor is 'how far the price is from the floor: a unit at least for each cut that is left';
comment on column bargains.cuts_left is 'how many have to help still';
comment on column bargains.seed is 'what cuts are drawn from; shown when no cut can be made any more';
comment on column bargains.deadline is 'until when one may help and order, exclusive';
comment on column bargains.order_id is 'the order that it went into; null: none, or one that ended unpaid';
comment on column bargains.live is 'whether the person cannot begin another';
comment on column bargains.created_at is 'when it began';

create unique index bargains_person_id_key on bargains (merchant_id, activity_code, person_id) where live;
create index bargains_order_id_idx on bargains (merchant_id, order_id) where order_id is not null;

create table bargain_cuts (
    merchant_id uuid not null,
    bargain_id uuid not null,
    seq integer not null,
    person_id uuid not null,
    amount_minor bigint not null,
    created_at timestamptz not null,
    constraint bargain_cuts_pkey primary key (merchant_id, bargain_id, seq),
    constraint bargain_cuts_person_id_key unique (merchant_id, bargain_id, person_id),
    constraint bargain_cuts_bargain_id_fkey foreign key (merchant_id, bargain_id) references bargains (merchant_id, id),
    constraint bargain_cuts_amount_minor_check check (amount_minor > 0)
);

comment on table bargain_cuts is 'who helped in bargains';
comment on column bargain_cuts.merchant_id is 'the tenant';
comment on column bargain_cuts.bargain_id is 'the bargain';
comment on column bargain_cuts.seq is 'counts them from 1';
comment on column bargain_cuts.person_id is 'who helped';
comment on column bargain_cuts.amount_minor is 'how far the price came down';
comment on column bargain_cuts.created_at is 'when';

create table bargain_helps (
    merchant_id uuid not null,
    activity_code text not null,
    person_id uuid not null,
    day date not null,
    helps integer not null,
    constraint bargain_helps_pkey primary key (merchant_id, activity_code, person_id, day),
    constraint bargain_helps_helps_check check (helps > 0)
);

comment on table bargain_helps is 'how often each person helped within an activity on a day of the merchant''s';
comment on column bargain_helps.merchant_id is 'the tenant';
comment on column bargain_helps.activity_code is 'the activity';
comment on column bargain_helps.person_id is 'who helped';
comment on column bargain_helps.day is 'the day in the merchant''s zone';
comment on column bargain_helps.helps is 'how often';

select siyu_tenant_table('bargains');
select siyu_tenant_table('bargain_cuts');
select siyu_tenant_table('bargain_helps');
