//! The SQL of coupons that were given for orders.

use siyu_pg::Tx;

use crate::{coupon::domain::Coupon, order::domain::OrderId};

/// The coupons that were given for an order, by id.
pub async fn given(tx: &mut Tx, order: OrderId) -> Result<Vec<Coupon>, siyu_pg::Error> {
    let coupons = sqlx::query_as(
        "select id, template_code, person_id, definition, valid_from, valid_to, created_at, state, transfers, redeemed_at,
            given_order_id
        from coupons
        where merchant_id = $1 and given_order_id = $2 and given_order_id is not null
        order by id",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(coupons)
}

/// How many coupons were given for an order. Whoever decides on that holds the lock of the order.
pub async fn count_given(tx: &mut Tx, order: OrderId) -> Result<i64, siyu_pg::Error> {
    let count = sqlx::query_scalar(
        "select count(*) from coupons
        where merchant_id = $1 and given_order_id = $2 and given_order_id is not null",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}

/// Locks what a refund of an order may change: the coupons that the order has, and those that were given for it. All at once
/// and by id, so that two orders, one of which used what the other gave, never wait for each other.
pub async fn lock_for_refund(tx: &mut Tx, order: OrderId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "select
        from (
            select id from coupons where merchant_id = $1 and order_id = $2 and order_id is not null
            union
            select id from coupons where merchant_id = $1 and given_order_id = $2 and given_order_id is not null
            order by id
        ) as k
        cross join lateral (
            select from coupons where merchant_id = $1 and id = k.id for update
        ) as c",
    )
    .bind(tx.merchant())
    .bind(order)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
