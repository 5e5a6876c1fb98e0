//! The SQL of stock and nothing else. Keys come sorted, so that whoever locks several waits for nobody who waits for him.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use sqlx::types::Json;

use super::domain::{Key, Place, Stock};
use crate::order::domain::OrderId;

mod document;
mod list;
mod reservation;
mod save;

pub use document::{documented, lock_document};
pub use list::{
    Balance, Cursor, MovementFilter, MovementRow, ReservationFilter, StockFilter, StockRow,
    balances, list, list_movements, list_reservations,
};
pub use reservation::{claim, holding, lock_reservations, of_order, orphans};
pub use save::{Write, save};

type Buckets = Json<BTreeMap<String, i64>>;

#[derive(sqlx::FromRow)]
struct PlaceRow {
    sku: String,
    location: String,
    stock_kept: Option<bool>,
    on_hand: Option<i64>,
    reserved: Option<i64>,
    safety: Option<i64>,
    buckets: Option<Buckets>,
    updated_at: Option<DateTime<Utc>>,
}

impl PlaceRow {
    fn place(self) -> (Key, Place) {
        let stock =
            self.on_hand.zip(self.reserved).zip(self.safety).zip(self.buckets).zip(self.updated_at);
        let stock = stock.map(|((((on_hand, reserved), safety), buckets), updated_at)| Stock {
            on_hand,
            reserved,
            safety,
            buckets: buckets.0,
            updated_at,
        });
        let key = Key { sku: self.sku, location: self.location };
        (key, Place { kept: self.stock_kept, stock })
    }
}

/// Locks stocks; gives what is known of every key, found or not.
pub async fn lock(
    tx: &mut Tx,
    keys: &BTreeSet<&Key>,
) -> Result<BTreeMap<Key, Place>, siyu_pg::Error> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select k.sku, k.location, c.stock_kept, s.on_hand, s.reserved, s.safety, s.buckets, s.updated_at
        from unnest($2::text[], $3::text[]) as k (sku, location)
        left join lateral (
            select stock_kept from skus where merchant_id = $1 and code = k.sku limit 1
        ) as c on true
        left join lateral (
            select on_hand, reserved, safety, buckets, updated_at
            from stocks
            where merchant_id = $1 and sku = k.sku and location = k.location
            limit 1
            for update
        ) as s on true",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|key| key.sku.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.location.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(PlaceRow::place).collect())
}

/// What is known of every key, without a lock.
pub async fn look(
    tx: &mut Tx,
    keys: &BTreeSet<&Key>,
) -> Result<BTreeMap<Key, Place>, siyu_pg::Error> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select k.sku, k.location, c.stock_kept, s.on_hand, s.reserved, s.safety, s.buckets, s.updated_at
        from unnest($2::text[], $3::text[]) as k (sku, location)
        left join lateral (
            select stock_kept from skus where merchant_id = $1 and code = k.sku limit 1
        ) as c on true
        left join lateral (
            select on_hand, reserved, safety, buckets, updated_at
            from stocks
            where merchant_id = $1 and sku = k.sku and location = k.location
            limit 1
        ) as s on true",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|key| key.sku.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.location.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(PlaceRow::place).collect())
}

/// What is known of a key and whether an order holds something already, both of one moment, without a lock.
pub async fn look_for(
    tx: &mut Tx,
    key: &Key,
    order_id: OrderId,
) -> Result<(Place, bool), siyu_pg::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        place: PlaceRow,
        holds: bool,
    }
    let row: Row = sqlx::query_as(
        "select k.sku, k.location, c.stock_kept, s.on_hand, s.reserved, s.safety, s.buckets, s.updated_at, exists (
                select from stock_reservations where merchant_id = $1 and order_id = $4 and held > 0
            ) as holds
        from (values ($2::text, $3::text)) as k (sku, location)
        left join lateral (
            select stock_kept from skus where merchant_id = $1 and code = k.sku limit 1
        ) as c on true
        left join lateral (
            select on_hand, reserved, safety, buckets, updated_at
            from stocks
            where merchant_id = $1 and sku = k.sku and location = k.location
            limit 1
        ) as s on true",
    )
    .bind(tx.merchant())
    .bind(&key.sku)
    .bind(&key.location)
    .bind(order_id)
    .fetch_one(&mut **tx)
    .await?;
    Ok((row.place.place().1, row.holds))
}

/// Makes stocks that are not there, without pieces.
pub async fn ensure(tx: &mut Tx, keys: &[&Key], now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into stocks (merchant_id, sku, location, on_hand, reserved, safety, buckets, updated_at)
        select $1, k.sku, k.location, 0, 0, 0, '{}', $4 from unnest($2::text[], $3::text[]) as k (sku, location)
        on conflict on constraint stocks_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|key| key.sku.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.location.as_str()).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
