//! The SQL of the vault's keys and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::{SystemTx, Tx};

/// A sealed key of a merchant: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct WrappedKey {
    /// The number that sealed values name.
    pub number: i32,
    /// The configured key that seals it.
    pub wrapped_by: String,
    /// The sealed key.
    pub wrapped: Vec<u8>,
}

/// The keys of the merchant, oldest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<WrappedKey>, siyu_pg::Error> {
    let keys = sqlx::query_as(
        "select number, wrapped_by, wrapped from vault_keys where merchant_id = $1 order by number",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(keys)
}

/// Keeps a key, unless another process was faster with its number.
pub async fn insert(
    tx: &mut Tx,
    key: &WrappedKey,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into vault_keys (merchant_id, number, wrapped_by, wrapped, created_at)
        values ($1, $2, $3, $4, $5)
        on conflict on constraint vault_keys_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(key.number)
    .bind(&key.wrapped_by)
    .bind(&key.wrapped)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps a key as another configured key seals it.
pub async fn save(tx: &mut Tx, key: &WrappedKey) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update vault_keys set wrapped_by = $3, wrapped = $4 where merchant_id = $1 and number = $2",
    )
    .bind(tx.merchant())
    .bind(key.number)
    .bind(&key.wrapped_by)
    .bind(&key.wrapped)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The ids of all configured keys that keys of merchants are sealed with.
pub async fn wrapped_by(tx: &mut SystemTx) -> Result<Vec<String>, siyu_pg::Error> {
    let ids = sqlx::query_scalar("select distinct wrapped_by from vault_keys")
        .fetch_all(&mut **tx)
        .await?;
    Ok(ids)
}
