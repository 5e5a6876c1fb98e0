-- No foreign keys among the tables of the ledger: whoever inserts has just locked the accounts, and nobody may delete a
-- row. They would cost several look-ups a transfer; `siyu ledger check` looks for orphans instead.
create table ledger_transfers (
    merchant_id uuid not null,
    id uuid not null,
    kind text not null,
    debit_account_id uuid not null,
    credit_account_id uuid not null,
    amount bigint not null,
    pending_id uuid,
    reverses_id uuid,
    code smallint not null,
    reference_id uuid,
    user_data bigint not null default 0,
    draw text,
    draw_lot_id uuid,
    earned_at timestamptz,
    available_at timestamptz,
    expires_at timestamptz,
    until_at timestamptz,
    debit_entry bigint not null,
    credit_entry bigint not null,
    debit_balance bigint not null,
    credit_balance bigint not null,
    posted_at timestamptz not null,
    constraint ledger_transfers_pkey primary key (merchant_id, id),
    constraint ledger_transfers_kind_check check (
        kind in ('post', 'pending', 'post_pending', 'void_pending', 'expire_pending', 'reverse')
    ),
    constraint ledger_transfers_accounts_check check (debit_account_id <> credit_account_id),
    constraint ledger_transfers_amount_check check (amount > 0),
    constraint ledger_transfers_pending_id_check check (
        (pending_id is not null) = (kind in ('post_pending', 'void_pending', 'expire_pending'))
    ),
    constraint ledger_transfers_reverses_id_check check ((reverses_id is not null) = (kind = 'reverse')),
    constraint ledger_transfers_code_check check (code > 0),
    constraint ledger_transfers_draw_check check (
        draw in ('covered', 'overdraft', 'lot') and (draw = 'lot') = (draw_lot_id is not null)
        or draw is null and draw_lot_id is null
    ),
    constraint ledger_transfers_lot_check check (
        (earned_at is null) = (available_at is null) and (earned_at is not null or expires_at is null)
    ),
    constraint ledger_transfers_entries_check check (debit_entry > 0 and credit_entry > 0)
) with (
    autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = 2000, autovacuum_analyze_threshold = 2000
);

-- A gapless number for each entry of an account, so a lost update cannot go unnoticed: it would take a number twice.
create unique index ledger_transfers_debit_account_id_debit_entry_key
    on ledger_transfers (merchant_id, debit_account_id, debit_entry) where debit_entry > 0;
create unique index ledger_transfers_credit_account_id_credit_entry_key
    on ledger_transfers (merchant_id, credit_account_id, credit_entry) where credit_entry > 0;
-- A hold ends once, even if no lock were held.
create unique index ledger_transfers_pending_id_key on ledger_transfers (merchant_id, pending_id)
    where pending_id is not null;
create index ledger_transfers_reverses_id_idx on ledger_transfers (merchant_id, reverses_id) where kind = 'reverse';
create index ledger_transfers_reference_id_idx on ledger_transfers (merchant_id, reference_id, posted_at, id)
    where reference_id is not null;

comment on table ledger_transfers is 'the journal: append-only; a correction is another transfer';
comment on column ledger_transfers.merchant_id is 'whose ledger';
comment on column ledger_transfers.id is 'drawn by the poster; the same transfer again changes nothing';
comment on column ledger_transfers.kind is
    'post: units moved; pending: reserved; post_pending, void_pending, expire_pending: how that ended; reverse: moved back';
comment on column ledger_transfers.debit_account_id is 'where units were taken from';
comment on column ledger_transfers.credit_account_id is 'where they were put';
comment on column ledger_transfers.amount is 'units moved, reserved or released, in the smallest unit of the asset';
comment on column ledger_transfers.pending_id is 'the pending transfer that it ends';
comment on column ledger_transfers.reverses_id is 'the transfer that it moves back, in part or as a whole';
comment on column ledger_transfers.code is 'why, in the numbering of the owning service';
comment on column ledger_transfers.reference_id is 'what it is about: an order, a refund';
comment on column ledger_transfers.user_data is 'a number of the owning service';
comment on column ledger_transfers.draw is
    'what the debit might draw on: null by the limits of the account, covered, overdraft, lot';
comment on column ledger_transfers.draw_lot_id is 'the one lot that the debit might draw on';
comment on column ledger_transfers.earned_at is 'asked for the lot it creates: when its units were earned';
comment on column ledger_transfers.available_at is 'asked for the lot it creates: from when on they can be spent';
comment on column ledger_transfers.expires_at is 'asked for the lot it creates: from when on they can no longer be spent';
comment on column ledger_transfers.until_at is
    'pending: when the hold ends by itself; reverse: until when units of expired lots are restored, null to forfeit them';
comment on column ledger_transfers.debit_entry is 'its number among the entries of the debit account, from 1 without gaps';
comment on column ledger_transfers.credit_entry is 'its number among the entries of the credit account';
comment on column ledger_transfers.debit_balance is 'posted credits less posted debits of the debit account after it';
comment on column ledger_transfers.credit_balance is 'the same of the credit account';
comment on column ledger_transfers.posted_at is 'the instant that the poster was given';

select siyu_tenant_table('ledger_transfers');
revoke update, delete on ledger_transfers from siyu_app, siyu_job;
