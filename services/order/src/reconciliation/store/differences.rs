//! The differences.

use siyu_pg::Tx;
use uuid::Uuid;

use crate::reconciliation::domain::{Difference, DifferenceId, Row, State};

/// The sum of the open differences of an account in a currency.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Suspense {
    /// The account.
    pub account_code: String,
    /// The currency.
    pub currency: String,
    /// What their books hold more than ours, in minor units.
    pub amount_minor: i64,
    /// How many differences.
    pub differences: i64,
}

/// Stores a difference.
pub async fn insert(tx: &mut Tx, found: &Difference) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into statement_differences (merchant_id, id, account_code, kind, out_no, day, difference, theirs_minor,
            theirs_currency, ours_minor, ours_currency, amount_minor, currency, state, resolved_by, note, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(tx.merchant())
    .bind(found.id)
    .bind(&found.account_code)
    .bind(found.kind)
    .bind(&found.out_no)
    .bind(found.day)
    .bind(found.difference)
    .bind(found.theirs_minor)
    .bind(&found.theirs_currency)
    .bind(found.ours_minor)
    .bind(&found.ours_currency)
    .bind(found.amount_minor)
    .bind(&found.currency)
    .bind(found.state)
    .bind(&found.resolved_by)
    .bind(&found.note)
    .bind(found.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves a difference that is locked.
pub async fn save(tx: &mut Tx, found: &Difference) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update statement_differences
        set day = $3, difference = $4, theirs_minor = $5, theirs_currency = $6, ours_minor = $7, ours_currency = $8,
            amount_minor = $9, currency = $10, state = $11, resolved_by = $12, note = $13, resolved_at = $14
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(found.id)
    .bind(found.day)
    .bind(found.difference)
    .bind(found.theirs_minor)
    .bind(&found.theirs_currency)
    .bind(found.ours_minor)
    .bind(&found.ours_currency)
    .bind(found.amount_minor)
    .bind(&found.currency)
    .bind(found.state)
    .bind(&found.resolved_by)
    .bind(&found.note)
    .bind(found.resolved_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a difference that is locked is there");
    Ok(())
}

/// Locks a difference.
pub async fn lock(tx: &mut Tx, id: DifferenceId) -> Result<Option<Difference>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select * from statement_differences where merchant_id = $1 and id = $2 for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found)
}

/// Locks what is known about the movements of a day, by movement.
pub async fn of_day(
    tx: &mut Tx,
    account: &str,
    day: i32,
) -> Result<Vec<Difference>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select * from statement_differences
        where merchant_id = $1 and account_code = $2 and day = $3
        order by kind, out_no
        for update",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(day)
    .fetch_all(&mut **tx)
    .await?;
    Ok(found)
}

/// Locks what is known about movements, by movement: it may stand under another day.
pub async fn of_movements(
    tx: &mut Tx,
    account: &str,
    rows: &[Row],
) -> Result<Vec<Difference>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select d.*
        from unnest($3::text[], $4::text[]) as k (kind, out_no)
        cross join lateral (
            select * from statement_differences
            where merchant_id = $1 and account_code = $2 and kind = k.kind and out_no = k.out_no
            limit 1
            for update
        ) as d",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.out_no.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(found)
}

/// Differences before an id, newest first: of an account or of all, in a state or in all.
pub async fn list(
    tx: &mut Tx,
    account: Option<&str>,
    state: Option<State>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Difference>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select * from statement_differences
        where merchant_id = $1 and ($2::text is null or account_code = $2) and ($3::text is null or state = $3)
            and ($4::uuid is null or id < $4)
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(state)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(found)
}

/// The sums of the open differences, by account and currency.
pub async fn suspense(tx: &mut Tx) -> Result<Vec<Suspense>, siyu_pg::Error> {
    let totals = sqlx::query_as(
        "select account_code, currency, sum(amount_minor)::bigint as amount_minor, count(*) as differences
        from statement_differences
        where merchant_id = $1 and state = 'open'
        group by account_code, currency
        order by account_code, currency",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(totals)
}
