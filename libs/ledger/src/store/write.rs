//! Writes what a plan has made of a slice of transfers. Every row is of an account that the caller has locked, so every
//! statement knows how many rows it must touch.

use siyu_pg::OnConstraint;
use sqlx::PgConnection;

use super::rows::draw_columns;
use crate::{Account, Error, Lot, MerchantId, Move, Record, TransferId, plan::Hold};

/// Appends transfers to the journal and sets the counters of their accounts.
pub(crate) async fn transfers(
    conn: &mut PgConnection,
    merchant: MerchantId,
    records: &[Record],
    accounts: &[Account],
) -> Result<(), Error> {
    let (appended, counted): (i64, i64) = sqlx::query_as(
        "with appended as (
            insert into ledger_transfers (
                merchant_id, id, kind, debit_account_id, credit_account_id, amount, pending_id, reverses_id, code,
                reference_id, user_data, draw, draw_lot_id, earned_at, available_at, expires_at, until_at,
                debit_entry, credit_entry, debit_balance, credit_balance, posted_at
            )
            select $1, v.*
            from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::uuid[], $8::uuid[],
                $9::smallint[], $10::uuid[], $11::bigint[], $12::text[], $13::uuid[], $14::timestamptz[],
                $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::bigint[], $19::bigint[],
                $20::bigint[], $21::bigint[], $22::timestamptz[]) as v
            returning 1
        ), counted as (
            insert into ledger_accounts as a (
                merchant_id, id, owner_id, code, asset, flags, created_at, debits_posted, credits_posted,
                debits_pending, credits_pending, entries
            )
            select $1, v.*
            from unnest($23::uuid[], $24::uuid[], $25::smallint[], $26::text[], $27::smallint[], $28::timestamptz[],
                $29::bigint[], $30::bigint[], $31::bigint[], $32::bigint[], $33::bigint[]) as v
            on conflict on constraint ledger_accounts_pkey do update
            set debits_posted = excluded.debits_posted, credits_posted = excluded.credits_posted,
                debits_pending = excluded.debits_pending, credits_pending = excluded.credits_pending,
                entries = excluded.entries
            returning 1
        )
        select (select count(*) from appended), (select count(*) from counted)",
    )
    .bind(merchant)
    .bind(column(records, |r| r.id))
    .bind(column(records, |r| r.kind.as_str()))
    .bind(column(records, |r| r.debit))
    .bind(column(records, |r| r.credit))
    .bind(column(records, |r| r.amount))
    .bind(column(records, |r| r.target.filter(|_| r.kind.ends_hold())))
    .bind(column(records, |r| r.target.filter(|_| !r.kind.ends_hold())))
    .bind(column(records, |r| r.code))
    .bind(column(records, |r| r.reference))
    .bind(column(records, |r| r.user_data))
    .bind(column(records, |r| draw_columns(r.draw).0))
    .bind(column(records, |r| draw_columns(r.draw).1))
    .bind(column(records, |r| r.lot.map(|terms| terms.earned_at)))
    .bind(column(records, |r| r.lot.map(|terms| terms.available_at)))
    .bind(column(records, |r| r.lot.and_then(|terms| terms.expires_at)))
    .bind(column(records, |r| r.until))
    .bind(column(records, |r| r.debit_entry))
    .bind(column(records, |r| r.credit_entry))
    .bind(column(records, |r| r.debit_balance))
    .bind(column(records, |r| r.credit_balance))
    .bind(column(records, |r| r.posted_at))
    .bind(column(accounts, |a| a.id))
    .bind(column(accounts, |a| a.key.owner))
    .bind(column(accounts, |a| a.key.code))
    .bind(accounts.iter().map(|a| a.key.asset.as_str()).collect::<Vec<_>>())
    .bind(column(accounts, |a| a.flags))
    .bind(column(accounts, |a| a.created_at))
    .bind(column(accounts, |a| a.debits_posted))
    .bind(column(accounts, |a| a.credits_posted))
    .bind(column(accounts, |a| a.debits_pending))
    .bind(column(accounts, |a| a.credits_pending))
    .bind(column(accounts, |a| a.entries))
    .fetch_one(conn)
    .await
    .on_constraint("ledger_transfers_pkey", Error::Raced)?;
    expect(appended, records.len(), "transfers")?;
    expect(counted, accounts.len(), "accounts")
}

/// Opens holds, and ends those that are open.
pub(crate) async fn holds(
    conn: &mut PgConnection,
    merchant: MerchantId,
    holds: &[(TransferId, Hold)],
) -> Result<(), Error> {
    let done = sqlx::query(
        "insert into ledger_holds as h (merchant_id, pending_id, state, expires_at, ended_by_id)
        select $1, v.*
        from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[]) as v
        on conflict on constraint ledger_holds_pkey do update
        set state = excluded.state, ended_by_id = excluded.ended_by_id
        where h.state = 'open'",
    )
    .bind(merchant)
    .bind(column(holds, |(pending, _)| *pending))
    .bind(column(holds, |(_, hold)| hold.state.as_str()))
    .bind(column(holds, |(_, hold)| hold.expires_at))
    .bind(column(holds, |(_, hold)| hold.ended_by))
    .execute(conn)
    .await
    .map_err(siyu_pg::Error::from)?;
    expect(done.rows_affected(), holds.len(), "holds")
}

/// Creates lots and changes what is left of them, and appends why.
pub(crate) async fn lots(
    conn: &mut PgConnection,
    merchant: MerchantId,
    lots: &[Lot],
    moves: &[Move],
) -> Result<(), Error> {
    let (changed, appended): (i64, i64) = sqlx::query_as(
        "with changed as (
            insert into ledger_lots as l (
                merchant_id, id, account_id, amount, remaining, held, earned_at, available_at, expires_at
            )
            select $1, v.*
            from unnest(
                $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[],
                $8::timestamptz[], $9::timestamptz[]
            ) as v
            on conflict on constraint ledger_lots_pkey do update
            set remaining = excluded.remaining, held = excluded.held
            where l.account_id = excluded.account_id and l.amount = excluded.amount
            returning 1
        ), appended as (
            insert into ledger_lot_moves (
                merchant_id, transfer_id, position, account_id, lot_id, kind, remaining, held
            )
            select $1, v.*
            from unnest(
                $10::uuid[], $11::integer[], $12::uuid[], $13::uuid[], $14::text[], $15::bigint[], $16::bigint[]
            ) as v
            returning 1
        )
        select (select count(*) from changed), (select count(*) from appended)",
    )
    .bind(merchant)
    .bind(column(lots, |l| l.id))
    .bind(column(lots, |l| l.account))
    .bind(column(lots, |l| l.amount))
    .bind(column(lots, |l| l.remaining))
    .bind(column(lots, |l| l.held))
    .bind(column(lots, |l| l.terms.earned_at))
    .bind(column(lots, |l| l.terms.available_at))
    .bind(column(lots, |l| l.terms.expires_at))
    .bind(column(moves, |m| m.transfer))
    .bind(column(moves, |m| m.position))
    .bind(column(moves, |m| m.account))
    .bind(column(moves, |m| m.lot))
    .bind(column(moves, |m| m.kind.as_str()))
    .bind(column(moves, |m| m.remaining))
    .bind(column(moves, |m| m.held))
    .fetch_one(conn)
    .await
    .map_err(siyu_pg::Error::from)?;
    expect(changed, lots.len(), "lots")?;
    expect(appended, moves.len(), "moves of lots")
}

fn column<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn expect<N>(touched: N, wanted: usize, rows: &'static str) -> Result<(), Error>
where
    usize: TryFrom<N>,
{
    match usize::try_from(touched) {
        Ok(touched) if touched == wanted => Ok(()),
        _ => Err(Error::Inconsistent(rows)),
    }
}
