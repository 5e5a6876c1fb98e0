//! The SQL of reconciliation and nothing else.

mod days;
mod differences;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

pub use days::{Day, days, open_day};
pub use differences::{Suspense, insert, list, lock, of_day, of_movements, save, suspense};

use super::domain::{Ours, Row, RowKind};

/// Stores rows of a statement or replaces those that are there; sorted, so that two calls never wait for each other.
pub async fn upsert_rows(
    tx: &mut Tx,
    account: &str,
    day: i32,
    rows: &[Row],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into statement_rows (merchant_id, account_code, kind, out_no, day, provider_no, amount_minor, currency)
        select $1, $2, n.kind, n.out_no, $3, n.provider_no, n.amount_minor, n.currency
        from unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
            as n (kind, out_no, provider_no, amount_minor, currency)
        on conflict on constraint statement_rows_pkey do update
        set day = excluded.day, provider_no = excluded.provider_no, amount_minor = excluded.amount_minor,
            currency = excluded.currency",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(day)
    .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.out_no.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.provider_no.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.amount_minor).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.currency.as_str()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The rows of a day.
pub async fn rows_of(tx: &mut Tx, account: &str, day: i32) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select kind, out_no, provider_no, amount_minor, currency
        from statement_rows
        where merchant_id = $1 and account_code = $2 and day = $3
        order by kind, out_no",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(day)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Which movements any statement of the account has.
pub async fn rows_by_number(
    tx: &mut Tx,
    account: &str,
    movements: &[Ours],
) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select r.*
        from unnest($3::text[], $4::text[]) as k (kind, out_no)
        cross join lateral (
            select kind, out_no, provider_no, amount_minor, currency
            from statement_rows
            where merchant_id = $1 and account_code = $2 and kind = k.kind and out_no = k.out_no
            limit 1
        ) as r",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(movements.iter().map(|ours| ours.kind.as_str()).collect::<Vec<_>>())
    .bind(movements.iter().map(|ours| ours.out_no.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// What our books say of the movements of a statement, whatever their day.
pub async fn ours_by_number(
    tx: &mut Tx,
    account: &str,
    rows: &[Row],
) -> Result<Vec<Ours>, siyu_pg::Error> {
    let numbers = |kind: RowKind| -> Vec<&str> {
        rows.iter().filter(|row| row.kind == kind).map(|row| row.out_no.as_str()).collect()
    };
    let mut ours: Vec<Ours> = sqlx::query_as(
        "select 'payment' as kind, p.*
        from unnest($3::text[]) as k (out_no)
        cross join lateral (
            select out_trade_no as out_no, paid_minor as amount_minor, paid_currency as currency
            from payments
            where merchant_id = $1 and account_code = $2 and out_trade_no = k.out_no and paid_minor is not null
            limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(numbers(RowKind::Payment))
    .fetch_all(&mut **tx)
    .await?;
    let refunds: Vec<Ours> = sqlx::query_as(
        "select 'refund' as kind, r.out_refund_no as out_no, r.amount_minor, p.currency
        from unnest($3::text[]) as k (out_no)
        cross join lateral (
            select out_refund_no, amount_minor, payment_id
            from payment_refunds
            where merchant_id = $1 and account_code = $2 and out_refund_no = k.out_no and state = 'succeeded'
            limit 1
        ) as r
        cross join lateral (
            select coalesce(paid_currency, currency) as currency from payments where merchant_id = $1 and id = r.payment_id limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(numbers(RowKind::Refund))
    .fetch_all(&mut **tx)
    .await?;
    ours.extend(refunds);
    Ok(ours)
}

/// What moved in our books between two instants, the second exclusive.
pub async fn ours_between(
    tx: &mut Tx,
    account: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<Ours>, siyu_pg::Error> {
    let mut ours: Vec<Ours> = sqlx::query_as(
        "select 'payment' as kind, out_trade_no as out_no, paid_minor as amount_minor, paid_currency as currency
        from payments
        where merchant_id = $1 and account_code = $2 and succeeded_at >= $3 and succeeded_at < $4
        order by out_trade_no",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(&mut **tx)
    .await?;
    let refunds: Vec<Ours> = sqlx::query_as(
        "select 'refund' as kind, r.out_refund_no as out_no, r.amount_minor, p.currency
        from payment_refunds r
        cross join lateral (
            select coalesce(paid_currency, currency) as currency from payments where merchant_id = $1 and id = r.payment_id limit 1
        ) as p
        where r.merchant_id = $1 and r.account_code = $2 and r.state = 'succeeded' and r.ended_at >= $3
            and r.ended_at < $4
        order by r.out_refund_no",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(&mut **tx)
    .await?;
    ours.extend(refunds);
    Ok(ours)
}
