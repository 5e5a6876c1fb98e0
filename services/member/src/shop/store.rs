//! The SQL of stores and nothing else.

use siyu_pg::Tx;

use super::domain::{Store, StoreId};
use crate::region::RegionId;

/// Locks the stores that exist among `codes`.
pub async fn lock(tx: &mut Tx, codes: &[&str]) -> Result<Vec<Store>, siyu_pg::Error> {
    let stores = sqlx::query_as(
        "select id, code, name, kind, zone, hours, area_centi_sqm, region_id, opening_cost_minor, latitude_e6, longitude_e6,
            created_at, updated_at
        from stores
        where merchant_id = $1 and code = any($2::text[])
        order by code
        for update",
    )
    .bind(tx.merchant())
    .bind(codes)
    .fetch_all(&mut **tx)
    .await?;
    Ok(stores)
}

/// Inserts stores or saves those that exist, by code.
pub async fn upsert(tx: &mut Tx, stores: &[Store]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into stores
            (merchant_id, id, code, name, kind, zone, hours, area_centi_sqm, region_id, opening_cost_minor, latitude_e6,
            longitude_e6, created_at, updated_at)
        select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[],
            $9::uuid[], $10::bigint[], $11::integer[], $12::integer[], $13::timestamptz[], $14::timestamptz[])
        on conflict on constraint stores_code_key do update
        set name = excluded.name, kind = excluded.kind, zone = excluded.zone, hours = excluded.hours,
            area_centi_sqm = excluded.area_centi_sqm, region_id = excluded.region_id,
            opening_cost_minor = excluded.opening_cost_minor, latitude_e6 = excluded.latitude_e6,
            longitude_e6 = excluded.longitude_e6, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(stores.iter().map(|s| s.id).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.code.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.name.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.kind.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.zone.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.hours.as_slice()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.area_centi_sqm).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.region_id).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.opening_cost_minor).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.latitude_e6).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.longitude_e6).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.created_at).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.updated_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One store.
pub async fn find(tx: &mut Tx, id: StoreId) -> Result<Option<Store>, siyu_pg::Error> {
    let store = sqlx::query_as(
        "select id, code, name, kind, zone, hours, area_centi_sqm, region_id, opening_cost_minor, latitude_e6, longitude_e6,
            created_at, updated_at
        from stores
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(store)
}

/// Stores after a code.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Store>, siyu_pg::Error> {
    let stores = sqlx::query_as(
        "select id, code, name, kind, zone, hours, area_centi_sqm, region_id, opening_cost_minor, latitude_e6, longitude_e6,
            created_at, updated_at
        from stores
        where merchant_id = $1 and ($2::text is null or code > $2)
        order by code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(stores)
}

/// Stores after a code, of those that somebody reaches.
pub async fn list_of(
    tx: &mut Tx,
    reached: &[StoreId],
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Store>, siyu_pg::Error> {
    let stores = sqlx::query_as(
        "select s.id, s.code, s.name, s.kind, s.zone, s.hours, s.area_centi_sqm, s.region_id, s.opening_cost_minor,
            s.latitude_e6, s.longitude_e6, s.created_at, s.updated_at
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select * from stores where merchant_id = $1 and id = k.id limit 1) as s
        where $3::text is null or s.code > $3
        order by s.code
        limit $4",
    )
    .bind(tx.merchant())
    .bind(reached)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(stores)
}

/// The stores of a region and of those below it.
pub async fn below(tx: &mut Tx, region_id: RegionId) -> Result<Vec<StoreId>, siyu_pg::Error> {
    let stores = sqlx::query_scalar(
        "with recursive below as (
            select id from regions where merchant_id = $1 and id = $2
            union
            select r.id from below b join regions r on r.merchant_id = $1 and r.parent_id = b.id
        )
        select s.id
        from below b
        cross join lateral (select id from stores where merchant_id = $1 and region_id = b.id offset 0) as s",
    )
    .bind(tx.merchant())
    .bind(region_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(stores)
}
