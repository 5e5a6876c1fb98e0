//! The SQL of claims and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use super::domain::Claim;
use crate::order::domain::OrderId;

/// Stores a claim.
pub async fn insert(tx: &mut Tx, claim: &Claim) -> Result<(), siyu_pg::Error> {
    let elsewhere = claim.is_charged_elsewhere();
    sqlx::query(
        "insert into payment_claims (merchant_id, order_id, cash_minor, currency, state, deadline_at, attempts, payment_id,
            settled_at, created_at, charge_minor, charge_currency)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(tx.merchant())
    .bind(claim.order_id)
    .bind(claim.cash_minor)
    .bind(claim.currency.0.code())
    .bind(claim.state)
    .bind(claim.deadline_at)
    .bind(claim.attempts)
    .bind(claim.payment_id)
    .bind(claim.settled_at)
    .bind(claim.created_at)
    .bind(elsewhere.then_some(claim.charge_minor))
    .bind(elsewhere.then_some(claim.charge_currency.0.code()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The claim of an order.
pub async fn find(tx: &mut Tx, order_id: OrderId) -> Result<Option<Claim>, siyu_pg::Error> {
    let claim = sqlx::query_as(
        "select order_id, cash_minor, currency as claim_currency, coalesce(charge_minor, cash_minor) as charge_minor,
            coalesce(charge_currency, currency) as charge_currency, state as claim_state, deadline_at, attempts,
            payment_id, settled_at, created_at as claim_created_at
        from payment_claims
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(claim)
}

/// Locks the claim of an order: nobody else settles it until the transaction ends.
pub async fn lock(tx: &mut Tx, order_id: OrderId) -> Result<Option<Claim>, siyu_pg::Error> {
    let claim = sqlx::query_as(
        "select order_id, cash_minor, currency as claim_currency, coalesce(charge_minor, cash_minor) as charge_minor,
            coalesce(charge_currency, currency) as charge_currency, state as claim_state, deadline_at, attempts,
            payment_id, settled_at, created_at as claim_created_at
        from payment_claims
        where merchant_id = $1 and order_id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(claim)
}

/// Saves what changes of a claim that is locked.
pub async fn save(tx: &mut Tx, claim: &Claim) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update payment_claims set state = $3, attempts = $4, payment_id = $5, settled_at = $6
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(claim.order_id)
    .bind(claim.state)
    .bind(claim.attempts)
    .bind(claim.payment_id)
    .bind(claim.settled_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a claim that is locked is there");
    Ok(())
}

/// Open claims whose time is over, the longest first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, order_id
        from payment_claims
        where state = 'open' and deadline_at <= $1
        order by deadline_at
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
