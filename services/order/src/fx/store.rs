//! The SQL of rates and of orders in other currencies, and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::domain::Presentment;
use crate::order::domain::OrderId;

/// A rate: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RateRow {
    /// The other currency.
    pub currency: String,
    /// The rate as it was given.
    pub rate: String,
    /// Where it is from.
    pub source: String,
    /// When it was so.
    pub rate_at: DateTime<Utc>,
}

/// An order in another currency: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PresentmentRow {
    /// The rate that it was placed at.
    #[sqlx(flatten)]
    pub rate: RateRow,
    /// What is to be paid.
    pub payable_minor: i64,
    /// The parts of the lines.
    pub lines_minor: Vec<i64>,
    /// The part that is shipping.
    pub shipping_minor: i64,
    /// What is charged for the part that is paid in cash; `None`: placed when that was charged in the merchant's currency.
    pub charge_minor: Option<i64>,
}

/// Sets rates, unless newer ones are known; sorted by currency, so that two calls never wait for each other.
pub async fn upsert(
    tx: &mut Tx,
    rates: &[RateRow],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into fx_rates (merchant_id, currency, rate, source, rate_at, updated_at)
        select $1, n.*, $6 from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) as n
        on conflict on constraint fx_rates_pkey do update
        set rate = excluded.rate, source = excluded.source, rate_at = excluded.rate_at,
            updated_at = excluded.updated_at
        where excluded.rate_at >= fx_rates.rate_at",
    )
    .bind(tx.merchant())
    .bind(rates.iter().map(|rate| rate.currency.as_str()).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.rate.as_str()).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.source.as_str()).collect::<Vec<_>>())
    .bind(rates.iter().map(|rate| rate.rate_at).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The rates of currencies, in their order.
pub async fn of_currencies(
    tx: &mut Tx,
    currencies: &[&str],
) -> Result<Vec<RateRow>, siyu_pg::Error> {
    let rates = sqlx::query_as(
        "select r.*
        from unnest($2::text[]) with ordinality as k (currency, n)
        cross join lateral (
            select currency, rate, source, rate_at
            from fx_rates
            where merchant_id = $1 and currency = k.currency
            limit 1
        ) as r
        order by k.n",
    )
    .bind(tx.merchant())
    .bind(currencies)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rates)
}

/// The rate of a currency.
pub async fn find(tx: &mut Tx, currency: &str) -> Result<Option<RateRow>, siyu_pg::Error> {
    let rate = sqlx::query_as(
        "select currency, rate, source, rate_at from fx_rates where merchant_id = $1 and currency = $2",
    )
    .bind(tx.merchant())
    .bind(currency)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(rate)
}

/// Rates after a currency.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<RateRow>, siyu_pg::Error> {
    let rates = sqlx::query_as(
        "select currency, rate, source, rate_at
        from fx_rates
        where merchant_id = $1 and ($2::text is null or currency > $2)
        order by currency
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rates)
}

/// Keeps an order in another currency.
pub async fn insert_presentment(
    tx: &mut Tx,
    order: OrderId,
    rate: &RateRow,
    shown: &Presentment,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into order_presentments
            (merchant_id, order_id, currency, rate, source, rate_at, payable_minor, lines_minor, shipping_minor, charge_minor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(&rate.currency)
    .bind(&rate.rate)
    .bind(&rate.source)
    .bind(rate.rate_at)
    .bind(shown.payable_minor)
    .bind(&shown.lines_minor)
    .bind(shown.shipping_minor)
    .bind(shown.charge_minor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An order in the currency that its buyer sees and is charged in; `None`: the merchant's.
pub async fn presentment(
    tx: &mut Tx,
    order: OrderId,
) -> Result<Option<PresentmentRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select currency, rate, source, rate_at, payable_minor, lines_minor, shipping_minor, charge_minor
        from order_presentments
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}
