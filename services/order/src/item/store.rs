//! The SQL of items and nothing else.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::domain::{Item, Sku, Visibility};
use crate::condition::Sale;

#[derive(sqlx::FromRow)]
struct SkuRow {
    item_code: String,
    #[sqlx(flatten)]
    sku: Sku,
}

/// A SKU that is for sale, with what its price may depend on.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ForSale {
    /// The SKU.
    pub code: String,
    /// Its item.
    pub item_code: String,
    /// The name of the item.
    pub item_name: String,
    /// The categories of the item.
    pub categories: Vec<String>,
    /// The list price of one piece.
    pub price_minor: i64,
    /// Whether pieces are counted.
    pub stock_kept: bool,
    /// Where, when and to whom the item is sold.
    #[sqlx(flatten)]
    pub visibility: Visibility,
}

/// Locks the items that exist among `codes`, in their order.
pub async fn lock(tx: &mut Tx, codes: &[&str]) -> Result<Vec<Item>, siyu_pg::Error> {
    let mut items: Vec<Item> = sqlx::query_as(
        "select i.*
        from (select code from unnest($2::text[]) as k (code) order by code) as k
        cross join lateral (
            select code, name, categories, withdrawn, created_at, updated_at, for_stores, for_regions, for_tiers,
                for_channels, visible_from, visible_to
            from items
            where merchant_id = $1 and code = k.code
            limit 1
            for update
        ) as i",
    )
    .bind(tx.merchant())
    .bind(codes)
    .fetch_all(&mut **tx)
    .await?;
    add_skus(tx, &mut items).await?;
    Ok(items)
}

/// Inserts items or saves those that exist, with their SKUs. A SKU that an item no longer has is gone; one that another
/// item has is left there, and fewer SKUs are returned than were given.
pub async fn upsert(tx: &mut Tx, items: &[Item]) -> Result<u64, siyu_pg::Error> {
    for item in items {
        sqlx::query(
            "insert into items (merchant_id, code, name, categories, withdrawn, created_at, updated_at, for_stores,
                for_regions, for_tiers, for_channels, visible_from, visible_to)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            on conflict on constraint items_pkey do update
            set name = excluded.name, categories = excluded.categories, withdrawn = excluded.withdrawn,
                updated_at = excluded.updated_at, for_stores = excluded.for_stores,
                for_regions = excluded.for_regions, for_tiers = excluded.for_tiers,
                for_channels = excluded.for_channels, visible_from = excluded.visible_from,
                visible_to = excluded.visible_to",
        )
        .bind(tx.merchant())
        .bind(&item.code)
        .bind(&item.name)
        .bind(&item.categories)
        .bind(item.withdrawn)
        .bind(item.created_at)
        .bind(item.updated_at)
        .bind(&item.visibility.condition.for_stores)
        .bind(&item.visibility.condition.for_regions)
        .bind(&item.visibility.condition.for_tiers)
        .bind(&item.visibility.condition.for_channels)
        .bind(item.visibility.visible_from)
        .bind(item.visibility.visible_to)
        .execute(&mut **tx)
        .await?;
    }
    let codes: Vec<&str> = items.iter().map(|item| item.code.as_str()).collect();
    let skus: Vec<(&str, i32, &Sku)> = items
        .iter()
        .flat_map(|item| (0..).zip(&item.skus).map(|(place, sku)| (item.code.as_str(), place, sku)))
        .collect();
    let kept: Vec<&str> = skus.iter().map(|(_, _, sku)| sku.code.as_str()).collect();
    sqlx::query(
        "delete from skus
        where merchant_id = $1 and item_code = any($2::text[]) and not code = any($3::text[])",
    )
    .bind(tx.merchant())
    .bind(&codes)
    .bind(&kept)
    .execute(&mut **tx)
    .await?;
    let done = sqlx::query(
        "insert into skus (merchant_id, code, item_code, place, name, price_minor, stock_kept)
        select $1, * from unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::bigint[], $7::boolean[])
        on conflict on constraint skus_pkey do update
        set place = excluded.place, name = excluded.name, price_minor = excluded.price_minor,
            stock_kept = excluded.stock_kept
        where skus.item_code = excluded.item_code",
    )
    .bind(tx.merchant())
    .bind(&kept)
    .bind(skus.iter().map(|(item, _, _)| *item).collect::<Vec<_>>())
    .bind(skus.iter().map(|(_, place, _)| *place).collect::<Vec<_>>())
    .bind(skus.iter().map(|(_, _, sku)| sku.name.as_str()).collect::<Vec<_>>())
    .bind(skus.iter().map(|(_, _, sku)| sku.price_minor).collect::<Vec<_>>())
    .bind(skus.iter().map(|(_, _, sku)| sku.stock_kept).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// One item.
pub async fn find(tx: &mut Tx, code: &str) -> Result<Option<Item>, siyu_pg::Error> {
    let mut items: Vec<Item> = sqlx::query_as(
        "select code, name, categories, withdrawn, created_at, updated_at, for_stores, for_regions, for_tiers,
            for_channels, visible_from, visible_to
        from items
        where merchant_id = $1 and code = $2",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_all(&mut **tx)
    .await?;
    add_skus(tx, &mut items).await?;
    Ok(items.pop())
}

/// Items after a code, of one category or of all.
pub async fn list(
    tx: &mut Tx,
    category: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Item>, siyu_pg::Error> {
    let mut items: Vec<Item> = sqlx::query_as(
        "select code, name, categories, withdrawn, created_at, updated_at, for_stores, for_regions, for_tiers,
            for_channels, visible_from, visible_to
        from items
        where merchant_id = $1 and ($2::text is null or $2 = any(categories)) and ($3::text is null or code > $3)
        order by code
        limit $4",
    )
    .bind(tx.merchant())
    .bind(category)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    add_skus(tx, &mut items).await?;
    Ok(items)
}

/// Items after a code that are sold in a sale at an instant, of one category or of all.
pub async fn list_visible(
    tx: &mut Tx,
    category: Option<&str>,
    (sale, now): (&Sale, DateTime<Utc>),
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Item>, siyu_pg::Error> {
    let mut items: Vec<Item> = sqlx::query_as(
        "select code, name, categories, withdrawn, created_at, updated_at, for_stores, for_regions, for_tiers,
            for_channels, visible_from, visible_to
        from items
        where merchant_id = $1 and not withdrawn and ($2::text is null or $2 = any(categories))
            and ($3::text is null or code > $3)
            and (for_stores = '{}' or $4 = any(for_stores))
            and (for_regions = '{}' or for_regions && $5::uuid[])
            and (for_tiers = '{}' or $6 = any(for_tiers))
            and (for_channels = '{}' or $7 = any(for_channels))
            and (visible_from is null or visible_from <= $8)
            and (visible_to is null or visible_to > $8)
        order by code
        limit $9",
    )
    .bind(tx.merchant())
    .bind(category)
    .bind(after)
    .bind(sale.store_code.as_deref())
    .bind(&sale.regions)
    .bind(sale.tier)
    .bind(sale.channel.as_deref())
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    add_skus(tx, &mut items).await?;
    Ok(items)
}

/// Those of the SKUs that are for sale, wherever.
pub async fn for_sale(tx: &mut Tx, skus: &[&str]) -> Result<Vec<ForSale>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select s.code, s.item_code, i.name as item_name, i.categories, s.price_minor, s.stock_kept, i.for_stores,
            i.for_regions, i.for_tiers, i.for_channels, i.visible_from, i.visible_to
        from unnest($2::text[]) as k (code)
        cross join lateral (
            select code, item_code, price_minor, stock_kept from skus where merchant_id = $1 and code = k.code limit 1
        ) as s
        cross join lateral (
            select name, categories, for_stores, for_regions, for_tiers, for_channels, visible_from, visible_to
            from items
            where merchant_id = $1 and code = s.item_code and not withdrawn
            limit 1
        ) as i",
    )
    .bind(tx.merchant())
    .bind(skus)
    .fetch_all(&mut **tx)
    .await?;
    Ok(found)
}

async fn add_skus(tx: &mut Tx, items: &mut [Item]) -> Result<(), siyu_pg::Error> {
    let rows: Vec<SkuRow> = sqlx::query_as(
        "select s.*
        from unnest($2::text[]) as k (item_code)
        cross join lateral (
            select item_code, code, name, price_minor, stock_kept
            from skus
            where merchant_id = $1 and item_code = k.item_code
            order by place
        ) as s",
    )
    .bind(tx.merchant())
    .bind(items.iter().map(|item| item.code.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    let mut skus: HashMap<String, Vec<Sku>> = HashMap::new();
    for row in rows {
        skus.entry(row.item_code).or_default().push(row.sku);
    }
    for item in items {
        item.skus = skus.remove(&item.code).unwrap_or_default();
    }
    Ok(())
}
