//! The SQL of corrections and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::Adjustment;

/// Keeps a correction.
pub async fn insert(
    tx: &mut Tx,
    adjustment: &Adjustment,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into value_adjustments
            (merchant_id, id, card_id, principal_minor, bonus_minor, reason, adjusted_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.merchant())
    .bind(adjustment.id)
    .bind(adjustment.card_id)
    .bind(adjustment.change.principal)
    .bind(adjustment.change.bonus)
    .bind(&adjustment.reason)
    .bind(&adjustment.adjusted_by)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
