//! The SQL of merchants and their stores and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::{SystemTx, Tx};

/// What is known of a merchant, and how far its figures are: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Merchant {
    /// The IANA zone of its days.
    pub zone: Option<String>,
    /// The ISO 4217 code of its figures.
    pub currency: Option<String>,
    /// Counts the batches of facts that were taken in.
    pub facts_version: i64,
    /// When the newest fact was taken in.
    pub facts_at: Option<DateTime<Utc>>,
    /// Counts the folds.
    pub folded_version: i64,
    /// How many persons have a number.
    pub persons: i32,
}

/// A merchant with what waits to be folded, as of one instant.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Marked {
    /// The merchant.
    #[sqlx(flatten)]
    pub merchant: Merchant,
    /// How many of its days are marked as changed.
    pub dirty: i64,
}

/// The clock and the hours of a store: the row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Store {
    /// The store.
    pub store_id: Id<kind::Store>,
    /// The IANA zone of its clock.
    pub zone: String,
    /// An encoded `OpeningHours`.
    pub hours: Vec<u8>,
}

/// Keeps zone and currency.
pub async fn upsert(tx: &mut Tx, zone: &str, currency: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into merchants (merchant_id, zone, currency, facts_version, folded_version, persons)
        values ($1, $2, $3, 0, 0, 0)
        on conflict on constraint merchants_pkey do update set zone = excluded.zone, currency = excluded.currency",
    )
    .bind(tx.merchant())
    .bind(zone)
    .bind(currency)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The merchant of the transaction with its marks. In one statement: facts that came between two would show in one of them only.
pub async fn find_marked(tx: &mut Tx) -> Result<Option<Marked>, siyu_pg::Error> {
    let marked = sqlx::query_as(
        "select zone, currency, facts_version, facts_at, folded_version, persons,
            (select count(*) from dirty_days where merchant_id = $1) as dirty
        from merchants
        where merchant_id = $1",
    )
    .bind(tx.merchant())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(marked)
}

/// Locks the merchant of the transaction: whoever takes in facts or folds them does it alone.
pub async fn lock(tx: &mut Tx) -> Result<Option<Merchant>, siyu_pg::Error> {
    let merchant = sqlx::query_as(
        "select zone, currency, facts_version, facts_at, folded_version, persons
        from merchants
        where merchant_id = $1
        for update",
    )
    .bind(tx.merchant())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(merchant)
}

/// Counts a batch of facts.
pub async fn count_facts(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query("update merchants set facts_version = facts_version + 1, facts_at = $2 where merchant_id = $1")
        .bind(tx.merchant())
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Counts a fold.
pub async fn save_folded(tx: &mut Tx, version: i64) -> Result<(), siyu_pg::Error> {
    sqlx::query("update merchants set folded_version = $2 where merchant_id = $1")
        .bind(tx.merchant())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Keeps the hours of a store.
pub async fn upsert_store(tx: &mut Tx, store: &Store) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into stores (merchant_id, store_id, zone, hours) values ($1, $2, $3, $4)
        on conflict on constraint stores_pkey do update set zone = excluded.zone, hours = excluded.hours",
    )
    .bind(tx.merchant())
    .bind(store.store_id)
    .bind(&store.zone)
    .bind(&store.hours)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All stores.
pub async fn stores(tx: &mut Tx) -> Result<Vec<Store>, siyu_pg::Error> {
    let stores = sqlx::query_as("select store_id, zone, hours from stores where merchant_id = $1")
        .bind(tx.merchant())
        .fetch_all(&mut **tx)
        .await?;
    Ok(stores)
}

/// Marks the days on which a store sold: its hours changed.
pub async fn mark_store_days(tx: &mut Tx, store_id: Id<kind::Store>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into dirty_days (merchant_id, day)
        select distinct merchant_id, day from order_facts where merchant_id = $1 and store_id = $2
        on conflict do nothing",
    )
    .bind(tx.merchant())
    .bind(store_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Merchants with days to fold.
pub async fn dirty(
    tx: &mut SystemTx,
    limit: i64,
) -> Result<Vec<Id<kind::Merchant>>, siyu_pg::Error> {
    let merchants = sqlx::query_scalar(
        "select distinct merchant_id from dirty_days order by merchant_id limit $1",
    )
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(merchants)
}
