create table blind_boxes (
    merchant_id uuid not null,
    code text not null,
    version integer not null,
    definition bytea not null,
    reserved bigint not null,
    created_at timestamptz not null,
    constraint blind_boxes_pkey primary key (merchant_id, code, version),
    constraint blind_boxes_version_check check (version >= 1),
    constraint blind_boxes_reserved_check check (reserved >= 0)
);

comment on table blind_boxes is 'versions of blind boxes; a version never changes';
comment on column blind_boxes.merchant_id is 'the tenant';
comment on column blind_boxes.code is 'the merchant''s own key';
comment on column blind_boxes.version is 'the version, from 1';
comment on column blind_boxes.definition is 'an encoded siyu.order.v1.BlindBox: prizes, odds, guarantee';
comment on column blind_boxes.reserved is 'pieces that are ordered and not drawn yet';
comment on column blind_boxes.created_at is 'when it was published';

create table blind_box_prizes (
    merchant_id uuid not null,
    code text not null,
    version integer not null,
    prize text not null,
    stock bigint not null,
    drawn bigint not null,
    constraint blind_box_prizes_pkey primary key (merchant_id, code, version, prize),
    constraint blind_box_prizes_code_version_fkey foreign key (merchant_id, code, version)
        references blind_boxes (merchant_id, code, version),
    constraint blind_box_prizes_drawn_check check (drawn >= 0 and (stock = 0 or drawn <= stock))
);

comment on table blind_box_prizes is 'how many of each prize there are and were drawn';
comment on column blind_box_prizes.merchant_id is 'the tenant';
comment on column blind_box_prizes.code is 'the box';
comment on column blind_box_prizes.version is 'its version';
comment on column blind_box_prizes.prize is 'the key of the prize';
comment on column blind_box_prizes.stock is 'how many there are; 0: no bound';
comment on column blind_box_prizes.drawn is 'how many were drawn';

create table blind_box_orders (
    merchant_id uuid not null,
    order_id uuid not null,
    code text not null,
    version integer not null,
    person_id uuid not null,
    pieces bigint not null,
    seed bytea not null,
    age text not null,
    guardian_consent boolean not null,
    state text not null,
    constraint blind_box_orders_pkey primary key (merchant_id, order_id),
    constraint blind_box_orders_order_id_fkey foreign key (merchant_id, order_id) references orders (merchant_id, id),
    constraint blind_box_orders_code_version_fkey foreign key (merchant_id, code, version)
        references blind_boxes (merchant_id, code, version),
    constraint blind_box_orders_age_check check (age = 'adult' or (age = 'minor' and guardian_consent)),
    constraint blind_box_orders_state_check check (state in ('reserved', 'drawn', 'released'))
);

comment on table blind_box_orders is 'orders of blind boxes';
comment on column blind_box_orders.merchant_id is 'the tenant';
comment on column blind_box_orders.order_id is 'the order';
comment on column blind_box_orders.code is 'the box';
comment on column blind_box_orders.version is 'the version that it is drawn from';
comment on column blind_box_orders.person_id is 'the buyer';
comment on column blind_box_orders.pieces is 'how many boxes';
comment on column blind_box_orders.seed is 'what is drawn from; shown when it was drawn';
comment on column blind_box_orders.age is 'what the buyer said: adult, or minor of 8 years or more';
comment on column blind_box_orders.guardian_consent is 'whether a guardian agreed, as the buyer said';
comment on column blind_box_orders.state is 'reserved until it is paid, then drawn; released when the order ended unpaid';

create table blind_box_draws (
    merchant_id uuid not null,
    order_id uuid not null,
    seq integer not null,
    number integer not null,
    prize text not null,
    sku text not null,
    guaranteed boolean not null,
    drawn_at timestamptz not null,
    constraint blind_box_draws_pkey primary key (merchant_id, order_id, seq),
    constraint blind_box_draws_order_id_fkey foreign key (merchant_id, order_id)
        references blind_box_orders (merchant_id, order_id),
    constraint blind_box_draws_number_check check (number between 0 and 999999)
);

comment on table blind_box_draws is 'what the pieces of orders turned out to be';
comment on column blind_box_draws.merchant_id is 'the tenant';
comment on column blind_box_draws.order_id is 'the order';
comment on column blind_box_draws.seq is 'the piece, from 1';
comment on column blind_box_draws.number is 'the number that was drawn';
comment on column blind_box_draws.prize is 'the key of the prize';
comment on column blind_box_draws.sku is 'its SKU';
comment on column blind_box_draws.guaranteed is 'whether the guarantee gave it, whatever the number says';
comment on column blind_box_draws.drawn_at is 'when';

create table blind_box_persons (
    merchant_id uuid not null,
    code text not null,
    person_id uuid not null,
    dry integer not null,
    constraint blind_box_persons_pkey primary key (merchant_id, code, person_id),
    constraint blind_box_persons_dry_check check (dry >= 0)
);

comment on table blind_box_persons is 'how near each person is to the guarantee of a box';
comment on column blind_box_persons.merchant_id is 'the tenant';
comment on column blind_box_persons.code is 'the box, in whichever version';
comment on column blind_box_persons.person_id is 'the person';
comment on column blind_box_persons.dry is 'how many draws there were since the guaranteed prize';

select siyu_tenant_table('blind_boxes');
select siyu_tenant_table('blind_box_prizes');
select siyu_tenant_table('blind_box_orders');
select siyu_tenant_table('blind_box_draws');
select siyu_tenant_table('blind_box_persons');
