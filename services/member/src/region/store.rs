//! The SQL of regions and nothing else.

use siyu_pg::Tx;

use super::domain::{Region, RegionId};

/// Locks the tree of the merchant against other changes: two changes that are sound alone may close a circle together.
pub async fn lock_tree(tx: &mut Tx) -> Result<Vec<Region>, siyu_pg::Error> {
    sqlx::query("select merchant_id from merchants where merchant_id = $1 for update")
        .bind(tx.merchant())
        .execute(&mut **tx)
        .await?;
    let regions = sqlx::query_as(
        "select id, code, name, parent_id, created_at, updated_at from regions where merchant_id = $1",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(regions)
}

/// Inserts regions or saves those that exist, by id.
pub async fn upsert(tx: &mut Tx, regions: &[&Region]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into regions (merchant_id, id, code, name, parent_id, created_at, updated_at)
        select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::timestamptz[])
        on conflict on constraint regions_pkey do update
        set name = excluded.name, parent_id = excluded.parent_id, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(regions.iter().map(|r| r.id).collect::<Vec<_>>())
    .bind(regions.iter().map(|r| r.code.as_str()).collect::<Vec<_>>())
    .bind(regions.iter().map(|r| r.name.as_str()).collect::<Vec<_>>())
    .bind(regions.iter().map(|r| r.parent_id).collect::<Vec<_>>())
    .bind(regions.iter().map(|r| r.created_at).collect::<Vec<_>>())
    .bind(regions.iter().map(|r| r.updated_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A region with the code of its parent: the row.
#[derive(Debug, sqlx::FromRow)]
pub struct Shown {
    /// The region.
    #[sqlx(flatten)]
    pub region: Region,
    /// The code of its parent; empty at the top.
    pub parent_code: String,
}

/// One region.
pub async fn find(tx: &mut Tx, id: RegionId) -> Result<Option<Shown>, siyu_pg::Error> {
    let region = sqlx::query_as(
        "select r.id, r.code, r.name, r.parent_id, r.created_at, r.updated_at, coalesce(p.code, '') as parent_code
        from regions r
        left join regions p on p.merchant_id = r.merchant_id and p.id = r.parent_id
        where r.merchant_id = $1 and r.id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(region)
}

/// Regions after a code.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Shown>, siyu_pg::Error> {
    let regions = sqlx::query_as(
        "select r.id, r.code, r.name, r.parent_id, r.created_at, r.updated_at, coalesce(p.code, '') as parent_code
        from regions r
        left join regions p on p.merchant_id = r.merchant_id and p.id = r.parent_id
        where r.merchant_id = $1 and ($2::text is null or r.code > $2)
        order by r.code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(regions)
}

/// Which of the regions exist.
pub async fn existing(tx: &mut Tx, ids: &[RegionId]) -> Result<Vec<RegionId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "select r.id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select id from regions where merchant_id = $1 and id = k.id limit 1) as r",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}
