//! What others ask of the ledger: spendable amounts, entries, lots.

use chrono::{DateTime, Utc};
use siyu_pg::Error;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{AccountId, AccountKey, Flags, Funds, Lot, MerchantId, Record, TransferId};

/// What is in an account: the row.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct FundsRow {
    pub(crate) id: AccountId,
    #[sqlx(flatten)]
    pub(crate) key: AccountKey,
    #[sqlx(flatten)]
    pub(crate) funds: Funds,
}

/// What is in accounts at that instant, in any order; those that are not open are left out.
pub(crate) async fn funds(
    conn: &mut PgConnection,
    merchant: MerchantId,
    accounts: &[AccountId],
    now: DateTime<Utc>,
) -> Result<Vec<FundsRow>, Error> {
    let funds = sqlx::query_as(
        "select a.id, a.owner_id, a.code, a.asset, a.balance,
            case when a.keeps_lots then (
                select coalesce(sum(remaining - held), 0)::bigint
                from ledger_lots
                where merchant_id = $1 and account_id = a.id and live <> 0
                    and (id = account_id or available_at <= $3 and (expires_at is null or expires_at > $3))
            ) else a.balance - a.debits_pending end as available
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, owner_id, code, asset, flags & $4 <> 0 as keeps_lots,
                credits_posted - debits_posted as balance, debits_pending
            from ledger_accounts
            where merchant_id = $1 and id = k.id
            limit 1
        ) as a",
    )
    .bind(merchant)
    .bind(accounts)
    .bind(now)
    .bind(Flags::LOTS)
    .fetch_all(conn)
    .await?;
    Ok(funds)
}

/// The same for accounts that are known by what they are found by.
pub(crate) async fn funds_of(
    conn: &mut PgConnection,
    merchant: MerchantId,
    keys: &[AccountKey],
    now: DateTime<Utc>,
) -> Result<Vec<FundsRow>, Error> {
    let funds = sqlx::query_as(
        "select a.id, a.owner_id, a.code, a.asset, a.balance,
            case when a.keeps_lots then (
                select coalesce(sum(remaining - held), 0)::bigint
                from ledger_lots
                where merchant_id = $1 and account_id = a.id and live <> 0
                    and (id = account_id or available_at <= $5 and (expires_at is null or expires_at > $5))
            ) else a.balance - a.debits_pending end as available
        from unnest($2::uuid[], $3::smallint[], $4::text[]) as k (owner_id, code, asset)
        cross join lateral (
            select id, owner_id, code, asset, flags & $6 <> 0 as keeps_lots,
                credits_posted - debits_posted as balance, debits_pending
            from ledger_accounts
            where merchant_id = $1 and owner_id = k.owner_id and code = k.code and asset = k.asset and code > 0
            limit 1
        ) as a",
    )
    .bind(merchant)
    .bind(keys.iter().map(|key| key.owner).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.code).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.asset.as_str()).collect::<Vec<_>>())
    .bind(now)
    .bind(Flags::LOTS)
    .fetch_all(conn)
    .await?;
    Ok(funds)
}

/// The entries of an account below the number `before`, newest first.
pub(crate) async fn entries(
    conn: &mut PgConnection,
    merchant: MerchantId,
    account: AccountId,
    before: i64,
    limit: i64,
) -> Result<Vec<Record>, Error> {
    let entries = sqlx::query_as(
        "(
            select debit_entry as number, id, kind, debit_account_id,
                credit_account_id, amount, pending_id, reverses_id, code, reference_id, user_data, draw, draw_lot_id,
                earned_at, available_at, expires_at, until_at, debit_entry, credit_entry, debit_balance,
                credit_balance, posted_at
            from ledger_transfers
            where merchant_id = $1 and debit_account_id = $2 and debit_entry > 0 and debit_entry < $3
            order by debit_entry desc
            limit $4
        ) union all (
            select credit_entry, id, kind, debit_account_id,
                credit_account_id, amount, pending_id, reverses_id, code, reference_id, user_data, draw, draw_lot_id,
                earned_at, available_at, expires_at, until_at, debit_entry, credit_entry, debit_balance,
                credit_balance, posted_at
            from ledger_transfers
            where merchant_id = $1 and credit_account_id = $2 and credit_entry > 0 and credit_entry < $3
            order by credit_entry desc
            limit $4
        )
        order by number desc
        limit $4",
    )
    .bind(merchant)
    .bind(account)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(entries)
}

/// Transfers about one thing, in the order of their instants.
pub(crate) async fn about(
    conn: &mut PgConnection,
    merchant: MerchantId,
    reference: Uuid,
) -> Result<Vec<Record>, Error> {
    let records = sqlx::query_as(
        "select id, kind, debit_account_id, credit_account_id, amount, pending_id, reverses_id, code, reference_id,
            user_data, draw, draw_lot_id, earned_at, available_at, expires_at, until_at, debit_entry, credit_entry,
            debit_balance, credit_balance, posted_at
        from ledger_transfers
        where merchant_id = $1 and reference_id = $2
        order by posted_at, id",
    )
    .bind(merchant)
    .bind(reference)
    .fetch_all(conn)
    .await?;
    Ok(records)
}

/// Transfers by id, in any order.
pub(crate) async fn transfers(
    conn: &mut PgConnection,
    merchant: MerchantId,
    ids: &[TransferId],
) -> Result<Vec<Record>, Error> {
    let records = sqlx::query_as(
        "select t.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, kind, debit_account_id, credit_account_id, amount, pending_id, reverses_id, code, reference_id,
                user_data, draw, draw_lot_id, earned_at, available_at, expires_at, until_at, debit_entry, credit_entry,
                debit_balance, credit_balance, posted_at
            from ledger_transfers
            where merchant_id = $1 and id = k.id
            limit 1
        ) as t",
    )
    .bind(merchant)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(records)
}

/// The lots of accounts that have something left or owe, in the order in which they are drawn.
pub(crate) async fn live_lots(
    conn: &mut PgConnection,
    merchant: MerchantId,
    accounts: &[AccountId],
) -> Result<Vec<Lot>, Error> {
    let lots = sqlx::query_as(
        "select l.*
        from unnest($2::uuid[]) with ordinality as k (id, n)
        cross join lateral (
            select id, account_id, amount, remaining, held, earned_at, available_at, expires_at
            from ledger_lots
            where merchant_id = $1 and account_id = k.id and live <> 0
            offset 0
        ) as l
        order by k.n, l.expires_at nulls last, l.earned_at, l.id",
    )
    .bind(merchant)
    .bind(accounts)
    .fetch_all(conn)
    .await?;
    Ok(lots)
}
