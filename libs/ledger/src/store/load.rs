//! What a slice of transfers touches beside its accounts: the transfers it names, holds, lots.

use siyu_pg::Error;
use sqlx::{FromRow, PgConnection, Row};

use super::rows;
use crate::{
    AccountId, Lot, LotId, MerchantId, Move, Record, TransferId,
    plan::{Hold, Working},
};

/// The accounts of transfers in the journal. What is there never changes, so no lock is needed.
pub(crate) async fn accounts_of(
    conn: &mut PgConnection,
    merchant: MerchantId,
    transfers: &[TransferId],
) -> Result<Vec<(AccountId, AccountId)>, Error> {
    let accounts = sqlx::query_as(
        "select debit_account_id, credit_account_id
        from ledger_transfers
        where merchant_id = $1 and id = any($2)",
    )
    .bind(merchant)
    .bind(transfers)
    .fetch_all(conn)
    .await?;
    Ok(accounts)
}

/// Puts transfers of the journal into `work`, with the state of holds and the sum of earlier reversals. To be read after
/// the accounts are locked: a concurrent call may have just ended the hold, or posted the same transfer.
pub(crate) async fn records(
    conn: &mut PgConnection,
    merchant: MerchantId,
    transfers: &[TransferId],
    work: &mut Working,
) -> Result<(), Error> {
    let found = sqlx::query(
        "select t.id, t.kind, t.debit_account_id, t.credit_account_id, t.amount, t.pending_id, t.reverses_id, t.code,
            t.reference_id, t.user_data, t.draw, t.draw_lot_id, t.earned_at, t.available_at, t.expires_at, t.until_at,
            t.debit_entry, t.credit_entry, t.debit_balance, t.credit_balance, t.posted_at,
            h.state as hold_state, h.ended_by_id,
            (select sum(r.amount)::bigint from ledger_transfers as r where r.merchant_id = $1 and r.reverses_id = t.id)
                as reversed
        from ledger_transfers as t
        left join ledger_holds as h on h.merchant_id = $1 and h.pending_id = t.id
        where t.merchant_id = $1 and t.id = any($2)",
    )
    .bind(merchant)
    .bind(transfers)
    .fetch_all(conn)
    .await?;
    for row in &found {
        let record = Record::from_row(row)?;
        let hold: Option<Hold> = rows::hold(row)?;
        work.holds.extend(hold.map(|hold| (record.id, hold)));
        let reversed: Option<i64> = row.try_get("reversed").map_err(Error::from)?;
        work.reversed.extend(reversed.map(|sum| (record.id, sum)));
        work.records.insert(record.id, record);
    }
    Ok(())
}

/// What transfers did to lots, in order.
pub(crate) async fn moves(
    conn: &mut PgConnection,
    merchant: MerchantId,
    transfers: &[TransferId],
) -> Result<Vec<Move>, Error> {
    let moves = sqlx::query_as(
        "select transfer_id, position, account_id, lot_id, kind, remaining, held
        from ledger_lot_moves
        where merchant_id = $1 and transfer_id = any($2)
        order by transfer_id, position",
    )
    .bind(merchant)
    .bind(transfers)
    .fetch_all(conn)
    .await?;
    Ok(moves)
}

/// The lots of that ids, and all that have something left of the accounts `drawn`.
pub(crate) async fn lots(
    conn: &mut PgConnection,
    merchant: MerchantId,
    ids: &[LotId],
    drawn: &[AccountId],
) -> Result<Vec<Lot>, Error> {
    let lots = sqlx::query_as(
        "select id, account_id, amount, remaining, held, earned_at, available_at, expires_at
        from ledger_lots
        where merchant_id = $1 and id = any($2)
        union all
        select id, account_id, amount, remaining, held, earned_at, available_at, expires_at
        from ledger_lots
        where merchant_id = $1 and account_id = any($3) and live",
    )
    .bind(merchant)
    .bind(ids)
    .bind(drawn)
    .fetch_all(conn)
    .await?;
    Ok(lots)
}
