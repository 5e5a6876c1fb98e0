//! The SQL of budgets and limits.

use chrono::{DateTime, NaiveDate, Utc};
use siyu_pg::{OnConstraint, Tx};

/// A budget: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Budget {
    /// The merchant's own key.
    pub code: String,
    /// All that may be sent.
    pub total_minor: i64,
    /// What is reserved or sent, and did not come back.
    pub spent_minor: i64,
}

/// A budget was set below what is sent.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// It was.
    #[error("a budget is below what is sent")]
    Below,
    /// The database said no.
    #[error(transparent)]
    Store(#[from] siyu_pg::Error),
}

/// What a limit counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What is limited: "order", "person" or "employee".
    pub kind: &'static str,
    /// Which one.
    pub key: String,
    /// The day, or the first of all days for what is no limit of a day.
    pub day: NaiveDate,
    /// The most packets.
    pub packets_max: i32,
    /// The most money.
    pub minor_max: i64,
}

/// The merchant's encoded limits.
pub async fn policy(tx: &mut Tx) -> Result<Option<Vec<u8>>, siyu_pg::Error> {
    let definition =
        sqlx::query_scalar("select definition from red_packet_policies where merchant_id = $1")
            .bind(tx.merchant())
            .fetch_optional(&mut **tx)
            .await?;
    Ok(definition)
}

/// Saves the merchant's limits.
pub async fn save_policy(
    tx: &mut Tx,
    definition: &[u8],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into red_packet_policies (merchant_id, definition, updated_at) values ($1, $2, $3)
        on conflict on constraint red_packet_policies_pkey do update
        set definition = excluded.definition, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(definition)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Sets budgets; sorted by code, so that two calls never wait for each other.
pub async fn upsert_budgets(
    tx: &mut Tx,
    budgets: &[Budget],
    now: DateTime<Utc>,
) -> Result<(), BudgetError> {
    sqlx::query(
        "insert into red_packet_budgets (merchant_id, code, total_minor, spent_minor, updated_at)
        select $1, n.code, n.total_minor, 0, $4 from unnest($2::text[], $3::bigint[]) as n (code, total_minor)
        on conflict on constraint red_packet_budgets_pkey do update
        set total_minor = excluded.total_minor, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(budgets.iter().map(|budget| budget.code.as_str()).collect::<Vec<_>>())
    .bind(budgets.iter().map(|budget| budget.total_minor).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await
    .on_constraint("red_packet_budgets_spent_minor_check", BudgetError::Below)?;
    Ok(())
}

/// Budgets after a code.
pub async fn budgets(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Budget>, siyu_pg::Error> {
    let budgets = sqlx::query_as(
        "select code, total_minor, spent_minor
        from red_packet_budgets
        where merchant_id = $1 and ($2::text is null or code > $2)
        order by code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(budgets)
}

/// Whether there is a budget.
pub async fn has_budget(tx: &mut Tx, code: &str) -> Result<bool, siyu_pg::Error> {
    let has = sqlx::query_scalar(
        "select exists (select from red_packet_budgets where merchant_id = $1 and code = $2)",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_one(&mut **tx)
    .await?;
    Ok(has)
}

/// Reserves of a budget, if there is so much left; from here on until the commit others wait.
pub async fn reserve(tx: &mut Tx, code: &str, minor: i64) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "update red_packet_budgets set spent_minor = spent_minor + $3
        where merchant_id = $1 and code = $2 and spent_minor + $3 <= total_minor",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(minor)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts a packet for a limit, if that allows it.
pub async fn count(tx: &mut Tx, limit: &Limit, minor: i64) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into red_packet_counts as c (merchant_id, kind, key, day, packets, minor)
        select $1, $2, $3, $4, 1, $5::bigint where $5::bigint <= $7 and $6 >= 1
        on conflict on constraint red_packet_counts_pkey do update
        set packets = c.packets + 1, minor = c.minor + excluded.minor
        where c.packets < $6 and c.minor + excluded.minor <= $7",
    )
    .bind(tx.merchant())
    .bind(limit.kind)
    .bind(&limit.key)
    .bind(limit.day)
    .bind(minor)
    .bind(limit.packets_max)
    .bind(limit.minor_max)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives back what was counted for a packet that was not sent.
pub async fn uncount(tx: &mut Tx, limit: &Limit, minor: i64) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update red_packet_counts set packets = packets - 1, minor = minor - $5
        where merchant_id = $1 and kind = $2 and key = $3 and day = $4",
    )
    .bind(tx.merchant())
    .bind(limit.kind)
    .bind(&limit.key)
    .bind(limit.day)
    .bind(minor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
