create table value_payments (
    merchant_id uuid not null,
    id uuid not null,
    state text not null,
    consumption_order text not null,
    person_id uuid,
    store_id uuid,
    order_reference text not null,
    amount_minor bigint not null,
    captured_minor bigint not null,
    refunded_minor bigint not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    paid_at timestamptz,
    constraint value_payments_pkey primary key (merchant_id, id),
    constraint value_payments_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id),
    constraint value_payments_state_check check (state in ('held', 'paid', 'voided', 'expired')),
    constraint value_payments_consumption_order_check
        check (consumption_order in ('proportional', 'principal_first', 'bonus_first')),
    constraint value_payments_amounts_check check (amount_minor > 0 and captured_minor between 0 and amount_minor
        and refunded_minor between 0 and captured_minor)
);

comment on table value_payments is 'payments with stored value, and holds for them';
comment on column value_payments.merchant_id is 'the tenant';
comment on column value_payments.id is 'the payment';
comment on column value_payments.state is 'how it stands';
comment on column value_payments.consumption_order is 'which bucket it took from, fixed when it was made';
comment on column value_payments.person_id is 'who paid; null: not given';
comment on column value_payments.store_id is 'where; null: headquarters';
comment on column value_payments.order_reference is 'the order as the caller knows it';
comment on column value_payments.amount_minor is 'what was asked for';
comment on column value_payments.captured_minor is 'what was taken';
comment on column value_payments.refunded_minor is 'what was given back';
comment on column value_payments.expires_at is 'until when a hold is good; null: never was one';
comment on column value_payments.created_at is 'when it was made';
comment on column value_payments.paid_at is 'when it was taken; null before';

create index value_payments_order_reference_idx on value_payments (merchant_id, order_reference, id);
create index value_payments_expires_at_idx on value_payments (expires_at, merchant_id, id) where state = 'held';

create table value_payment_parts (
    merchant_id uuid not null,
    payment_id uuid not null,
    position integer not null,
    card_id uuid not null,
    principal_minor bigint not null,
    bonus_minor bigint not null,
    refunded_principal_minor bigint not null,
    refunded_bonus_minor bigint not null,
    principal_transfer_id uuid,
    bonus_transfer_id uuid,
    constraint value_payment_parts_pkey primary key (merchant_id, payment_id, position),
    constraint value_payment_parts_payment_id_fkey foreign key (merchant_id, payment_id)
        references value_payments (merchant_id, id),
    constraint value_payment_parts_card_id_fkey foreign key (merchant_id, card_id)
        references value_cards (merchant_id, id),
    constraint value_payment_parts_amounts_check check (refunded_principal_minor between 0 and principal_minor
        and refunded_bonus_minor between 0 and bonus_minor)
);

comment on table value_payment_parts is 'what each card gave to a payment';
comment on column value_payment_parts.merchant_id is 'the tenant';
comment on column value_payment_parts.payment_id is 'the payment';
comment on column value_payment_parts.position is 'counts from 0';
comment on column value_payment_parts.card_id is 'the card';
comment on column value_payment_parts.principal_minor is 'from the principal: reserved, then taken';
comment on column value_payment_parts.bonus_minor is 'from the bonus: reserved, then taken';
comment on column value_payment_parts.refunded_principal_minor is 'given back of the principal';
comment on column value_payment_parts.refunded_bonus_minor is 'given back of the bonus';
comment on column value_payment_parts.principal_transfer_id is 'the transfer that reserved, then the one that took the principal';
comment on column value_payment_parts.bonus_transfer_id is 'the transfer that reserved, then the one that took the bonus';

select siyu_tenant_table('value_payments');
select siyu_tenant_table('value_payment_parts');
