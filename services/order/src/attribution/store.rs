//! The SQL of clicks and of the orders that they led to, and nothing else.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Person};
use siyu_pg::Tx;

use crate::order::domain::OrderId;

/// A click: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Click {
    /// Who clicked.
    pub person_id: Id<Person>,
    /// The SKU.
    pub sku: String,
    /// When.
    pub clicked_at: DateTime<Utc>,
    /// The room.
    pub room_id: String,
    /// The session of the room.
    pub session_id: String,
    /// Who presents.
    pub anchor_id: String,
    /// The place of the product in the session.
    pub slot: i32,
}

/// Stores clicks that are not known; gives how many there were.
pub async fn insert(tx: &mut Tx, clicks: &[Click]) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into live_clicks (merchant_id, person_id, sku, clicked_at, room_id, session_id, anchor_id, slot)
        select $1, n.*
        from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::integer[]) as n
        on conflict on constraint live_clicks_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(clicks.iter().map(|click| click.person_id).collect::<Vec<_>>())
    .bind(clicks.iter().map(|click| click.sku.as_str()).collect::<Vec<_>>())
    .bind(clicks.iter().map(|click| click.clicked_at).collect::<Vec<_>>())
    .bind(clicks.iter().map(|click| click.room_id.as_str()).collect::<Vec<_>>())
    .bind(clicks.iter().map(|click| click.session_id.as_str()).collect::<Vec<_>>())
    .bind(clicks.iter().map(|click| click.anchor_id.as_str()).collect::<Vec<_>>())
    .bind(clicks.iter().map(|click| click.slot).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Copies the last click of a buyer, under whichever id, on one of the SKUs at `from` or later to an order.
pub async fn attribute(
    tx: &mut Tx,
    order: OrderId,
    person: Id<Person>,
    skus: &[&str],
    (from, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into order_attributions
            (merchant_id, order_id, person_id, sku, clicked_at, room_id, session_id, anchor_id, slot)
        select $1, $2, c.*
        from (
            select $3::uuid as id
            union all
            select person_id from buyer_aliases
            where merchant_id = $1 and merged_into = $3 and merged_into is not null
        ) as p
        cross join unnest($4::text[]) as k (sku)
        cross join lateral (
            select person_id, sku, clicked_at, room_id, session_id, anchor_id, slot
            from live_clicks
            where merchant_id = $1 and person_id = p.id and sku = k.sku and clicked_at >= $5 and clicked_at <= $6
            order by clicked_at desc, room_id, session_id, slot
            limit 1
        ) as c
        order by c.clicked_at desc, c.room_id, c.session_id, c.slot, c.sku
        limit 1",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(person)
    .bind(skus)
    .bind(from)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The clicks that orders came from, of those that came from one.
pub async fn of_orders(
    tx: &mut Tx,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Click>, siyu_pg::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        order_id: OrderId,
        #[sqlx(flatten)]
        click: Click,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select a.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select order_id, person_id, sku, clicked_at, room_id, session_id, anchor_id, slot
            from order_attributions
            where merchant_id = $1 and order_id = k.id
            limit 1
        ) as a",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.click)).collect())
}
