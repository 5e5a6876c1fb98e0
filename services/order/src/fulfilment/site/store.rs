//! The SQL of sites and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::Site;
use crate::fulfilment::StoreId;

/// Stores a site or saves one that was other.
pub async fn upsert(tx: &mut Tx, site: &Site, now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into fulfilment_sites as s (merchant_id, location, methods, paused, capacity, radius_m, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict on constraint fulfilment_sites_pkey do update
        set methods = excluded.methods, paused = excluded.paused, capacity = excluded.capacity,
            radius_m = excluded.radius_m, updated_at = excluded.updated_at
        where (s.methods, s.paused, s.capacity, s.radius_m)
            is distinct from (excluded.methods, excluded.paused, excluded.capacity, excluded.radius_m)",
    )
    .bind(tx.merchant())
    .bind(&site.location)
    .bind(&site.methods)
    .bind(site.paused)
    .bind(site.capacity)
    .bind(site.radius_m)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Sites after a location.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Site>, siyu_pg::Error> {
    let sites = sqlx::query_as(
        "select location, methods, paused, capacity, radius_m
        from fulfilment_sites
        where merchant_id = $1 and ($2::text is null or location > $2)
        order by location
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(sites)
}

/// A site with its store: the row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Able {
    /// The store.
    pub store_id: StoreId,
    /// The site.
    #[sqlx(flatten)]
    pub site: Site,
}

/// The stores of sites that are asked, by location.
pub async fn stores(tx: &mut Tx, limit: i64) -> Result<Vec<StoreId>, siyu_pg::Error> {
    let stores = sqlx::query_scalar(
        "select l.store_id
        from fulfilment_sites as s
        cross join lateral (
            select store_id
            from locations
            where merchant_id = $1 and code = s.location and store_id is not null
            limit 1
        ) as l
        where s.merchant_id = $1 and not s.paused
        order by s.location
        limit $2",
    )
    .bind(tx.merchant())
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(stores)
}

/// The sites that are asked and serve a method, with their stores, by location.
pub async fn able(tx: &mut Tx, method: &str, limit: i64) -> Result<Vec<Able>, siyu_pg::Error> {
    let sites = sqlx::query_as(
        "select l.store_id, s.location, s.methods, s.paused, s.capacity, s.radius_m
        from fulfilment_sites as s
        cross join lateral (
            select store_id
            from locations
            where merchant_id = $1 and code = s.location and store_id is not null
            limit 1
        ) as l
        where s.merchant_id = $1 and not s.paused and s.methods @> array[$2::text]
        order by s.location
        limit $3",
    )
    .bind(tx.merchant())
    .bind(method)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(sites)
}
