//! The SQL of what orders hold.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::{
    order::domain::OrderId,
    stock::{
        demand::{Reservation, ReservationKey},
        domain::Key,
    },
};

#[derive(sqlx::FromRow)]
pub(super) struct ReservationRow {
    order_id: OrderId,
    line_no: i32,
    sku: String,
    location: String,
    channel: String,
    quantity: i64,
    held: i64,
    from_bucket: i64,
    committed: i64,
    returned: i64,
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<ReservationRow> for Reservation {
    fn from(row: ReservationRow) -> Self {
        Self {
            key: ReservationKey {
                order_id: row.order_id,
                line_no: row.line_no,
                key: Key { sku: row.sku, location: row.location },
                channel: row.channel,
            },
            quantity: row.quantity,
            held: row.held,
            from_bucket: row.from_bucket,
            committed: row.committed,
            returned: row.returned,
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

/// Locks every reservation that an order ever made, those that hold nothing any more, too.
pub async fn lock_reservations(
    tx: &mut Tx,
    order_id: OrderId,
) -> Result<Vec<Reservation>, siyu_pg::Error> {
    let rows: Vec<ReservationRow> = sqlx::query_as(
        "select order_id, line_no, sku, location, channel, quantity, held, from_bucket, committed, returned,
            expires_at, created_at
        from stock_reservations
        where merchant_id = $1 and order_id = $2
        order by line_no, sku, location, channel
        for update",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

/// Every reservation that an order ever made.
pub async fn of_order(tx: &mut Tx, order_id: OrderId) -> Result<Vec<Reservation>, siyu_pg::Error> {
    let rows: Vec<ReservationRow> = sqlx::query_as(
        "select order_id, line_no, sku, location, channel, quantity, held, from_bucket, committed, returned,
            expires_at, created_at
        from stock_reservations
        where merchant_id = $1 and order_id = $2
        order by line_no, sku, location, channel",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

/// Those of the orders that hold something.
pub async fn holding(
    tx: &mut Tx,
    orders: &BTreeSet<OrderId>,
) -> Result<BTreeSet<OrderId>, siyu_pg::Error> {
    let held: Vec<OrderId> = sqlx::query_scalar(
        "select r.order_id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select order_id from stock_reservations where merchant_id = $1 and order_id = k.id and held > 0 limit 1
        ) as r",
    )
    .bind(tx.merchant())
    .bind(orders.iter().copied().collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(held.into_iter().collect())
}

/// Changes until when what an order holds is held; gives the reservations that hold something.
pub async fn claim(
    tx: &mut Tx,
    order_id: OrderId,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<Reservation>, siyu_pg::Error> {
    let rows: Vec<ReservationRow> = sqlx::query_as(
        "update stock_reservations set expires_at = $3, updated_at = $4
        where merchant_id = $1 and order_id = $2 and held > 0
        returning order_id, line_no, sku, location, channel, quantity, held, from_bucket, committed, returned,
            expires_at, created_at",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .bind(until)
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(Reservation::from).collect())
}

/// Orders of all merchants that never came to be and hold something past its time, the longest first.
pub async fn orphans(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select r.merchant_id, r.order_id
        from stock_reservations r
        left join lateral (
            select id from orders where merchant_id = r.merchant_id and id = r.order_id limit 1
        ) as o on true
        where r.held > 0 and r.expires_at <= $1 and o.id is null
        order by r.expires_at, r.merchant_id, r.order_id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
