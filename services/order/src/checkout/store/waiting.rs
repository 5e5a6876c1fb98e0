//! The SQL of orders that go on by themselves when their time has come, and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::order::domain::{OrderId, State};

/// What an order waits for before it goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Somebody who takes it on: the job asks at once.
    Route,
    /// The buyer's word that it came.
    Confirm,
    /// The end of the after-sale window.
    AfterSale,
    /// Nothing.
    Never,
}

/// Says when an order is routed, completed or closed by itself: at an instant, so many of its own days after it, or not.
pub async fn ripen(
    tx: &mut Tx,
    id: OrderId,
    wait: Wait,
    from: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    let days = match wait {
        Wait::Route => "route",
        Wait::Confirm => "confirm",
        Wait::AfterSale => "after_sale",
        Wait::Never => "never",
    };
    sqlx::query(
        "update checkouts set ripe_at = case $3
            when 'route' then $4::timestamptz
            when 'confirm' then $4::timestamptz + make_interval(days => confirm_days)
            when 'after_sale' then $4::timestamptz + make_interval(days => after_sale_days)
        end
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(days)
    .bind(from)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets an order wait longer.
pub async fn postpone(
    tx: &mut Tx,
    id: OrderId,
    until: DateTime<Utc>,
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
