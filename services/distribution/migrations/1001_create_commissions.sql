create table commission_rules (
    merchant_id uuid not null,
    valid_from timestamptz not null,
    level1_bp integer not null,
    level2_bp integer not null,
    binding_valid_days integer not null,
    protect_days integer not null,
    imported_private_orders boolean not null,
    constraint commission_rules_pkey primary key (merchant_id, valid_from),
    constraint commission_rules_cap_check check (level1_bp >= 0 and level2_bp >= 0 and level1_bp + level2_bp <= 5000)
);

comment on table commission_rules is 'the default rule over time; rows are never changed';
comment on column commission_rules.merchant_id is 'the tenant';
comment on column commission_rules.valid_from is 'for orders paid from then on';
comment on column commission_rules.level1_bp is 'basis points to who brought the customer';
comment on column commission_rules.level2_bp is 'basis points to who invited that promoter';
comment on column commission_rules.binding_valid_days is 'days that a binding is valid; 0: for ever';
comment on column commission_rules.protect_days is 'days in which no other promoter can take a bound customer';
comment on column commission_rules.imported_private_orders is 'imported private orders earn commission';

create table attributions (
    merchant_id uuid not null,
    order_id uuid not null,
    person_id uuid not null,
    revision bigint not null,
    paid_at timestamptz not null,
    constraint attributions_pkey primary key (merchant_id, order_id)
);

comment on table attributions is 'orders that may earn commission, looked at once: who earned stands in commissions';
comment on column attributions.merchant_id is 'the tenant';
comment on column attributions.order_id is 'the order, of the order service';
comment on column attributions.person_id is 'the buyer when the order was paid';
comment on column attributions.revision is 'the latest revision of the order that was taken in';
comment on column attributions.paid_at is 'when the order was paid: the instant of the binding and the rule';

create table commissions (
    merchant_id uuid not null,
    id uuid not null,
    order_id uuid not null,
    level smallint not null,
    promoter_id uuid not null,
    rate_bp integer not null,
    currency text not null,
    base_minor bigint not null,
    earned_minor bigint not null,
    paid_at timestamptz not null,
    constraint commissions_pkey primary key (merchant_id, id),
    constraint commissions_order_id_key unique (merchant_id, order_id, level),
    constraint commissions_order_id_fkey foreign key (merchant_id, order_id) references attributions (merchant_id, order_id),
    constraint commissions_promoter_id_fkey foreign key (merchant_id, promoter_id) references promoters (merchant_id, id),
    constraint commissions_level_check check (level in (1, 2)),
    constraint commissions_rate_bp_check check (rate_bp between 0 and 5000),
    constraint commissions_base_minor_check check (base_minor >= 0),
    constraint commissions_earned_minor_check check (earned_minor >= 0 and earned_minor <= base_minor)
);

comment on table commissions is 'what promoters earned from orders: the sum of the postings of an order and level';
comment on column commissions.merchant_id is 'the tenant';
comment on column commissions.id is 'the commission';
comment on column commissions.order_id is 'the order';
comment on column commissions.level is '1: brought the customer; 2: invited that promoter; there is no third';
comment on column commissions.promoter_id is 'who earned';
comment on column commissions.rate_bp is 'the rate when the order was paid';
comment on column commissions.currency is 'ISO 4217, of the amounts';
comment on column commissions.base_minor is 'what the rate is applied to, now';
comment on column commissions.earned_minor is 'what is earned now';
comment on column commissions.paid_at is 'when the order was paid';

create index commissions_promoter_id_idx on commissions (merchant_id, promoter_id, id);

select siyu_tenant_table('commission_rules');
select siyu_tenant_table('attributions');
select siyu_tenant_table('commissions');
