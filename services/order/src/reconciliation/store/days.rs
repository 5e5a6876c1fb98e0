//! The days that were compared.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

/// A day with its sums.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Day {
    /// The account.
    pub account_code: String,
    /// The day.
    pub day: i32,
    /// Whether all of the statement is here.
    pub complete: bool,
    /// When it was compared last.
    pub compared_at: DateTime<Utc>,
    /// Rows of the statement.
    pub rows: i64,
    /// The currencies of the statement.
    pub currencies: Vec<String>,
    /// Payments of the statement in each of them, in minor units.
    pub paid_minor: Vec<i64>,
    /// Refunds of the statement in each of them, in minor units.
    pub refunded_minor: Vec<i64>,
    /// Rows that we do not have.
    pub missing_here: i64,
    /// Movements of ours that the statement does not have.
    pub missing_there: i64,
    /// Rows with another amount or currency than ours.
    pub amount_differs: i64,
    /// Differences that are open.
    pub open: i64,
}

/// Opens a day or locks the one that is there: two imports of a day come one after the other. A day that was complete stays so.
pub async fn open_day(
    tx: &mut Tx,
    account: &str,
    day: i32,
    complete: bool,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let complete = sqlx::query_scalar(
        "insert into statement_days (merchant_id, account_code, day, complete, compared_at)
        values ($1, $2, $3, $4, $5)
        on conflict on constraint statement_days_pkey do update
        set complete = statement_days.complete or excluded.complete, compared_at = excluded.compared_at
        returning complete",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(day)
    .bind(complete)
    .bind(now)
    .fetch_one(&mut **tx)
    .await?;
    Ok(complete)
}

/// Days of an account before one, latest first, with their sums.
pub async fn days(
    tx: &mut Tx,
    account: &str,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Day>, siyu_pg::Error> {
    let days = sqlx::query_as(
        "select d.account_code, d.day, d.complete, d.compared_at, r.rows, r.currencies, r.paid_minor, r.refunded_minor,
            w.missing_here, w.missing_there, w.amount_differs, w.open
        from statement_days d
        cross join lateral (
            select coalesce(sum(s.rows), 0)::bigint as rows,
                coalesce(array_agg(s.currency order by s.currency), '{}') as currencies,
                coalesce(array_agg(s.paid order by s.currency), '{}') as paid_minor,
                coalesce(array_agg(s.refunded order by s.currency), '{}') as refunded_minor
            from (
                select currency, count(*) as rows,
                    coalesce(sum(amount_minor) filter (where kind = 'payment'), 0)::bigint as paid,
                    coalesce(sum(amount_minor) filter (where kind = 'refund'), 0)::bigint as refunded
                from statement_rows
                where merchant_id = $1 and account_code = $2 and day = d.day
                group by currency
            ) as s
        ) as r
        cross join lateral (
            select count(*) filter (where difference = 'missing_here' and resolved_by <> 'statement') as missing_here,
                count(*) filter (where difference = 'missing_there' and resolved_by <> 'statement') as missing_there,
                count(*) filter (where difference = 'amount_differs' and resolved_by <> 'statement') as amount_differs,
                count(*) filter (where state = 'open') as open
            from statement_differences
            where merchant_id = $1 and account_code = $2 and day = d.day
        ) as w
        where d.merchant_id = $1 and d.account_code = $2 and ($3::integer is null or d.day < $3)
        order by d.day desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(days)
}
