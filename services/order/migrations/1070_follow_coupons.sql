alter table coupons add column origin_person_id uuid;
alter table coupons add column transfers integer not null default 0;
alter table coupons add column redeemed_at timestamptz;
alter table coupons drop constraint coupons_state_check;
alter table coupons drop constraint coupons_order_id_check;
alter table coupons add constraint coupons_state_check check (state in ('issued', 'locked', 'used', 'void'));
alter table coupons add constraint coupons_order_id_check check (
    case state
        when 'locked' then order_id is not null and redeemed_at is null
        when 'used' then (order_id is null) <> (redeemed_at is null)
        else order_id is null and redeemed_at is null
    end
);

comment on column coupons.state is 'issued, locked by an order that waits for its payment, used, or void';
comment on column coupons.order_id is 'the order that locked or used it; null where it was redeemed in a store';
comment on column coupons.origin_person_id is 'who held it before a merge of persons; null: nobody else';
comment on column coupons.transfers is 'how often it was given on';
comment on column coupons.redeemed_at is 'when it was redeemed in a store; null: it was not';

alter table coupon_claims add column own integer not null default 0;
alter table coupon_claims add column counted_for uuid;
alter table coupon_claims drop constraint coupon_claims_claimed_check;
alter table coupon_claims add constraint coupon_claims_claimed_check check (claimed >= 0 and own >= 0);
update coupon_claims set own = claimed;

comment on column coupon_claims.claimed is 'how many count for the person: those of its aliases included, 0 for an alias';
comment on column coupon_claims.own is 'how many were claimed or received under this id itself';
comment on column coupon_claims.counted_for is 'whom own counts for since a merge of persons; null: the person';

create index coupon_claims_person_id_idx on coupon_claims (merchant_id, person_id);
create index coupon_claims_counted_for_idx on coupon_claims (merchant_id, counted_for) where counted_for is not null;

create table coupon_events (
    merchant_id uuid not null,
    coupon_id uuid not null,
    seq integer not null,
    kind text not null,
    person_id uuid not null,
    to_person_id uuid,
    store_id uuid,
    actor text not null,
    reason text not null,
    occurred_at timestamptz not null,
    constraint coupon_events_pkey primary key (merchant_id, coupon_id, seq),
    constraint coupon_events_coupon_id_fkey foreign key (merchant_id, coupon_id) references coupons (merchant_id, id),
    constraint coupon_events_kind_check check (kind in ('transferred', 'redeemed', 'reversed', 'voided')),
    constraint coupon_events_to_person_id_check check ((kind = 'transferred') = (to_person_id is not null))
);

comment on table coupon_events is 'what was done with coupons by hand: never changed, never deleted';
comment on column coupon_events.merchant_id is 'the tenant';
comment on column coupon_events.coupon_id is 'the coupon';
comment on column coupon_events.seq is 'counts them from 1';
comment on column coupon_events.kind is 'what happened';
comment on column coupon_events.person_id is 'who held it before';
comment on column coupon_events.to_person_id is 'who got it; null where nobody did';
comment on column coupon_events.store_id is 'the store, of the member service; null where there was none';
comment on column coupon_events.actor is 'who did it';
comment on column coupon_events.reason is 'why, in words; may be empty';
comment on column coupon_events.occurred_at is 'when';

create table coupon_codes (
    merchant_id uuid not null,
    code text not null,
    coupon_id uuid not null,
    state text not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint coupon_codes_pkey primary key (merchant_id, code),
    constraint coupon_codes_coupon_id_fkey foreign key (merchant_id, coupon_id) references coupons (merchant_id, id),
    constraint coupon_codes_state_check check (state in ('open', 'used', 'void'))
);

comment on table coupon_codes is 'codes that are shown in a store to redeem a coupon, each good once';
comment on column coupon_codes.merchant_id is 'the tenant';
comment on column coupon_codes.code is 'sixteen digits that nobody can guess';
comment on column coupon_codes.coupon_id is 'the coupon';
comment on column coupon_codes.state is 'open, used, or void: replaced by another or given on with its coupon';
comment on column coupon_codes.expires_at is 'until when it is good, exclusive';
comment on column coupon_codes.created_at is 'when it was made';

create unique index coupon_codes_open_key on coupon_codes (merchant_id, coupon_id) where state = 'open';

select siyu_tenant_table('coupon_events');
select siyu_tenant_table('coupon_codes');
