//! The SQL of payments and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::{OnConstraint, SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Part, Payment, PaymentId};

/// What a payment can name that is not there.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("the place does not exist")]
    Place,
    #[error("the store of payments failed")]
    Store(#[from] siyu_pg::Error),
}

/// Inserts a payment with its parts.
pub async fn insert(tx: &mut Tx, payment: &Payment, parts: &[Part]) -> Result<(), Fault> {
    let done: Result<_, Missing> = sqlx::query(
        "insert into value_payments (merchant_id, id, state, consumption_order, person_id, store_id, order_reference,
            amount_minor, captured_minor, refunded_minor, expires_at, created_at, paid_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(tx.merchant())
    .bind(payment.id)
    .bind(payment.state.as_str())
    .bind(payment.consumption_order.as_str())
    .bind(payment.person_id)
    .bind(payment.store_id)
    .bind(&payment.order_reference)
    .bind(payment.amount_minor)
    .bind(payment.captured_minor)
    .bind(payment.refunded_minor)
    .bind(payment.expires_at)
    .bind(payment.created_at)
    .bind(payment.paid_at)
    .execute(&mut **tx)
    .await
    .on_constraint("value_payments_store_id_fkey", Missing::Place);
    match done {
        Ok(_) => {}
        Err(Missing::Place) => return Err(Fault::not_found("store")),
        Err(Missing::Store(error)) => return Err(error.into()),
    }
    Ok(save_parts(tx, parts).await?)
}

/// Saves how a locked payment stands, and its parts.
pub async fn save(tx: &mut Tx, payment: &Payment, parts: &[Part]) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update value_payments set state = $3, captured_minor = $4, refunded_minor = $5, paid_at = $6
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(payment.id)
    .bind(payment.state.as_str())
    .bind(payment.captured_minor)
    .bind(payment.refunded_minor)
    .bind(payment.paid_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the payment is locked");
    save_parts(tx, parts).await
}

async fn save_parts(tx: &mut Tx, parts: &[Part]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into value_payment_parts (merchant_id, payment_id, position, card_id, principal_minor, bonus_minor,
            refunded_principal_minor, refunded_bonus_minor, principal_transfer_id, bonus_transfer_id)
        select $1, * from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::uuid[], $10::uuid[])
        on conflict on constraint value_payment_parts_pkey do update
        set principal_minor = excluded.principal_minor, bonus_minor = excluded.bonus_minor,
            refunded_principal_minor = excluded.refunded_principal_minor,
            refunded_bonus_minor = excluded.refunded_bonus_minor,
            principal_transfer_id = excluded.principal_transfer_id, bonus_transfer_id = excluded.bonus_transfer_id",
    )
    .bind(tx.merchant())
    .bind(parts.iter().map(|p| p.payment_id).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.position).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.card_id).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.principal_minor).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.bonus_minor).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.refunded_principal_minor).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.refunded_bonus_minor).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.principal_transfer_id).collect::<Vec<_>>())
    .bind(parts.iter().map(|p| p.bonus_transfer_id).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks one payment.
pub async fn lock(tx: &mut Tx, id: PaymentId) -> Result<Option<Payment>, siyu_pg::Error> {
    let payment = sqlx::query_as(
        "select id, state, consumption_order, person_id, store_id, order_reference, amount_minor, captured_minor,
            refunded_minor, expires_at, created_at, paid_at
        from value_payments
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(payment)
}

/// One payment.
pub async fn find(tx: &mut Tx, id: PaymentId) -> Result<Option<Payment>, siyu_pg::Error> {
    let payment = sqlx::query_as(
        "select id, state, consumption_order, person_id, store_id, order_reference, amount_minor, captured_minor,
            refunded_minor, expires_at, created_at, paid_at
        from value_payments
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(payment)
}

/// Payments for an order after one, oldest first.
pub async fn list(
    tx: &mut Tx,
    order_reference: &str,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Payment>, siyu_pg::Error> {
    let payments = sqlx::query_as(
        "select id, state, consumption_order, person_id, store_id, order_reference, amount_minor, captured_minor,
            refunded_minor, expires_at, created_at, paid_at
        from value_payments
        where merchant_id = $1 and order_reference = $2 and ($3::uuid is null or id > $3)
        order by id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(order_reference)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(payments)
}

/// The parts of payments, by payment and position.
pub async fn parts(tx: &mut Tx, ids: &[PaymentId]) -> Result<Vec<Part>, siyu_pg::Error> {
    let parts = sqlx::query_as(
        "select p.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select payment_id, position, card_id, principal_minor, bonus_minor, refunded_principal_minor,
                refunded_bonus_minor, principal_transfer_id, bonus_transfer_id
            from value_payment_parts
            where merchant_id = $1 and payment_id = k.id
            offset 0
        ) as p
        order by p.payment_id, p.position",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(parts)
}

/// Holds of all merchants whose time is over, longest over first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, PaymentId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id
        from value_payments
        where state = 'held' and expires_at <= $1
        order by expires_at, merchant_id, id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
