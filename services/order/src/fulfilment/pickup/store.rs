//! The SQL of pick-up codes and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{By, Pickup, Step, code::PickupCode};
use crate::{fulfilment::StoreId, order::domain::OrderId};

/// Stores a code; false when the order has one at the store, or the store has that very code for another order.
pub async fn insert(tx: &mut Tx, pickup: &Pickup) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into pickup_codes (merchant_id, order_id, store_id, code, state, issue, expires_at, issued_at)
        values ($1, $2, $3, $4, 'issued', $5, $6, $7)
        on conflict do nothing",
    )
    .bind(tx.merchant())
    .bind(pickup.order_id)
    .bind(pickup.store_id)
    .bind(pickup.code.expose())
    .bind(pickup.issue)
    .bind(pickup.expires_at)
    .bind(pickup.issued_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Locks the code of an order at a store.
pub async fn lock(
    tx: &mut Tx,
    order: OrderId,
    store: StoreId,
) -> Result<Option<Pickup>, siyu_pg::Error> {
    let pickup = sqlx::query_as(
        "select order_id, store_id, code, state, issue, expires_at, issued_at, used_at
        from pickup_codes
        where merchant_id = $1 and order_id = $2 and store_id = $3
        for update",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(store)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(pickup)
}

/// The codes of an order, by store.
pub async fn of_order(tx: &mut Tx, order: OrderId) -> Result<Vec<Pickup>, siyu_pg::Error> {
    let pickups = sqlx::query_as(
        "select order_id, store_id, code, state, issue, expires_at, issued_at, used_at
        from pickup_codes
        where merchant_id = $1 and order_id = $2
        order by store_id",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(pickups)
}

/// Uses a code up, if it can be used: one statement, so that of several at once one succeeds.
pub async fn use_up(
    tx: &mut Tx,
    store: StoreId,
    code: &PickupCode,
    now: DateTime<Utc>,
) -> Result<Option<Pickup>, siyu_pg::Error> {
    let pickup = sqlx::query_as(
        "update pickup_codes set state = 'used', used_at = $4
        where merchant_id = $1 and store_id = $2 and code = $3 and state = 'issued' and expires_at > $4
        returning order_id, store_id, code, state, issue, expires_at, issued_at, used_at",
    )
    .bind(tx.merchant())
    .bind(store)
    .bind(code.expose())
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(pickup)
}

/// The code of a store with these digits, the last one that was issued.
pub async fn find_code(
    tx: &mut Tx,
    store: StoreId,
    code: &PickupCode,
) -> Result<Option<Pickup>, siyu_pg::Error> {
    let pickup = sqlx::query_as(
        "select order_id, store_id, code, state, issue, expires_at, issued_at, used_at
        from pickup_codes
        where merchant_id = $1 and store_id = $2 and code = $3
        order by issued_at desc, order_id
        limit 1",
    )
    .bind(tx.merchant())
    .bind(store)
    .bind(code.expose())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(pickup)
}

/// Puts another code in the place of a locked one; false when the store has that very code for another order.
pub async fn reissue(tx: &mut Tx, pickup: &Pickup) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "update pickup_codes set code = $4, state = 'issued', issue = $5, expires_at = $6, issued_at = $7, used_at = null
        where merchant_id = $1 and order_id = $2 and store_id = $3
            and not exists (
                select from pickup_codes as other
                where other.merchant_id = $1 and other.store_id = $3 and other.code = $4 and other.state = 'issued'
            )",
    )
    .bind(tx.merchant())
    .bind(pickup.order_id)
    .bind(pickup.store_id)
    .bind(pickup.code.expose())
    .bind(pickup.issue)
    .bind(pickup.expires_at)
    .bind(pickup.issued_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a locked code.
pub async fn void(tx: &mut Tx, order: OrderId, store: StoreId) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update pickup_codes set state = 'void' where merchant_id = $1 and order_id = $2 and store_id = $3",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(store)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the code is locked");
    Ok(())
}

/// How many wrong codes were tried at a store since an instant. Whoever reads it has the store for itself until the transaction
/// ends, so that of many who try at once each sees what those before it tried.
pub async fn lock_failures(
    tx: &mut Tx,
    store: StoreId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<i32, siyu_pg::Error> {
    let failures = sqlx::query_scalar(
        "insert into pickup_failures as f (merchant_id, store_id, since, failures)
        values ($1, $2, $4, 0)
        on conflict on constraint pickup_failures_pkey do update
        set since = case when f.failures = 0 then $4 else f.since end
        returning case when since > $3 then failures else 0 end",
    )
    .bind(tx.merchant())
    .bind(store)
    .bind(since)
    .bind(now)
    .fetch_one(&mut **tx)
    .await?;
    Ok(failures)
}

/// Marks where [`undo`] leads back to. What was locked before stays locked.
pub async fn mark(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    sqlx::query("savepoint pickup_shown").execute(&mut **tx).await?;
    Ok(())
}

/// Undoes what happened since [`mark`].
pub async fn undo(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    sqlx::query("rollback to savepoint pickup_shown").execute(&mut **tx).await?;
    Ok(())
}

/// Counts a wrong code; what was counted before an instant is forgotten.
pub async fn count_failure(
    tx: &mut Tx,
    store: StoreId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into pickup_failures as f (merchant_id, store_id, since, failures)
        values ($1, $2, $4, 1)
        on conflict on constraint pickup_failures_pkey do update
        set since = case when f.since > $3 then f.since else $4 end,
            failures = case when f.since > $3 then f.failures + 1 else 1 end",
    )
    .bind(tx.merchant())
    .bind(store)
    .bind(since)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes down what was done with a code, without the code.
pub async fn insert_event(
    tx: &mut Tx,
    id: Uuid,
    pickup: &Pickup,
    step: Step,
    by: By<'_>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into pickup_events (merchant_id, id, order_id, store_id, issue, kind, actor, reason, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(pickup.order_id)
    .bind(pickup.store_id)
    .bind(pickup.issue)
    .bind(step.as_str())
    .bind(by.actor)
    .bind(by.reason)
    .bind(by.now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
