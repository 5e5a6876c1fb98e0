//! The SQL of price lists and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::domain::{ListedPrice, Offer, PriceList};

/// Inserts price lists or saves those that exist and were other; sorted by code, so that two calls never wait for each other.
pub async fn upsert(tx: &mut Tx, lists: &[PriceList]) -> Result<(), siyu_pg::Error> {
    for list in lists {
        sqlx::query(
            "insert into price_lists (merchant_id, code, name, priority, for_stores, for_regions, for_tiers, for_channels,
                valid_from, valid_to, paused, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            on conflict on constraint price_lists_pkey do update
            set name = excluded.name, priority = excluded.priority, for_stores = excluded.for_stores,
                for_regions = excluded.for_regions, for_tiers = excluded.for_tiers,
                for_channels = excluded.for_channels, valid_from = excluded.valid_from,
                valid_to = excluded.valid_to, paused = excluded.paused, updated_at = excluded.updated_at
            where (price_lists.name, price_lists.priority, price_lists.for_stores, price_lists.for_regions,
                    price_lists.for_tiers, price_lists.for_channels, price_lists.valid_from, price_lists.valid_to,
                    price_lists.paused)
                is distinct from (excluded.name, excluded.priority, excluded.for_stores, excluded.for_regions,
                    excluded.for_tiers, excluded.for_channels, excluded.valid_from, excluded.valid_to,
                    excluded.paused)",
        )
        .bind(tx.merchant())
        .bind(&list.code)
        .bind(&list.name)
        .bind(list.priority)
        .bind(&list.condition.for_stores)
        .bind(&list.condition.for_regions)
        .bind(&list.condition.for_tiers)
        .bind(&list.condition.for_channels)
        .bind(list.valid_from)
        .bind(list.valid_to)
        .bind(list.paused)
        .bind(list.created_at)
        .bind(list.updated_at)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Those of the lists that exist, in the order of the codes given.
pub async fn of_codes(tx: &mut Tx, codes: &[&str]) -> Result<Vec<PriceList>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select l.*
        from unnest($2::text[]) with ordinality as k (code, n)
        cross join lateral (
            select code, name, priority, for_stores, for_regions, for_tiers, for_channels, valid_from, valid_to,
                paused, created_at, updated_at
            from price_lists
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

/// Locks a list, so that two calls never change its prices at a time; returns whether it exists.
pub async fn lock(tx: &mut Tx, code: &str) -> Result<bool, siyu_pg::Error> {
    let found = sqlx::query(
        "select 1 from price_lists where merchant_id = $1 and code = $2 for no key update",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found.is_some())
}

/// Price lists after a code.
pub async fn list(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<PriceList>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select code, name, priority, for_stores, for_regions, for_tiers, for_channels, valid_from, valid_to, paused,
            created_at, updated_at
        from price_lists
        where merchant_id = $1 and ($2::text is null or code > $2)
        order by code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Puts prices on a list that is locked; returns how many are new or another.
pub async fn put(
    tx: &mut Tx,
    list_code: &str,
    prices: &[ListedPrice],
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into listed_prices (merchant_id, list_code, sku, unit_minor)
        select $1, $2, n.* from unnest($3::text[], $4::bigint[]) as n
        on conflict on constraint listed_prices_pkey do update
        set unit_minor = excluded.unit_minor
        where listed_prices.unit_minor <> excluded.unit_minor",
    )
    .bind(tx.merchant())
    .bind(list_code)
    .bind(prices.iter().map(|price| price.sku.as_str()).collect::<Vec<_>>())
    .bind(prices.iter().map(|price| price.unit_minor).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Takes prices off a list; returns how many were there.
pub async fn remove(tx: &mut Tx, list_code: &str, skus: &[String]) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "delete from listed_prices
        where ctid = any (array(
            select p.ctid
            from unnest($3::text[]) as k (sku)
            cross join lateral (
                select ctid
                from listed_prices
                where merchant_id = $1 and list_code = $2 and sku = k.sku
                limit 1
                for update
            ) as p
        ))",
    )
    .bind(tx.merchant())
    .bind(list_code)
    .bind(skus)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The prices on a list after a SKU.
pub async fn prices(
    tx: &mut Tx,
    list_code: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<ListedPrice>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select sku, unit_minor
        from listed_prices
        where merchant_id = $1 and list_code = $2 and ($3::text is null or sku > $3)
        order by sku
        limit $4",
    )
    .bind(tx.merchant())
    .bind(list_code)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Every price of the SKUs on a list that is in force at an instant.
pub async fn offers(
    tx: &mut Tx,
    skus: &[&str],
    at: DateTime<Utc>,
) -> Result<Vec<Offer>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select p.list_code, l.priority, l.for_stores, l.for_regions, l.for_tiers, l.for_channels, p.sku, p.unit_minor
        from unnest($2::text[]) as k (sku)
        cross join lateral (
            select list_code, sku, unit_minor
            from listed_prices
            where merchant_id = $1 and sku = k.sku
            offset 0
        ) as p
        cross join lateral (
            select priority, for_stores, for_regions, for_tiers, for_channels
            from price_lists
            where merchant_id = $1 and code = p.list_code and not paused
                and (valid_from is null or valid_from <= $3) and (valid_to is null or valid_to > $3)
            limit 1
        ) as l",
    )
    .bind(tx.merchant())
    .bind(skus)
    .bind(at)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
