//! The SQL of tax rates and invoice titles, and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Person};
use siyu_pg::{Lock, Tx};

use crate::order::domain::OrderId;

/// A rate: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Rate {
    /// The category.
    pub category: String,
    /// From when on.
    pub valid_from: DateTime<Utc>,
    /// In basis points.
    pub rate_bp: i32,
}

/// To whom an invoice is made out: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Title {
    /// A person or a company.
    pub kind: String,
    /// The encoded title, sealed.
    pub sealed: Vec<u8>,
}

/// Has others wait who set rates, until the transaction ends.
pub async fn lock_rates(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    Lock::new("order.tax_rates").take(tx).await
}

/// The last rate of a category, whenever it begins.
pub async fn last_rate(tx: &mut Tx, category: &str) -> Result<Option<Rate>, siyu_pg::Error> {
    let rate = sqlx::query_as(
        "select category, valid_from, rate_bp
        from tax_rates
        where merchant_id = $1 and category = $2
        order by valid_from desc
        limit 1",
    )
    .bind(tx.merchant())
    .bind(category)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(rate)
}

/// The rate of a category that begins at an instant.
pub async fn find_rate(
    tx: &mut Tx,
    category: &str,
    valid_from: DateTime<Utc>,
) -> Result<Option<Rate>, siyu_pg::Error> {
    let rate = sqlx::query_as(
        "select category, valid_from, rate_bp
        from tax_rates
        where merchant_id = $1 and category = $2 and valid_from = $3",
    )
    .bind(tx.merchant())
    .bind(category)
    .bind(valid_from)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(rate)
}

/// Stores a rate, or another one in its place.
pub async fn save_rate(tx: &mut Tx, rate: &Rate, now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into tax_rates (merchant_id, category, valid_from, rate_bp, created_at)
        values ($1, $2, $3, $4, $5)
        on conflict on constraint tax_rates_pkey do update
        set rate_bp = excluded.rate_bp, created_at = excluded.created_at",
    )
    .bind(tx.merchant())
    .bind(&rate.category)
    .bind(rate.valid_from)
    .bind(rate.rate_bp)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The rates of categories that are in force at an instant; a category without one is passed over.
pub async fn rates_at(
    tx: &mut Tx,
    categories: &[&str],
    at: DateTime<Utc>,
) -> Result<Vec<(String, i32)>, siyu_pg::Error> {
    let rates = sqlx::query_as(
        "select k.category, r.rate_bp
        from unnest($2::text[]) as k (category)
        cross join lateral (
            select rate_bp
            from tax_rates
            where merchant_id = $1 and category = k.category and valid_from <= $3
            order by valid_from desc
            limit 1
        ) as r",
    )
    .bind(tx.merchant())
    .bind(categories)
    .bind(at)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rates)
}

/// Rates after one, by category and instant.
pub async fn list_rates(
    tx: &mut Tx,
    after: Option<&(String, DateTime<Utc>)>,
    limit: i64,
) -> Result<Vec<Rate>, siyu_pg::Error> {
    let rates = sqlx::query_as(
        "select category, valid_from, rate_bp
        from tax_rates
        where merchant_id = $1 and ($2::text is null or (category, valid_from) > ($2, $3))
        order by category, valid_from
        limit $4",
    )
    .bind(tx.merchant())
    .bind(after.map(|(category, _)| category.as_str()))
    .bind(after.map(|(_, valid_from)| *valid_from))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rates)
}

/// To whom the invoice of an order is made out.
pub async fn title(tx: &mut Tx, order: OrderId) -> Result<Option<Title>, siyu_pg::Error> {
    let title = sqlx::query_as(
        "select kind, sealed from invoice_titles where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(title)
}

/// Stores to whom, in the place of whom it was.
pub async fn save_title(
    tx: &mut Tx,
    order: OrderId,
    title: &Title,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into invoice_titles (merchant_id, order_id, kind, sealed, updated_at)
        values ($1, $2, $3, $4, $5)
        on conflict on constraint invoice_titles_pkey do update
        set kind = excluded.kind, sealed = excluded.sealed, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(&title.kind)
    .bind(&title.sealed)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets what was said of persons: of their orders, titles of companies stay.
pub async fn forget(tx: &mut Tx, persons: &[Id<Person>]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from invoice_titles as t
        using unnest($2::uuid[]) as k (person_id)
        cross join lateral (select id from orders where merchant_id = $1 and person_id = k.person_id) as o
        where t.merchant_id = $1 and t.order_id = o.id and t.kind = 'personal'",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
