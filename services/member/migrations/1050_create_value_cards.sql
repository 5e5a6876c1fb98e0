create table issuers (
    merchant_id uuid not null,
    id uuid not null,
    name text not null,
    industry text not null,
    scale text not null,
    last_year_revenue_minor bigint not null,
    created_at timestamptz not null,
    constraint issuers_pkey primary key (merchant_id, id),
    constraint issuers_industry_check
        check (industry in ('retail', 'catering', 'accommodation', 'resident_services')),
    constraint issuers_scale_check check (scale in ('small', 'large', 'group', 'brand')),
    constraint issuers_last_year_revenue_minor_check check (last_year_revenue_minor >= 0)
);

comment on table issuers is 'legal entities that issue stored-value cards';
comment on column issuers.merchant_id is 'the tenant';
comment on column issuers.id is 'the entity';
comment on column issuers.name is 'the name in the register';
comment on column issuers.industry is 'what it does: which rule bounds its prepaid balance';
comment on column issuers.scale is 'how large it is: what it keeps in custody';
comment on column issuers.last_year_revenue_minor is 'revenue of its main business in the last year; 0: not known';
comment on column issuers.created_at is 'when it was added';

create table prepaid_policies (
    merchant_id uuid not null,
    version bigint not null,
    effective_at timestamptz not null,
    rules bytea not null,
    created_at timestamptz not null,
    constraint prepaid_policies_pkey primary key (merchant_id, version),
    constraint prepaid_policies_version_check check (version >= 1)
);

comment on table prepaid_policies is 'the rules of a merchant for prepaid cards, in versions';
comment on column prepaid_policies.merchant_id is 'the tenant';
comment on column prepaid_policies.version is 'counts from 1';
comment on column prepaid_policies.effective_at is 'from when on it is in force';
comment on column prepaid_policies.rules is 'an encoded siyu.member.v1.PrepaidPolicy: read whole, never searched';
comment on column prepaid_policies.created_at is 'when it was set';

create index prepaid_policies_effective_at_idx on prepaid_policies (merchant_id, effective_at, version);

create table value_cards (
    merchant_id uuid not null,
    id uuid not null,
    number text not null,
    kind text not null,
    state text not null,
    person_id uuid,
    origin_person_id uuid,
    issuer_id uuid not null,
    store_id uuid,
    origin_card_id uuid,
    principal_account_id uuid not null,
    bonus_account_id uuid not null,
    outside_principal_account_id uuid not null,
    outside_bonus_account_id uuid not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    constraint value_cards_pkey primary key (merchant_id, id),
    constraint value_cards_number_key unique (merchant_id, number),
    constraint value_cards_person_id_fkey foreign key (merchant_id, person_id) references persons (merchant_id, id),
    constraint value_cards_issuer_id_fkey foreign key (merchant_id, issuer_id) references issuers (merchant_id, id),
    constraint value_cards_store_id_fkey foreign key (merchant_id, store_id) references stores (merchant_id, id),
    constraint value_cards_kind_check check (kind in ('named', 'bearer')),
    constraint value_cards_state_check check (state in ('active', 'frozen', 'closed', 'gifted')),
    constraint value_cards_holder_check check (kind = 'bearer' or state = 'gifted' or person_id is not null),
    constraint value_cards_expiry_check check (kind = 'bearer' or expires_at is null)
);

comment on table value_cards is 'stored-value cards: accounts of persons with issuers';
comment on column value_cards.merchant_id is 'the tenant';
comment on column value_cards.id is 'the card';
comment on column value_cards.number is 'what it is known by outside; nobody can guess it';
comment on column value_cards.kind is 'who may use it';
comment on column value_cards.state is 'what it can do';
comment on column value_cards.person_id is 'the holder; null for a bearer card that nobody is known of';
comment on column value_cards.origin_person_id is 'whose it was before a merge of persons; null for all others';
comment on column value_cards.issuer_id is 'who owes the value';
comment on column value_cards.store_id is 'the store that issued it; null: headquarters';
comment on column value_cards.origin_card_id is 'the card that its value was given from; null for all others';
comment on column value_cards.principal_account_id is 'the account of the ledger that holds what was paid in';
comment on column value_cards.bonus_account_id is 'the account of the ledger that holds what was given on top';
comment on column value_cards.outside_principal_account_id is
    'the other side of the principal; one for each card, so that two cards never wait for each other';
comment on column value_cards.outside_bonus_account_id is 'the other side of the bonus';
comment on column value_cards.expires_at is 'until when a bearer card is valid; null for named ones, which never expire';
comment on column value_cards.created_at is 'when it was opened';

create index value_cards_person_id_idx on value_cards (merchant_id, person_id, id);

create table value_entries (
    merchant_id uuid not null,
    id uuid not null,
    card_id uuid not null,
    issuer_id uuid not null,
    issued_store_id uuid,
    store_id uuid,
    day date not null,
    kind text not null,
    subject text not null,
    principal_minor bigint not null,
    bonus_minor bigint not null,
    kept_minor bigint not null,
    created_at timestamptz not null,
    constraint value_entries_pkey primary key (merchant_id, id),
    constraint value_entries_kind_check check (kind in ('recharge', 'recharge_refund', 'pay', 'refund', 'redeem',
        'bonus_expired', 'transfer_out', 'transfer_in')),
    constraint value_entries_kept_minor_check check (kept_minor >= 0)
);

comment on table value_entries is 'what changed the balances of cards, in words; only added to';
comment on column value_entries.merchant_id is 'the tenant';
comment on column value_entries.id is 'the entry, in the order of writing';
comment on column value_entries.card_id is 'the card';
comment on column value_entries.issuer_id is 'who owes the value';
comment on column value_entries.issued_store_id is 'the store that issued the card; null: headquarters';
comment on column value_entries.store_id is 'where it happened; null: headquarters';
comment on column value_entries.day is 'the day in the zone of the merchant';
comment on column value_entries.kind is 'what it was';
comment on column value_entries.subject is 'the id of what it was for';
comment on column value_entries.principal_minor is 'what the principal changed by';
comment on column value_entries.bonus_minor is 'what the bonus changed by';
comment on column value_entries.kept_minor is 'what of the principal the merchant kept without giving anything for it';
comment on column value_entries.created_at is 'when it happened';

create index value_entries_card_id_idx on value_entries (merchant_id, card_id, id);
create index value_entries_issuer_id_idx on value_entries (merchant_id, issuer_id, day)
    include (issued_store_id, store_id, kind, principal_minor, bonus_minor, kept_minor);

select siyu_tenant_table('issuers');
select siyu_tenant_table('prepaid_policies');
select siyu_tenant_table('value_cards');
select siyu_tenant_table('value_entries');
