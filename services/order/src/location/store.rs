//! The SQL of locations and nothing else.

use std::collections::BTreeSet;

use siyu_kernel::{Id, kind::Store};
use siyu_pg::Tx;

use super::domain::Location;

/// Inserts locations or saves those that exist and were other; sorted by code, so that two calls never wait for each other.
pub async fn upsert(tx: &mut Tx, locations: &[Location]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into locations (merchant_id, code, name, kind, store_code, store_id, created_at, updated_at)
        select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[])
        on conflict on constraint locations_pkey do update
        set name = excluded.name, kind = excluded.kind, store_code = excluded.store_code,
            store_id = excluded.store_id, updated_at = excluded.updated_at
        where (locations.name, locations.kind, locations.store_code, locations.store_id)
            is distinct from (excluded.name, excluded.kind, excluded.store_code, excluded.store_id)",
    )
    .bind(tx.merchant())
    .bind(locations.iter().map(|l| l.code.as_str()).collect::<Vec<_>>())
    .bind(locations.iter().map(|l| l.name.as_str()).collect::<Vec<_>>())
    .bind(locations.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>())
    .bind(locations.iter().map(|l| l.store_code.as_str()).collect::<Vec<_>>())
    .bind(locations.iter().map(|l| l.store_id).collect::<Vec<_>>())
    .bind(locations.iter().map(|l| l.created_at).collect::<Vec<_>>())
    .bind(locations.iter().map(|l| l.updated_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those of the locations that exist, in the order of the codes given.
pub async fn of_codes(tx: &mut Tx, codes: &[&str]) -> Result<Vec<Location>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select l.*
        from unnest($2::text[]) with ordinality as k (code, n)
        cross join lateral (
            select code, name, kind, store_code, store_id, created_at, updated_at
            from locations
            where merchant_id = $1 and code = k.code
            limit 1
        ) as l
        order by k.n",
    )
    .bind(tx.merchant())
    .bind(codes)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Those of the codes that are locations.
pub async fn known(
    tx: &mut Tx,
    codes: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, siyu_pg::Error> {
    let codes: Vec<&str> = codes.iter().copied().collect();
    Ok(of_codes(tx, &codes).await?.into_iter().map(|location| location.code).collect())
}

/// The location that is the stock of a store.
pub async fn of_store(tx: &mut Tx, store: Id<Store>) -> Result<Option<Location>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select code, name, kind, store_code, store_id, created_at, updated_at
        from locations
        where merchant_id = $1 and store_id = $2",
    )
    .bind(tx.merchant())
    .bind(store)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Locations after a code, of one kind or of all.
pub async fn list(
    tx: &mut Tx,
    kind: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Location>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select code, name, kind, store_code, store_id, created_at, updated_at
        from locations
        where merchant_id = $1 and ($2::text is null or kind = $2) and ($3::text is null or code > $3)
        order by code
        limit $4",
    )
    .bind(tx.merchant())
    .bind(kind)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
