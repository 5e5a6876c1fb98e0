//! The SQL of stores and nothing else.

use siyu_pg::Tx;

use super::domain::{Store, StoreId};

/// Locks the stores that exist among `codes`.
pub async fn lock(tx: &mut Tx, codes: &[&str]) -> Result<Vec<Store>, siyu_pg::Error> {
    let stores = sqlx::query_as(
        "select id, code, name, kind, zone, hours, area_centi_sqm, created_at, updated_at
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
            (merchant_id, id, code, name, kind, zone, hours, area_centi_sqm, created_at, updated_at)
        select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[],
            $8::bigint[], $9::timestamptz[], $10::timestamptz[])
        on conflict on constraint stores_code_key do update
        set name = excluded.name, kind = excluded.kind, zone = excluded.zone, hours = excluded.hours,
            area_centi_sqm = excluded.area_centi_sqm, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(stores.iter().map(|s| s.id).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.code.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.name.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.kind.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.zone.as_str()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.hours.as_slice()).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.area_centi_sqm).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.created_at).collect::<Vec<_>>())
    .bind(stores.iter().map(|s| s.updated_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One store.
pub async fn find(tx: &mut Tx, id: StoreId) -> Result<Option<Store>, siyu_pg::Error> {
    let store = sqlx::query_as(
        "select id, code, name, kind, zone, hours, area_centi_sqm, created_at, updated_at
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
        "select id, code, name, kind, zone, hours, area_centi_sqm, created_at, updated_at
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
