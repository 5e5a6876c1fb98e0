//! The SQL of what is held and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::{
    dispute::{Dispute, DisputeId, Outcome},
    domain::Guarantee,
    entry::Entry,
};
use crate::order::domain::OrderId;

/// Inserts what is held of an order; false when it is there.
pub async fn insert(tx: &mut Tx, guarantee: &Guarantee) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into guarantees (merchant_id, order_id, currency, paid_minor, held_minor, released_minor, refunded_minor,
            advanced_minor, commission_bp, fee_bp, releases, disputed, created_at)
        values ($1, $2, $3, $4, $4, 0, 0, 0, $5, $6, 0, false, $7)
        on conflict on constraint guarantees_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(guarantee.order_id)
    .bind(guarantee.currency.0.code())
    .bind(guarantee.paid_minor)
    .bind(guarantee.commission_bp)
    .bind(guarantee.fee_bp)
    .bind(guarantee.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is held of an order.
pub async fn find(tx: &mut Tx, order: OrderId) -> Result<Option<Guarantee>, siyu_pg::Error> {
    let guarantee = sqlx::query_as(
        "select order_id, currency, paid_minor, held_minor, released_minor, refunded_minor, advanced_minor, commission_bp,
            fee_bp, releases, disputed, releasable_at, released_at, created_at
        from guarantees
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(guarantee)
}

/// Locks what is held of an order.
pub async fn lock(tx: &mut Tx, order: OrderId) -> Result<Option<Guarantee>, siyu_pg::Error> {
    let guarantee = sqlx::query_as(
        "select order_id, currency, paid_minor, held_minor, released_minor, refunded_minor, advanced_minor, commission_bp,
            fee_bp, releases, disputed, releasable_at, released_at, created_at
        from guarantees
        where merchant_id = $1 and order_id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(guarantee)
}

/// Saves how locked money stands.
pub async fn save(tx: &mut Tx, guarantee: &Guarantee) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update guarantees set held_minor = $3, released_minor = $4, refunded_minor = $5, advanced_minor = $6,
            releases = $7, disputed = $8, releasable_at = $9, released_at = $10
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(guarantee.order_id)
    .bind(guarantee.held_minor)
    .bind(guarantee.released_minor)
    .bind(guarantee.refunded_minor)
    .bind(guarantee.advanced_minor)
    .bind(guarantee.releases)
    .bind(guarantee.disputed)
    .bind(guarantee.releasable_at)
    .bind(guarantee.released_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the guarantee is locked");
    Ok(())
}

/// Orders of all merchants whose money is due for release, the longest due first.
pub async fn due(
    jobs: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, order_id
        from guarantees
        where held_minor > 0 and not disputed and releasable_at <= $1
        order by releasable_at, merchant_id, order_id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **jobs)
    .await?;
    Ok(due)
}

/// What is held of all orders in a currency: one pass over the index of what is held.
pub async fn held(tx: &mut Tx, currency: &str) -> Result<i64, siyu_pg::Error> {
    let held = sqlx::query_scalar(
        "select coalesce(sum(held_minor), 0)::bigint
        from guarantees
        where merchant_id = $1 and currency = $2 and held_minor > 0",
    )
    .bind(tx.merchant())
    .bind(currency)
    .fetch_one(&mut **tx)
    .await?;
    Ok(held)
}

/// Inserts a dispute.
pub async fn insert_dispute(tx: &mut Tx, dispute: &Dispute) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into disputes (merchant_id, id, order_id, amount_minor, frozen_minor, reason, note, opened_at)
        values ($1, $2, $3, $4, $5, $6, '', $7)",
    )
    .bind(tx.merchant())
    .bind(dispute.id)
    .bind(dispute.order_id)
    .bind(dispute.amount_minor)
    .bind(dispute.frozen_minor)
    .bind(&dispute.reason)
    .bind(dispute.opened_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves how a dispute of a locked guarantee stands.
pub async fn save_dispute(tx: &mut Tx, dispute: &Dispute) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update disputes set amount_minor = $3, frozen_minor = $4, outcome = $5, note = $6, closed_at = $7
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(dispute.id)
    .bind(dispute.amount_minor)
    .bind(dispute.frozen_minor)
    .bind(dispute.outcome.map(Outcome::as_str))
    .bind(&dispute.note)
    .bind(dispute.closed_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the guarantee of the dispute is locked");
    Ok(())
}

/// A dispute.
pub async fn find_dispute(tx: &mut Tx, id: DisputeId) -> Result<Option<Dispute>, siyu_pg::Error> {
    let dispute = sqlx::query_as(
        "select id, order_id, amount_minor, frozen_minor, reason, outcome, note, opened_at, closed_at
        from disputes
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(dispute)
}

/// The open dispute of an order.
pub async fn open_dispute(tx: &mut Tx, order: OrderId) -> Result<Option<Dispute>, siyu_pg::Error> {
    let dispute = sqlx::query_as(
        "select id, order_id, amount_minor, frozen_minor, reason, outcome, note, opened_at, closed_at
        from disputes
        where merchant_id = $1 and order_id = $2 and closed_at is null",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(dispute)
}

/// When the last dispute of an order that gave its buyer right was closed; no instant while one is open; nothing where there
/// is neither.
pub async fn last_right(
    tx: &mut Tx,
    order: OrderId,
) -> Result<Option<Option<DateTime<Utc>>>, siyu_pg::Error> {
    let closed = sqlx::query_scalar(
        "select closed_at
        from disputes
        where merchant_id = $1 and order_id = $2 and (closed_at is null or outcome = 'buyer')
        order by closed_at desc nulls first
        limit 1",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(closed)
}

/// Adds entries.
pub async fn insert_entries(tx: &mut Tx, entries: &[Entry]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into guarantee_entries (merchant_id, id, order_id, kind, amount_minor, currency, subject, created_at)
        select $1, n.* from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[],
            $8::timestamptz[]) as n",
    )
    .bind(tx.merchant())
    .bind(entries.iter().map(|entry| entry.id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.order_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.amount_minor).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.currency.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.subject.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.created_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a part of a refund has gone back to where it came from.
pub async fn has_returned(
    tx: &mut Tx,
    order: OrderId,
    subject: &str,
) -> Result<bool, siyu_pg::Error> {
    let found = sqlx::query_scalar(
        "select exists (
            select from guarantee_entries
            where merchant_id = $1 and order_id = $2 and kind = 'refund_returned' and subject = $3
        )",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(subject)
    .fetch_one(&mut **tx)
    .await?;
    Ok(found)
}

/// Entries before one, newest first; those of an order, or all.
pub async fn list_entries(
    tx: &mut Tx,
    order: Option<OrderId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entry>, siyu_pg::Error> {
    let entries = sqlx::query_as(
        "select id, order_id, kind, amount_minor, currency, subject, created_at
        from guarantee_entries
        where merchant_id = $1 and ($2::uuid is null or order_id = $2) and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(entries)
}
