//! The SQL of refunds and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use super::domain::{Refund, RefundId};
use crate::claim::domain::PaymentId;

/// Stores a refund.
pub async fn insert(tx: &mut Tx, refund: &Refund) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into payment_refunds (merchant_id, id, payment_id, number, key, account_code, out_refund_no, amount_minor,
            reason, state, provider_no, failure, tries, due_at, created_at, actor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(tx.merchant())
    .bind(refund.id)
    .bind(refund.payment_id)
    .bind(refund.number)
    .bind(&refund.key)
    .bind(&refund.account_code)
    .bind(&refund.out_refund_no)
    .bind(refund.amount_minor)
    .bind(&refund.reason)
    .bind(refund.state)
    .bind(&refund.provider_no)
    .bind(&refund.failure)
    .bind(refund.tries)
    .bind(refund.due_at)
    .bind(refund.created_at)
    .bind(&refund.actor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The refunds of a payment, oldest first. Whoever adds one holds the lock of the payment.
pub async fn of_payment(tx: &mut Tx, payment: PaymentId) -> Result<Vec<Refund>, siyu_pg::Error> {
    let refunds = sqlx::query_as(
        "select * from payment_refunds where merchant_id = $1 and payment_id = $2 order by number",
    )
    .bind(tx.merchant())
    .bind(payment)
    .fetch_all(&mut **tx)
    .await?;
    Ok(refunds)
}

/// The refund that a payment company knows by a number.
pub async fn find_by_number(
    tx: &mut Tx,
    account_code: &str,
    out_refund_no: &str,
) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "select * from payment_refunds where merchant_id = $1 and account_code = $2 and out_refund_no = $3",
    )
    .bind(tx.merchant())
    .bind(account_code)
    .bind(out_refund_no)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}

/// A refund.
pub async fn find(tx: &mut Tx, id: RefundId) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as("select * from payment_refunds where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(refund)
}

/// Locks a refund.
pub async fn lock(tx: &mut Tx, id: RefundId) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "select * from payment_refunds where merchant_id = $1 and id = $2 for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}

/// Saves what changes of a refund that is locked.
pub async fn save(tx: &mut Tx, refund: &Refund) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update payment_refunds set state = $3, provider_no = $4, failure = $5, tries = $6, due_at = $7, ended_at = $8
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(refund.id)
    .bind(refund.state)
    .bind(&refund.provider_no)
    .bind(&refund.failure)
    .bind(refund.tries)
    .bind(refund.due_at)
    .bind(refund.ended_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a refund that is locked is there");
    Ok(())
}

/// Refunds that are to be sent or asked for, the longest waiting first, with the instant that a lease names.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, RefundId, DateTime<Utc>)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id, due_at from payment_refunds where due_at <= $1 order by due_at limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// Takes a refund that is due for one process: until an instant nobody else does. `None` when somebody was faster.
pub async fn lease(
    tx: &mut Tx,
    id: RefundId,
    due_at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Refund>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "update payment_refunds set due_at = $4 where merchant_id = $1 and id = $2 and due_at = $3 returning *",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(due_at)
    .bind(until)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}
