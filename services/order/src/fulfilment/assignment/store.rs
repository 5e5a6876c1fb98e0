//! The SQL of assignments and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use super::Assignment;
use crate::{
    fulfilment::{StoreId, pickup::By},
    order::domain::OrderId,
};

/// Stores a new assignment; false when the part has one.
pub async fn insert(
    tx: &mut Tx,
    assignment: &Assignment,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into assignments
            (merchant_id, order_id, part, state, turn, store_id, candidates, expires_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict on constraint assignments_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(assignment.order_id)
    .bind(assignment.part)
    .bind(assignment.state.as_str())
    .bind(assignment.turn)
    .bind(assignment.store_id)
    .bind(&assignment.candidates)
    .bind(assignment.expires_at)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The assignment of a part.
pub async fn find(
    tx: &mut Tx,
    order: OrderId,
    part: i32,
) -> Result<Option<Assignment>, siyu_pg::Error> {
    let assignment = sqlx::query_as(
        "select order_id, part, state, turn, store_id, candidates, expires_at
        from assignments
        where merchant_id = $1 and order_id = $2 and part = $3",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(assignment)
}

/// The assignments of an order, by part.
pub async fn list(tx: &mut Tx, order: OrderId) -> Result<Vec<Assignment>, siyu_pg::Error> {
    let assignments = sqlx::query_as(
        "select order_id, part, state, turn, store_id, candidates, expires_at
        from assignments
        where merchant_id = $1 and order_id = $2
        order by part",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(assignments)
}

/// Saves what an assignment becomes, if it still is what was read.
pub async fn save(
    tx: &mut Tx,
    next: &Assignment,
    read: &Assignment,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "update assignments set state = $6, turn = $7, store_id = $8, candidates = $9, expires_at = $10, updated_at = $11
        where merchant_id = $1 and order_id = $2 and part = $3 and state = $4 and turn = $5",
    )
    .bind(tx.merchant())
    .bind(read.order_id)
    .bind(read.part)
    .bind(read.state.as_str())
    .bind(read.turn)
    .bind(next.state.as_str())
    .bind(next.turn)
    .bind(next.store_id)
    .bind(&next.candidates)
    .bind(next.expires_at)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down what happened to an assignment.
pub async fn insert_event(
    tx: &mut Tx,
    assignment: &Assignment,
    kind: &str,
    store: Option<StoreId>,
    by: By<'_>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into assignment_events (merchant_id, order_id, part, turn, kind, store_id, actor, reason, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tx.merchant())
    .bind(assignment.order_id)
    .bind(assignment.part)
    .bind(assignment.turn)
    .bind(kind)
    .bind(store)
    .bind(by.actor)
    .bind(by.reason)
    .bind(by.now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Offers of all merchants that nobody answered in time, the oldest first.
pub async fn due(
    jobs: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId, i32)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, order_id, part
        from assignments
        where state = 'offered' and expires_at <= $1
        order by expires_at, merchant_id, order_id, part
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **jobs)
    .await?;
    Ok(due)
}

/// How many parts stores have to fulfil, in the order of the stores given.
pub async fn loads(tx: &mut Tx, stores: &[StoreId]) -> Result<Vec<i64>, siyu_pg::Error> {
    let loads = sqlx::query_scalar(
        "select l.load
        from unnest($2::uuid[]) with ordinality as k (store_id, n)
        cross join lateral (
            select count(*) as load
            from assignments
            where merchant_id = $1 and store_id = k.store_id and state in ('offered', 'accepted')
        ) as l
        order by k.n",
    )
    .bind(tx.merchant())
    .bind(stores)
    .fetch_all(&mut **tx)
    .await?;
    Ok(loads)
}
