//! What a slice of transfers touches beside its accounts: the transfers it names, holds, lots.

use siyu_pg::Error;
use sqlx::{FromRow, PgConnection, Row};

use super::rows;
use crate::{
    AccountId, Lot, LotId, MerchantId, Move, Record, TransferId,
    plan::{Hold, Working},
};

/// Transfers with the accounts that they debited and credited. What is in the journal never changes, so no lock is needed.
pub(crate) async fn sides(
    conn: &mut PgConnection,
    merchant: MerchantId,
    transfers: &[TransferId],
) -> Result<Vec<(TransferId, AccountId, AccountId)>, Error> {
    let sides = sqlx::query_as(
        "select t.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, debit_account_id, credit_account_id
            from ledger_transfers
            where merchant_id = $1 and id = k.id
            limit 1
        ) as t",
    )
    .bind(merchant)
    .bind(transfers)
    .fetch_all(conn)
    .await?;
    Ok(sides)
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
        "select t.*, h.state as hold_state, h.ended_by_id,
            (
                select sum(amount)::bigint
                from ledger_transfers
                where merchant_id = $1 and reverses_id = t.id and kind = 'reverse'
            ) as reversed
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, kind, debit_account_id, credit_account_id, amount, pending_id, reverses_id, code,
                reference_id, user_data, draw, draw_lot_id, earned_at, available_at, expires_at, until_at,
                debit_entry, credit_entry, debit_balance, credit_balance, posted_at
            from ledger_transfers
            where merchant_id = $1 and id = k.id
            limit 1
        ) as t
        left join lateral (
            select state, ended_by_id from ledger_holds where merchant_id = $1 and pending_id = t.id limit 1
        ) as h on true",
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
        "select m.*
        from unnest($2::uuid[]) with ordinality as k (id, n)
        cross join lateral (
            select transfer_id, position, account_id, lot_id, kind, remaining, held
            from ledger_lot_moves
            where merchant_id = $1 and transfer_id = k.id
            offset 0
        ) as m
        order by k.n, m.position",
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
        "select l.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, account_id, amount, remaining, held, earned_at, available_at, expires_at
            from ledger_lots
            where merchant_id = $1 and id = k.id
            limit 1
        ) as l
        union all
        select l.*
        from unnest($3::uuid[]) as k (id)
        cross join lateral (
            select id, account_id, amount, remaining, held, earned_at, available_at, expires_at
            from ledger_lots
            where merchant_id = $1 and account_id = k.id and live <> 0
            offset 0
        ) as l",
    )
    .bind(merchant)
    .bind(ids)
    .bind(drawn)
    .fetch_all(conn)
    .await?;
    Ok(lots)
}
