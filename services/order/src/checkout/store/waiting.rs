//! The SQL of orders that go on by themselves when their time has come, and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::order::domain::{OrderId, State};

/// Lets an order wait until another instant; without one it goes on by itself no more.
pub async fn wait(
    tx: &mut Tx,
    id: OrderId,
    until: Option<DateTime<Utc>>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query("update checkouts set ripe_at = $3 where merchant_id = $1 and order_id = $2")
        .bind(tx.merchant())
        .bind(id)
        .bind(until)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whether an order, which is locked, is still due.
pub async fn is_ripe(tx: &mut Tx, id: OrderId, now: DateTime<Utc>) -> Result<bool, siyu_pg::Error> {
    let ripe: Option<bool> = sqlx::query_scalar(
        "select ripe_at <= $3 from checkouts where merchant_id = $1 and order_id = $2 and ripe_at is not null",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(ripe.unwrap_or(false))
}

/// Orders that are to be routed, completed or closed by themselves, with their state, the longest due first.
pub async fn ripe(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId, State)>, siyu_pg::Error> {
    let ripe = sqlx::query_as(
        "select c.merchant_id, c.order_id, o.state
        from (select merchant_id, order_id, ripe_at from checkouts where ripe_at <= $1 order by ripe_at limit $2) as c
        cross join lateral (select state from orders where merchant_id = c.merchant_id and id = c.order_id limit 1) as o
        order by c.ripe_at",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ripe)
}
