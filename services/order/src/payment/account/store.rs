//! The SQL of accounts with payment companies and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::Account;

/// An account.
pub async fn find(tx: &mut Tx, code: &str) -> Result<Option<Account>, siyu_pg::Error> {
    let account = sqlx::query_as(
        "select code, kind, paused, definition, sealed
        from provider_accounts
        where merchant_id = $1 and code = $2",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(account)
}

/// Locks an account, if it is there.
pub async fn lock(tx: &mut Tx, code: &str) -> Result<Option<Account>, siyu_pg::Error> {
    let account = sqlx::query_as(
        "select code, kind, paused, definition, sealed
        from provider_accounts
        where merchant_id = $1 and code = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(account)
}

/// Inserts an account or saves it.
pub async fn upsert(
    tx: &mut Tx,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into provider_accounts (merchant_id, code, kind, paused, definition, sealed, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        on conflict on constraint provider_accounts_pkey do update
        set paused = excluded.paused, definition = excluded.definition, sealed = excluded.sealed,
            updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(&account.code)
    .bind(account.kind)
    .bind(account.paused)
    .bind(&account.definition)
    .bind(&account.sealed)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Accounts after a code.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Account>, siyu_pg::Error> {
    let accounts = sqlx::query_as(
        "select code, kind, paused, definition, sealed
        from provider_accounts
        where merchant_id = $1 and ($2::text is null or code > $2)
        order by code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(accounts)
}
