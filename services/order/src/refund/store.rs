//! The SQL of refunds and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Refund, RefundId};
use crate::order::domain::OrderId;

/// Stores a refund, unless another call with the same request id was faster; then it waits for that one's end and says no.
pub async fn insert(tx: &mut Tx, refund: &Refund) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into refunds (merchant_id, id, order_id, number, request_id, fingerprint, state, plan, reason, needs_return,
            cash_minor, cash, value_minor, value, points, points_part, failure, actor, due_at, attempts, created_at, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
        on conflict on constraint refunds_request_id_key do nothing",
    )
    .bind(tx.merchant())
    .bind(refund.id)
    .bind(refund.order_id)
    .bind(refund.number)
    .bind(&refund.request_id)
    .bind(&refund.fingerprint)
    .bind(refund.state)
    .bind(&refund.plan)
    .bind(&refund.reason)
    .bind(refund.needs_return)
    .bind(refund.cash_minor)
    .bind(refund.cash)
    .bind(refund.value_minor)
    .bind(refund.value)
    .bind(refund.points)
    .bind(refund.points_part)
    .bind(&refund.failure)
    .bind(&refund.actor)
    .bind(refund.due_at)
    .bind(refund.attempts)
    .bind(refund.created_at)
    .bind(refund.ended_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Saves what may change of a refund.
pub async fn save(tx: &mut Tx, refund: &Refund) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update refunds
        set state = $3, cash = $4, value = $5, points_part = $6, failure = $7, due_at = $8, attempts = $9, ended_at = $10
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(refund.id)
    .bind(refund.state)
    .bind(refund.cash)
    .bind(refund.value)
    .bind(refund.points_part)
    .bind(&refund.failure)
    .bind(refund.due_at)
    .bind(refund.attempts)
    .bind(refund.ended_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a refund stays");
    Ok(())
}

/// Keeps what was done with the rewards of the order.
pub async fn save_rewards(tx: &mut Tx, id: RefundId, rewards: &[u8]) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query("update refunds set rewards = $3 where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .bind(rewards)
        .execute(&mut **tx)
        .await?;
    assert!(done.rows_affected() == 1, "a refund stays");
    Ok(())
}

/// A refund.
pub async fn find(tx: &mut Tx, id: RefundId) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "select id, order_id, number, request_id, fingerprint, state, plan, reason, needs_return, cash_minor, cash,
            value_minor, value, points, points_part, failure, actor, rewards, due_at, attempts, created_at, ended_at
        from refunds
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}

/// A refund by the request that asked for it.
pub async fn find_by_request(
    tx: &mut Tx,
    request_id: &str,
) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "select id, order_id, number, request_id, fingerprint, state, plan, reason, needs_return, cash_minor, cash,
            value_minor, value, points, points_part, failure, actor, rewards, due_at, attempts, created_at, ended_at
        from refunds
        where merchant_id = $1 and request_id = $2",
    )
    .bind(tx.merchant())
    .bind(request_id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}

/// A refund, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: RefundId) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "select id, order_id, number, request_id, fingerprint, state, plan, reason, needs_return, cash_minor, cash,
            value_minor, value, points, points_part, failure, actor, rewards, due_at, attempts, created_at, ended_at
        from refunds
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}

/// Every refund of an order, by number. Whoever decides on them holds the lock of the order.
pub async fn of_order(tx: &mut Tx, id: OrderId) -> Result<Vec<Refund>, siyu_pg::Error> {
    let refunds = sqlx::query_as(
        "select id, order_id, number, request_id, fingerprint, state, plan, reason, needs_return, cash_minor, cash,
            value_minor, value, points, points_part, failure, actor, rewards, due_at, attempts, created_at, ended_at
        from refunds
        where merchant_id = $1 and order_id = $2
        order by number",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(refunds)
}

/// Refunds before an id, newest first.
pub async fn list(
    tx: &mut Tx,
    order: Option<OrderId>,
    state: Option<&str>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Refund>, siyu_pg::Error> {
    let refunds = sqlx::query_as(
        "select id, order_id, number, request_id, fingerprint, state, plan, reason, needs_return, cash_minor, cash,
            value_minor, value, points, points_part, failure, actor, rewards, due_at, attempts, created_at, ended_at
        from refunds
        where merchant_id = $1 and ($2::uuid is null or order_id = $2) and ($3::text is null or state = $3)
            and ($4::uuid is null or id < $4)
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(state)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(refunds)
}

/// Refunds with a step that is due, the longest first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, RefundId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id from refunds where due_at <= $1 order by due_at limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// Whether a refund of an order is asked for or on its way.
pub async fn is_open(tx: &mut Tx, order: OrderId) -> Result<bool, siyu_pg::Error> {
    let open = sqlx::query_scalar(
        "select exists (
            select from refunds
            where merchant_id = $1 and order_id = $2
                and state in ('requested', 'agreed', 'return_shipped', 'return_received', 'processing')
        )",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_one(&mut **tx)
    .await?;
    Ok(open)
}
