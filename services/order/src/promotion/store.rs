//! The SQL of promotions and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::domain::Promotion;

/// Inserts promotions or saves those that exist and were other; sorted by code, so that two calls never wait for each other.
pub async fn upsert(
    tx: &mut Tx,
    promotions: &[Promotion],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into promotions
            (merchant_id, code, valid_from, valid_to, paused, definition, line_sku, created_at, updated_at)
        select $1, n.*, $8, $8
        from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::boolean[], $6::bytea[], $7::text[]) as n
        on conflict on constraint promotions_pkey do update
        set valid_from = excluded.valid_from, valid_to = excluded.valid_to, paused = excluded.paused,
            definition = excluded.definition, line_sku = excluded.line_sku, updated_at = excluded.updated_at
        where promotions.definition <> excluded.definition or promotions.line_sku is distinct from excluded.line_sku",
    )
    .bind(tx.merchant())
    .bind(promotions.iter().map(|p| p.code.as_str()).collect::<Vec<_>>())
    .bind(promotions.iter().map(|p| p.valid_from).collect::<Vec<_>>())
    .bind(promotions.iter().map(|p| p.valid_to).collect::<Vec<_>>())
    .bind(promotions.iter().map(|p| p.paused).collect::<Vec<_>>())
    .bind(promotions.iter().map(|p| p.definition.as_slice()).collect::<Vec<_>>())
    .bind(promotions.iter().map(|p| p.line_sku.as_deref()).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One promotion.
pub async fn find(tx: &mut Tx, code: &str) -> Result<Option<Promotion>, siyu_pg::Error> {
    let promotion = sqlx::query_as(
        "select code, valid_from, valid_to, paused, definition, line_sku
        from promotions
        where merchant_id = $1 and code = $2",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(promotion)
}

/// Promotions after a code, those in force at an instant or all.
pub async fn list(
    tx: &mut Tx,
    at: Option<DateTime<Utc>>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Promotion>, siyu_pg::Error> {
    let promotions = sqlx::query_as(
        "select code, valid_from, valid_to, paused, definition, line_sku
        from promotions
        where merchant_id = $1 and ($2::timestamptz is null or (not paused and valid_from <= $2 and valid_to > $2))
            and ($3::text is null or code > $3)
        order by code
        limit $4",
    )
    .bind(tx.merchant())
    .bind(at)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(promotions)
}

/// The promotions that are in force at an instant: of those that are the price of one SKU only the ones of these SKUs. By code.
pub async fn in_force(
    tx: &mut Tx,
    skus: &[&str],
    at: DateTime<Utc>,
) -> Result<Vec<Promotion>, siyu_pg::Error> {
    let promotions = sqlx::query_as(
        "select code, valid_from, valid_to, paused, definition, line_sku
        from promotions
        where merchant_id = $1 and line_sku is null and valid_to > $2 and valid_from <= $2 and not paused
        union all
        select p.*
        from unnest($3::text[]) as k (sku)
        cross join lateral (
            select code, valid_from, valid_to, paused, definition, line_sku
            from promotions
            where merchant_id = $1 and line_sku = k.sku and valid_to > $2 and valid_from <= $2 and not paused
        ) as p
        order by code",
    )
    .bind(tx.merchant())
    .bind(at)
    .bind(skus)
    .fetch_all(&mut **tx)
    .await?;
    Ok(promotions)
}
