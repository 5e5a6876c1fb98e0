-- fillfactor: room for the next version of a row on its own page, for balances change often and no index covers them.
-- autovacuum: a table that is analysed while it is tiny is then read from end to end until the next time.
create table ledger_accounts (
    merchant_id uuid not null,
    id uuid not null,
    owner_id uuid not null,
    code smallint not null,
    asset text not null,
    flags smallint not null,
    debits_posted bigint not null default 0,
    credits_posted bigint not null default 0,
    debits_pending bigint not null default 0,
    credits_pending bigint not null default 0,
    entries bigint not null default 0,
    created_at timestamptz not null,
    constraint ledger_accounts_pkey primary key (merchant_id, id),
    constraint ledger_accounts_code_check check (code > 0),
    constraint ledger_accounts_asset_check check (char_length(asset) between 1 and 16),
    constraint ledger_accounts_flags_check check (flags between 0 and 7 and flags & 3 <> 3 and flags & 6 <> 6),
    constraint ledger_accounts_counters_check check (
        debits_posted >= 0 and credits_posted >= 0 and debits_pending >= 0 and credits_pending >= 0 and entries >= 0
    ),
    constraint ledger_accounts_debits_check check (
        flags & 1 = 0 or debits_posted + debits_pending <= credits_posted
    ),
    constraint ledger_accounts_credits_check check (
        flags & 2 = 0 or credits_posted + credits_pending <= debits_posted
    )
) with (
    fillfactor = 70,
    autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = 2000, autovacuum_analyze_threshold = 2000
);

-- Partial, with a predicate that always holds. Without statistics the planner believes that a merchant has one row; then
-- all indexes that lead with the merchant cost the same for a look-up by the primary key, and it may take this one and
-- read all rows of the merchant. A look-up by the primary key does not name the predicate, so it cannot. Those that are
-- meant do, and find this index cheaper. The same in the other tables of the ledger.
create unique index ledger_accounts_owner_id_code_asset_key on ledger_accounts (merchant_id, owner_id, code, asset)
    where code > 0;

comment on table ledger_accounts is 'accounts of the journal; every balance is the sum of its transfers';
comment on column ledger_accounts.id is 'the account';
comment on column ledger_accounts.merchant_id is 'whose ledger';
comment on column ledger_accounts.owner_id is 'whose account: a person, an order; the nil uuid for what the merchant has once';
comment on column ledger_accounts.code is 'what kind of account, in the numbering of the owning service';
comment on column ledger_accounts.asset is 'what it counts: a currency in minor units, points, growth';
comment on column ledger_accounts.flags is
    'bits: 1 debits must not exceed credits, 2 credits must not exceed debits, 4 lots; never changes';
comment on column ledger_accounts.debits_posted is 'sum of what was taken';
comment on column ledger_accounts.credits_posted is 'sum of what was put in';
comment on column ledger_accounts.debits_pending is 'what open holds may still take';
comment on column ledger_accounts.credits_pending is 'what open holds may still put in';
comment on column ledger_accounts.entries is 'how many transfers touched it; the number of the newest entry';
comment on column ledger_accounts.created_at is 'when it was opened';

select siyu_tenant_table('ledger_accounts');
-- An account stays for ever, and what it is never changes: only its counters move.
revoke update, delete on ledger_accounts from siyu_app, siyu_job;
grant update (debits_posted, credits_posted, debits_pending, credits_pending, entries) on ledger_accounts to siyu_app, siyu_job;
