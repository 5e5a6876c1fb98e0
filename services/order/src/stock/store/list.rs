//! The SQL of what is shown of stock, and of what must add up.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Movement as MovementKind};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{Buckets, reservation::ReservationRow};
use crate::{
    order::domain::OrderId,
    stock::{
        demand::Reservation,
        domain::{Cause, Key, Stock},
    },
};

/// Which stocks a list shows; `None` holds for every stock.
#[derive(Debug, Clone, Default)]
pub struct StockFilter {
    /// Of this SKU.
    pub sku: Option<String>,
    /// At this location.
    pub location: Option<String>,
    /// Less on hand and not reserved than the safety stock.
    pub below_safety: bool,
}

/// Which movements a list shows; `None` holds for every movement.
#[derive(Debug, Clone, Default)]
pub struct MovementFilter {
    /// Of this SKU.
    pub sku: Option<String>,
    /// At this location.
    pub location: Option<String>,
    /// Of this order.
    pub order_id: Option<OrderId>,
    /// Of this cause.
    pub cause: Option<&'static str>,
    /// Of this document.
    pub document_no: Option<String>,
}

/// Which reservations a list shows; `None` holds for every reservation.
#[derive(Debug, Clone, Default)]
pub struct ReservationFilter {
    /// Of this order.
    pub order_id: Option<OrderId>,
    /// Of this SKU.
    pub sku: Option<String>,
    /// At this location.
    pub location: Option<String>,
    /// Those that hold nothing any more, too.
    pub with_ended: bool,
}

/// Where a page of reservations ends: order, line, SKU, location and channel of its last one.
pub type Cursor = (Uuid, i32, String, String, String);

/// A stock with what it is counted by.
#[derive(Debug)]
pub struct StockRow {
    /// What it is counted by.
    pub key: Key,
    /// The stock.
    pub stock: Stock,
}

/// A movement: the row.
#[derive(Debug, sqlx::FromRow)]
pub struct MovementRow {
    /// The movement.
    pub id: Id<MovementKind>,
    /// The SKU.
    pub sku: String,
    /// The location.
    pub location: String,
    /// Why.
    pub cause: Cause,
    /// Pieces that came or went.
    pub on_hand_delta: i64,
    /// Pieces that were reserved or no longer.
    pub reserved_delta: i64,
    /// Pieces on hand after it.
    pub on_hand: i64,
    /// Reserved pieces after it.
    pub reserved: i64,
    /// The order.
    pub order_id: Option<OrderId>,
    /// Its line.
    pub line_no: Option<i32>,
    /// The document.
    pub document_no: String,
    /// Its row.
    pub row_no: Option<i32>,
    /// What is said besides.
    pub note: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A stock beside what its movements and reservations add up to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Balance {
    /// The SKU.
    pub sku: String,
    /// The location.
    pub location: String,
    /// Pieces on hand.
    pub on_hand: i64,
    /// Reserved pieces.
    pub reserved: i64,
    /// The sum of the movements of pieces on hand.
    pub moved: i64,
    /// The sum of the movements of reserved pieces.
    pub moved_reserved: i64,
    /// What the reservations hold.
    pub held: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    sku: String,
    location: String,
    on_hand: i64,
    reserved: i64,
    safety: i64,
    buckets: Buckets,
    updated_at: DateTime<Utc>,
}

/// Stocks after a key, by SKU and location.
pub async fn list(
    tx: &mut Tx,
    filter: &StockFilter,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<StockRow>, siyu_pg::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "select sku, location, on_hand, reserved, safety, buckets, updated_at
        from stocks
        where merchant_id = $1
            and ($2::text is null or sku = $2)
            and ($3::text is null or location = $3)
            and (not $4 or on_hand - reserved < safety)
            and ($5::text is null or (sku, location) > ($5, $6))
        order by sku, location
        limit $7",
    )
    .bind(tx.merchant())
    .bind(filter.sku.as_deref())
    .bind(filter.location.as_deref())
    .bind(filter.below_safety)
    .bind(after.map(|(sku, _)| sku.as_str()))
    .bind(after.map(|(_, location)| location.as_str()))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    let row = |row: Row| StockRow {
        key: Key { sku: row.sku, location: row.location },
        stock: Stock {
            on_hand: row.on_hand,
            reserved: row.reserved,
            safety: row.safety,
            buckets: row.buckets.0,
            updated_at: row.updated_at,
        },
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Movements before an id, newest first.
pub async fn list_movements(
    tx: &mut Tx,
    filter: &MovementFilter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MovementRow>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select id, sku, location, cause, on_hand_delta, reserved_delta, on_hand, reserved, order_id, line_no,
            document_no, row_no, note, created_at
        from stock_movements
        where merchant_id = $1
            and ($2::text is null or sku = $2)
            and ($3::text is null or location = $3)
            and ($4::uuid is null or order_id = $4)
            and ($5::text is null or cause = $5)
            and ($6::text is null or (document_no = $6 and document_no <> ''))
            and ($7::uuid is null or id < $7)
        order by id desc
        limit $8",
    )
    .bind(tx.merchant())
    .bind(filter.sku.as_deref())
    .bind(filter.location.as_deref())
    .bind(filter.order_id)
    .bind(filter.cause)
    .bind(filter.document_no.as_deref())
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Reservations after a cursor, by order and line.
pub async fn list_reservations(
    tx: &mut Tx,
    filter: &ReservationFilter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Reservation>, siyu_pg::Error> {
    let rows: Vec<ReservationRow> = sqlx::query_as(
        "select order_id, line_no, sku, location, channel, quantity, held, from_bucket, committed, returned,
            expires_at, created_at
        from stock_reservations
        where merchant_id = $1
            and ($2::uuid is null or order_id = $2)
            and ($3::text is null or sku = $3)
            and ($4::text is null or location = $4)
            and ($5 or held > 0)
            and ($6::uuid is null or (order_id, line_no, sku, location, channel) > ($6, $7, $8, $9, $10))
        order by order_id, line_no, sku, location, channel
        limit $11",
    )
    .bind(tx.merchant())
    .bind(filter.order_id)
    .bind(filter.sku.as_deref())
    .bind(filter.location.as_deref())
    .bind(filter.with_ended)
    .bind(after.map(|cursor| cursor.0))
    .bind(after.map(|cursor| cursor.1))
    .bind(after.map(|cursor| cursor.2.as_str()))
    .bind(after.map(|cursor| cursor.3.as_str()))
    .bind(after.map(|cursor| cursor.4.as_str()))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

/// Stocks after a key beside what adds up to them, seen at one instant.
pub async fn balances(
    tx: &mut Tx,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Balance>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select s.sku, s.location, s.on_hand, s.reserved, m.moved, m.moved_reserved, r.held
        from (
            select sku, location, on_hand, reserved
            from stocks
            where merchant_id = $1 and (sku, location) > ($2, $3)
            order by sku, location
            limit $4
        ) as s
        cross join lateral (
            select coalesce(sum(on_hand_delta), 0)::bigint as moved,
                coalesce(sum(reserved_delta), 0)::bigint as moved_reserved
            from stock_movements
            where merchant_id = $1 and sku = s.sku and location = s.location
        ) as m
        cross join lateral (
            select coalesce(sum(held), 0)::bigint as held
            from stock_reservations
            where merchant_id = $1 and sku = s.sku and location = s.location
        ) as r
        order by s.sku, s.location",
    )
    .bind(tx.merchant())
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
