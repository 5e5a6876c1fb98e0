create table parcel_cards (
    merchant_id uuid not null,
    code text not null,
    id uuid not null,
    platform text,
    shop_id text,
    platform_order_no text,
    state text not null,
    person_id uuid,
    claimed_at timestamptz,
    outcome text,
    link_due_at timestamptz,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    constraint parcel_cards_pkey primary key (merchant_id, code),
    constraint parcel_cards_state_check check (state in ('open', 'claimed', 'void')),
    constraint parcel_cards_order_check
        check ((platform is null) = (shop_id is null) and (platform is null) = (platform_order_no is null)),
    constraint parcel_cards_claim_check
        check ((state = 'claimed') = (person_id is not null) and (person_id is null) = (claimed_at is null)),
    constraint parcel_cards_outcome_check
        check (outcome is null or state = 'claimed' and outcome in ('linked', 'conflict', 'erased'))
);

comment on table parcel_cards is 'cards in the parcels of other platforms: who scans one is the buyer';
comment on column parcel_cards.merchant_id is 'the tenant';
comment on column parcel_cards.code is 'the code, which nobody can guess';
comment on column parcel_cards.id is 'the card, for lists and jobs';
comment on column parcel_cards.platform is 'the platform of the order; null: the card is blank';
comment on column parcel_cards.shop_id is 'the shop on the platform';
comment on column parcel_cards.platform_order_no is 'the number that the platform gave the order';
comment on column parcel_cards.state is 'whether it can be claimed, was claimed, or is good for nobody';
comment on column parcel_cards.person_id is 'who claimed it, of the member service';
comment on column parcel_cards.claimed_at is 'when it was claimed';
comment on column parcel_cards.outcome is
    'what the member service made of who claimed it and the buyer; null: nothing yet, the order may not have come';
comment on column parcel_cards.link_due_at is 'when the member service is to be asked; null: not while the order is not there';
comment on column parcel_cards.expires_at is 'until when it can be claimed, exclusive';
comment on column parcel_cards.created_at is 'when it was made';

create unique index parcel_cards_id_key on parcel_cards (merchant_id, id);
create index parcel_cards_created_at_idx on parcel_cards (merchant_id, created_at, id);
create index parcel_cards_order_idx on parcel_cards (merchant_id, platform, shop_id, platform_order_no, created_at, id)
    where platform is not null;
create index parcel_cards_link_due_at_idx on parcel_cards (link_due_at, merchant_id, id) where link_due_at is not null;

select siyu_tenant_table('parcel_cards');
