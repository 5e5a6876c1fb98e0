//! The SQL of tenders and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Kind, State, Tender};
use crate::order::domain::OrderId;

/// Stores the tenders of a new order.
pub async fn insert(
    tx: &mut Tx,
    tenders: &[Tender],
    due_at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    for tender in tenders {
        sqlx::query(
            "insert into tenders (merchant_id, order_id, kind, state, amount_minor, points, charges, person_id, hold_id,
                capture_id, failure, hold_until, due_at, attempts)
            values ($1, $2, $3, $4, $5, $6, $7, $8, null, null, '', $9, $10, 0)",
        )
        .bind(tx.merchant())
        .bind(tender.order_id)
        .bind(tender.kind)
        .bind(tender.state)
        .bind(tender.amount_minor)
        .bind(tender.points)
        .bind(&tender.charges)
        .bind(tender.person_id)
        .bind(tender.hold_until)
        .bind(due_at)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The tenders of an order.
pub async fn of_order(tx: &mut Tx, id: OrderId) -> Result<Vec<Tender>, siyu_pg::Error> {
    let tenders = sqlx::query_as(
        "select order_id, kind, state, amount_minor, points, charges, person_id, hold_id, capture_id, failure, hold_until,
            attempts
        from tenders
        where merchant_id = $1 and order_id = $2
        order by kind desc",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tenders)
}

/// The tenders of an order, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: OrderId) -> Result<Vec<Tender>, siyu_pg::Error> {
    let tenders = sqlx::query_as(
        "select order_id, kind, state, amount_minor, points, charges, person_id, hold_id, capture_id, failure, hold_until,
            attempts
        from tenders
        where merchant_id = $1 and order_id = $2
        order by kind desc
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tenders)
}

/// Saves where a tender is, and what is known of its hold.
pub async fn save(
    tx: &mut Tx,
    tender: &Tender,
    due_at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update tenders set state = $4, hold_id = $5, capture_id = $6, failure = $7, due_at = $8
        where merchant_id = $1 and order_id = $2 and kind = $3",
    )
    .bind(tx.merchant())
    .bind(tender.order_id)
    .bind(tender.kind)
    .bind(tender.state)
    .bind(tender.hold_id)
    .bind(tender.capture_id)
    .bind(&tender.failure)
    .bind(due_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a tender stays");
    Ok(())
}

/// Puts off the next step of a tender before it is tried, so that another replica does not try it at the same moment.
pub async fn put_off(
    tx: &mut Tx,
    order: OrderId,
    kind: Kind,
    state: State,
    until: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update tenders set due_at = $5, attempts = attempts + 1
        where merchant_id = $1 and order_id = $2 and kind = $3 and state = $4",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(kind)
    .bind(state)
    .bind(until)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Orders with a tender whose next step is due, the longest first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId)>, siyu_pg::Error> {
    let due: Vec<(Id<Merchant>, Uuid)> = sqlx::query_as(
        "select merchant_id, order_id
        from tenders
        where state in ('planned', 'capturing', 'voiding') and due_at <= $1
        order by due_at
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due.into_iter().map(|(merchant, id)| (merchant, Id::from_uuid(id))).collect())
}
