//! The SQL of baselines and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

/// A baseline: the row.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Row {
    /// Counts the baselines of the merchant, from 1.
    pub version: i32,
    /// The last local day that it looks at.
    pub day: i32,
    /// The encoded pillars.
    pub pillars: Vec<u8>,
}

/// The baseline that counts, if there is one.
pub async fn latest(tx: &mut Tx) -> Result<Option<Row>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select version, day, pillars
        from triangle_baselines
        where merchant_id = $1
        order by version desc
        limit 1",
    )
    .bind(tx.merchant())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Inserts a baseline; returns how many were new: none when another of this version was faster.
pub async fn insert(
    tx: &mut Tx,
    row: &Row,
    definition_version: &str,
    now: DateTime<Utc>,
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into triangle_baselines (merchant_id, version, day, pillars, definition_version, taken_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict on constraint triangle_baselines_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(row.version)
    .bind(row.day)
    .bind(&row.pillars)
    .bind(definition_version)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}
