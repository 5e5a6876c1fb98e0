//! The SQL of settlements and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::{Entry, Rates, Split};
use crate::order::domain::OrderId;

/// The terms of a store: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Terms {
    /// The store.
    pub store_code: String,
    /// Who runs it.
    pub run: Run,
    /// The parts of others.
    #[sqlx(flatten)]
    pub rates: Rates,
}

/// Who runs a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Run {
    /// The merchant.
    Direct,
    /// A franchisee.
    Franchise,
}

/// The sums of a store in one currency.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Sum {
    /// The currency.
    pub currency: String,
    /// How many orders there are among the entries.
    pub orders: i64,
    /// The amounts.
    #[sqlx(flatten)]
    pub split: Split,
}

/// A time, half open; `None` is without an end.
pub type Span = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Where a page ends: the instant, the order and the revision of its last entry.
pub type Cursor = (DateTime<Utc>, Uuid, i64);

/// Sets terms; sorted by store, so that two calls never wait for each other.
pub async fn upsert(
    tx: &mut Tx,
    terms: &[Terms],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into settlement_terms
            (merchant_id, store_code, run, platform_fee_bp, hq_bp, marketing_bp, updated_at)
        select $1, n.*, $7
        from unnest($2::text[], $3::text[], $4::integer[], $5::integer[], $6::integer[]) as n
        on conflict on constraint settlement_terms_pkey do update
        set run = excluded.run, platform_fee_bp = excluded.platform_fee_bp, hq_bp = excluded.hq_bp,
            marketing_bp = excluded.marketing_bp, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(terms.iter().map(|terms| terms.store_code.as_str()).collect::<Vec<_>>())
    .bind(terms.iter().map(|terms| terms.run.as_str()).collect::<Vec<_>>())
    .bind(terms.iter().map(|terms| terms.rates.platform_fee_bp).collect::<Vec<_>>())
    .bind(terms.iter().map(|terms| terms.rates.hq_bp).collect::<Vec<_>>())
    .bind(terms.iter().map(|terms| terms.rates.marketing_bp).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The terms of a store.
pub async fn find(tx: &mut Tx, store_code: &str) -> Result<Option<Terms>, siyu_pg::Error> {
    let terms = sqlx::query_as(
        "select store_code, run, platform_fee_bp, hq_bp, marketing_bp
        from settlement_terms
        where merchant_id = $1 and store_code = $2",
    )
    .bind(tx.merchant())
    .bind(store_code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(terms)
}

/// Terms after a store code.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Terms>, siyu_pg::Error> {
    let terms = sqlx::query_as(
        "select store_code, run, platform_fee_bp, hq_bp, marketing_bp
        from settlement_terms
        where merchant_id = $1 and ($2::text is null or store_code > $2)
        order by store_code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(terms)
}

/// The parts of others in a store that a franchisee runs.
pub async fn rates(tx: &mut Tx, store_code: &str) -> Result<Option<Rates>, siyu_pg::Error> {
    let terms = find(tx, store_code).await?;
    Ok(terms.filter(|terms| terms.run == Run::Franchise).map(|terms| terms.rates))
}

/// The terms that an order is settled under, and what its entries sum to; `None` before the first.
pub async fn settled(
    tx: &mut Tx,
    order: OrderId,
) -> Result<Option<(Rates, Split)>, siyu_pg::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        rates: Rates,
        #[sqlx(flatten)]
        split: Split,
    }
    let row: Option<Row> = sqlx::query_as(
        "select platform_fee_bp, hq_bp, marketing_bp,
            sum(net_minor)::bigint as net_minor, sum(platform_fee_minor)::bigint as platform_fee_minor,
            sum(hq_minor)::bigint as hq_minor, sum(marketing_minor)::bigint as marketing_minor,
            sum(franchisee_minor)::bigint as franchisee_minor
        from settlements
        where merchant_id = $1 and order_id = $2
        group by platform_fee_bp, hq_bp, marketing_bp",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (row.rates, row.split)))
}

/// Stores an entry.
pub async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into settlements
            (merchant_id, order_id, revision, store_code, currency, platform_fee_bp, hq_bp, marketing_bp, net_minor,
                platform_fee_minor, hq_minor, marketing_minor, franchisee_minor, occurred_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(tx.merchant())
    .bind(entry.order_id)
    .bind(entry.revision)
    .bind(&entry.store_code)
    .bind(&entry.currency)
    .bind(entry.rates.platform_fee_bp)
    .bind(entry.rates.hq_bp)
    .bind(entry.rates.marketing_bp)
    .bind(entry.split.net_minor)
    .bind(entry.split.platform_fee_minor)
    .bind(entry.split.hq_minor)
    .bind(entry.split.marketing_minor)
    .bind(entry.split.franchisee_minor)
    .bind(entry.occurred_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Entries of a store of a time after a cursor, oldest first.
pub async fn entries(
    tx: &mut Tx,
    store_code: &str,
    (from, to): Span,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Entry>, siyu_pg::Error> {
    let entries = sqlx::query_as(
        "select order_id, revision, store_code, currency, platform_fee_bp, hq_bp, marketing_bp, net_minor,
            platform_fee_minor, hq_minor, marketing_minor, franchisee_minor, occurred_at
        from settlements
        where merchant_id = $1 and store_code = $2
            and ($3::timestamptz is null or occurred_at >= $3)
            and ($4::timestamptz is null or occurred_at < $4)
            and ($5::timestamptz is null or (occurred_at, order_id, revision) > ($5, $6::uuid, $7::bigint))
        order by occurred_at, order_id, revision
        limit $8",
    )
    .bind(tx.merchant())
    .bind(store_code)
    .bind(from)
    .bind(to)
    .bind(after.map(|(at, _, _)| at))
    .bind(after.map(|(_, order, _)| order))
    .bind(after.map(|(_, _, revision)| revision))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(entries)
}

/// The sums of a store of a time, by currency.
pub async fn sums(
    tx: &mut Tx,
    store_code: &str,
    (from, to): Span,
) -> Result<Vec<Sum>, siyu_pg::Error> {
    let sums = sqlx::query_as(
        "select currency, count(distinct order_id) as orders, sum(net_minor)::bigint as net_minor,
            sum(platform_fee_minor)::bigint as platform_fee_minor, sum(hq_minor)::bigint as hq_minor,
            sum(marketing_minor)::bigint as marketing_minor, sum(franchisee_minor)::bigint as franchisee_minor
        from settlements
        where merchant_id = $1 and store_code = $2
            and ($3::timestamptz is null or occurred_at >= $3)
            and ($4::timestamptz is null or occurred_at < $4)
        group by currency
        order by currency",
    )
    .bind(tx.merchant())
    .bind(store_code)
    .bind(from)
    .bind(to)
    .fetch_all(&mut **tx)
    .await?;
    Ok(sums)
}

impl Run {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Franchise => "franchise",
        }
    }
}
