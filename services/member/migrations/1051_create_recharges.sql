create table recharge_plans (
    merchant_id uuid not null,
    id uuid not null,
    name text not null,
    issuer_id uuid,
    pay_minor bigint not null,
    bonus_minor bigint not null,
    bonus_valid_days integer not null,
    limit_per_person integer not null,
    starts_at timestamptz not null,
    ends_at timestamptz,
    created_at timestamptz not null,
    constraint recharge_plans_pkey primary key (merchant_id, id),
    constraint recharge_plans_issuer_id_fkey foreign key (merchant_id, issuer_id) references issuers (merchant_id, id),
    constraint recharge_plans_pay_minor_check check (pay_minor > 0),
    constraint recharge_plans_bonus_minor_check check (bonus_minor >= 0),
    constraint recharge_plans_bonus_valid_days_check check (bonus_valid_days >= 0),
    constraint recharge_plans_limit_per_person_check check (limit_per_person >= 0)
);

comment on table recharge_plans is 'offers: pay so much, get so much bonus';
comment on column recharge_plans.merchant_id is 'the tenant';
comment on column recharge_plans.id is 'the plan';
comment on column recharge_plans.name is 'the name';
comment on column recharge_plans.issuer_id is 'whose cards may take it; null: all';
comment on column recharge_plans.pay_minor is 'what is paid';
comment on column recharge_plans.bonus_minor is 'what is given on top';
comment on column recharge_plans.bonus_valid_days is 'how long the bonus is good; 0: for ever';
comment on column recharge_plans.limit_per_person is 'how often a person may take it; 0: no limit';
comment on column recharge_plans.starts_at is 'from when on it is offered';
comment on column recharge_plans.ends_at is 'until when it is offered; null: until it is closed';
comment on column recharge_plans.created_at is 'when it was added';

create table recharges (
    merchant_id uuid not null,
    id uuid not null,
    card_id uuid not null,
    person_id uuid,
    origin_person_id uuid,
    plan_id uuid,
    plan_name text not null,
    plan_ordinal integer,
    store_id uuid,
    payment_reference text not null,
    principal_minor bigint not null,
    bonus_minor bigint not null,
    bonus_expires_at timestamptz,
    principal_transfer_id uuid not null,
    bonus_transfer_id uuid,
    refunded_at timestamptz,
    refunded_minor bigint not null,
    bonus_taken_minor bigint not null,
    kept_minor bigint not null,
    created_at timestamptz not null,
    constraint recharges_pkey primary key (merchant_id, id),
    constraint recharges_plan_ordinal_key unique (merchant_id, plan_id, person_id, plan_ordinal),
    constraint recharges_card_id_fkey foreign key (merchant_id, card_id) references value_cards (merchant_id, id),
    constraint recharges_plan_id_fkey foreign key (merchant_id, plan_id) references recharge_plans (merchant_id, id),
    constraint recharges_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id),
    constraint recharges_principal_minor_check check (principal_minor > 0),
    constraint recharges_bonus_minor_check check (bonus_minor >= 0),
    constraint recharges_refunded_check check (refunded_minor >= 0 and kept_minor >= 0
        and refunded_minor + kept_minor <= principal_minor and bonus_taken_minor between 0 and bonus_minor)
);

comment on table recharges is 'what was paid in, with the plan as it was';
comment on column recharges.merchant_id is 'the tenant';
comment on column recharges.id is 'the recharge';
comment on column recharges.card_id is 'the card';
comment on column recharges.person_id is 'the holder of the card; null for a bearer card';
comment on column recharges.origin_person_id is 'who it was before a merge of persons; null for all others';
comment on column recharges.plan_id is 'the plan; null without one';
comment on column recharges.plan_name is 'the name of the plan as it was';
comment on column recharges.plan_ordinal is 'how many times the person has taken the plan, counted to its limit; null without one';
comment on column recharges.store_id is 'where it was paid; null: headquarters';
comment on column recharges.payment_reference is 'what the payment is known by outside';
comment on column recharges.principal_minor is 'what was paid';
comment on column recharges.bonus_minor is 'what was given';
comment on column recharges.bonus_expires_at is 'until when the bonus is good; null: for ever';
comment on column recharges.principal_transfer_id is 'the transfer of the principal';
comment on column recharges.bonus_transfer_id is 'the transfer of the bonus, and its lot; null without one';
comment on column recharges.refunded_at is 'when it was given back; null: it was not';
comment on column recharges.refunded_minor is 'what was paid back';
comment on column recharges.bonus_taken_minor is 'what was taken of the bonus';
comment on column recharges.kept_minor is 'what was kept of the principal for bonus that was spent';
comment on column recharges.created_at is 'when it was recorded';

create index recharges_card_id_idx on recharges (merchant_id, card_id, id);
create index recharges_person_id_idx on recharges (merchant_id, person_id, id);

select siyu_tenant_table('recharge_plans');
select siyu_tenant_table('recharges');
