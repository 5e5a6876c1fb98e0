create table ledger_lots (
    merchant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    amount bigint not null,
    remaining bigint not null,
    held bigint not null,
    earned_at timestamptz not null,
    available_at timestamptz not null,
    expires_at timestamptz,
    live smallint not null generated always as (case when remaining > 0 then 1 when remaining < 0 then -1 else 0 end) stored,
    constraint ledger_lots_pkey primary key (merchant_id, id),
    constraint ledger_lots_remaining_check check (
        case when id = account_id
            then amount = 0 and remaining <= 0 and held = 0
            else amount > 0 and held >= 0 and held <= remaining and remaining <= amount
        end
    )
) with (
    fillfactor = 70,
    autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = 2000, autovacuum_analyze_threshold = 2000
);

-- On `live` and not on `remaining`: a lot that is drawn in part stays where it is in the index.
create index ledger_lots_account_id_idx on ledger_lots (merchant_id, account_id) where live <> 0;
-- For the expiry job, which asks across merchants.
create index ledger_lots_expires_at_idx on ledger_lots (expires_at, merchant_id, id)
    where live <> 0 and expires_at is not null;

comment on table ledger_lots is
    'the parts of a balance; the remainders of an account''s lots sum to its balance, the reserved parts to its pending debits';
comment on column ledger_lots.merchant_id is 'whose ledger';
comment on column ledger_lots.id is
    'the transfer that created it; the account''s own id for its overdraft, whose remainder is what is owed, negative';
comment on column ledger_lots.account_id is 'whose part';
comment on column ledger_lots.amount is 'what it held at first; 0 for an overdraft';
comment on column ledger_lots.remaining is 'what is left';
comment on column ledger_lots.held is 'how much of that is reserved by open holds';
comment on column ledger_lots.earned_at is 'when its units were earned';
comment on column ledger_lots.available_at is 'from when on they can be spent';
comment on column ledger_lots.expires_at is 'from when on they can no longer be spent; null never';
comment on column ledger_lots.live is '1 something is left, 0 used up, -1 owed';

select siyu_tenant_table('ledger_lots');
revoke update, delete on ledger_lots from siyu_app, siyu_job;
grant update (remaining, held) on ledger_lots to siyu_app, siyu_job;

create table ledger_lot_moves (
    merchant_id uuid not null,
    transfer_id uuid not null,
    position integer not null,
    account_id uuid not null,
    lot_id uuid not null,
    kind text not null,
    remaining bigint not null,
    held bigint not null,
    constraint ledger_lot_moves_pkey primary key (merchant_id, transfer_id, position),
    constraint ledger_lot_moves_kind_check check (kind in ('feed', 'draw', 'return', 'settle', 'hold', 'release')),
    constraint ledger_lot_moves_change_check check (remaining <> 0 or held <> 0)
) with (
    autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = 2000, autovacuum_analyze_threshold = 2000
);

comment on table ledger_lot_moves is 'which transfer took how much from which lot, or put it there: append-only';
comment on column ledger_lot_moves.merchant_id is 'whose ledger';
comment on column ledger_lot_moves.transfer_id is 'the transfer';
comment on column ledger_lot_moves.position is 'the position among the moves of the transfer, from 0';
comment on column ledger_lot_moves.account_id is 'whose lot';
comment on column ledger_lot_moves.lot_id is 'the lot';
comment on column ledger_lot_moves.kind is
    'feed: a credit made it; draw: a debit took; return: a reversal gave back; settle: to what was owed; hold, release: reserved';
comment on column ledger_lot_moves.remaining is 'change of what is left';
comment on column ledger_lot_moves.held is 'change of what is reserved';

select siyu_tenant_table('ledger_lot_moves');
revoke update, delete on ledger_lot_moves from siyu_app, siyu_job;
