create table redemptions (
    merchant_id uuid not null,
    id uuid not null,
    card_id uuid not null,
    state text not null,
    fault text not null,
    reason text not null,
    principal_minor bigint not null,
    bonus_minor bigint not null,
    kept_minor bigint not null,
    fee_minor bigint not null,
    cooling_off boolean not null,
    principal_transfer_id uuid,
    bonus_transfer_id uuid,
    requested_by text not null,
    requested_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    constraint redemptions_pkey primary key (merchant_id, id),
    constraint redemptions_card_id_fkey foreign key (merchant_id, card_id) references value_cards (merchant_id, id),
    constraint redemptions_state_check check (state in ('requested', 'approved', 'rejected')),
    constraint redemptions_fault_check check (fault in ('merchant', 'consumer')),
    constraint redemptions_amounts_check check (principal_minor >= 0 and bonus_minor >= 0 and kept_minor >= 0
        and fee_minor >= 0 and kept_minor + fee_minor <= principal_minor),
    constraint redemptions_decided_by_check check (state <> 'approved' or decided_by <> requested_by)
);

comment on table redemptions is 'cards that are paid out, or shall be';
comment on column redemptions.merchant_id is 'the tenant';
comment on column redemptions.id is 'the redemption';
comment on column redemptions.card_id is 'the card';
comment on column redemptions.state is 'how it stands';
comment on column redemptions.fault is 'for whose reason';
comment on column redemptions.reason is 'why, in words';
comment on column redemptions.principal_minor is 'the principal that it ends';
comment on column redemptions.bonus_minor is 'the bonus that voids';
comment on column redemptions.kept_minor is 'what is kept of the principal for bonus that was spent';
comment on column redemptions.fee_minor is 'the fee';
comment on column redemptions.cooling_off is 'whether all that is left was paid in lately';
comment on column redemptions.principal_transfer_id is 'the transfer that reserves the principal; null without any';
comment on column redemptions.bonus_transfer_id is 'the transfer that reserves the bonus; null without any';
comment on column redemptions.requested_by is 'who asked';
comment on column redemptions.requested_at is 'when';
comment on column redemptions.decided_by is 'who decided; null before';
comment on column redemptions.decided_at is 'when; null before';

create index redemptions_state_idx on redemptions (merchant_id, state, id);

create table value_gifts (
    merchant_id uuid not null,
    id uuid not null,
    from_card_id uuid not null,
    card_id uuid not null,
    state text not null,
    code_digest text not null,
    person_id uuid,
    principal_minor bigint not null,
    bonus_minor bigint not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint value_gifts_pkey primary key (merchant_id, id),
    constraint value_gifts_code_digest_key unique (merchant_id, code_digest),
    constraint value_gifts_from_card_id_fkey foreign key (merchant_id, from_card_id)
        references value_cards (merchant_id, id),
    constraint value_gifts_card_id_fkey foreign key (merchant_id, card_id) references value_cards (merchant_id, id),
    constraint value_gifts_state_check check (state in ('open', 'accepted', 'cancelled', 'expired'))
);

comment on table value_gifts is 'value that waits, or waited, for whoever has a code';
comment on column value_gifts.merchant_id is 'the tenant';
comment on column value_gifts.id is 'the gift';
comment on column value_gifts.from_card_id is 'the card that gave it';
comment on column value_gifts.card_id is 'the card that it became';
comment on column value_gifts.state is 'how it stands';
comment on column value_gifts.code_digest is 'a keyed digest of the code that accepts it';
comment on column value_gifts.person_id is 'who accepted it; null before';
comment on column value_gifts.principal_minor is 'the principal that was given';
comment on column value_gifts.bonus_minor is 'the bonus that was given';
comment on column value_gifts.expires_at is 'until when it waits';
comment on column value_gifts.created_at is 'when it was given';
comment on column value_gifts.ended_at is 'when it stopped waiting; null before';

create index value_gifts_expires_at_idx on value_gifts (expires_at, merchant_id, id) where state = 'open';

select siyu_tenant_table('redemptions');
select siyu_tenant_table('value_gifts');

-- A gift that went back leaves a closed card that nobody ever held.
alter table value_cards drop constraint value_cards_holder_check;
alter table value_cards add constraint value_cards_holder_check
    check (kind = 'bearer' or state in ('gifted', 'closed') or person_id is not null);
