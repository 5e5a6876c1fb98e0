//! The SQL of what staff recorded and nothing else.

use siyu_pg::Tx;

use super::Record;
use crate::claim::domain::PaymentId;

/// Stores a record.
pub async fn insert(tx: &mut Tx, record: &Record) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into payment_records (merchant_id, subject_id, kind, payment_id, account_code, reference, operator, actor, note,
            occurred_at, recorded_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tx.merchant())
    .bind(record.subject_id)
    .bind(record.kind)
    .bind(record.payment_id)
    .bind(&record.account_code)
    .bind(&record.reference)
    .bind(&record.operator)
    .bind(&record.actor)
    .bind(&record.note)
    .bind(record.occurred_at)
    .bind(record.recorded_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was recorded of a payment and its refunds.
pub async fn of_payment(tx: &mut Tx, payment: PaymentId) -> Result<Vec<Record>, siyu_pg::Error> {
    let records = sqlx::query_as(
        "select subject_id, kind, payment_id, account_code, reference, operator, actor, note, occurred_at, recorded_at
        from payment_records
        where merchant_id = $1 and payment_id = $2
        order by subject_id",
    )
    .bind(tx.merchant())
    .bind(payment)
    .fetch_all(&mut **tx)
    .await?;
    Ok(records)
}
