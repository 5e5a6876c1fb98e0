//! The SQL of redemption codes and nothing else. Whoever changes a code has locked its coupon.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::Code;
use crate::coupon::domain::CouponId;

/// Makes the open code of a coupon void.
pub async fn void(tx: &mut Tx, coupon: CouponId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update coupon_codes set state = 'void' where merchant_id = $1 and coupon_id = $2 and state = 'open'",
    )
    .bind(tx.merchant())
    .bind(coupon)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores a code, unless the merchant has had the same one.
pub async fn insert(
    tx: &mut Tx,
    code: &str,
    coupon: CouponId,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into coupon_codes (merchant_id, code, coupon_id, state, expires_at, created_at)
        values ($1, $2, $3, 'open', $4, $5)
        on conflict on constraint coupon_codes_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(coupon)
    .bind(expires_at)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A code.
pub async fn find(tx: &mut Tx, code: &str) -> Result<Option<Code>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select coupon_id, state, expires_at from coupon_codes where merchant_id = $1 and code = $2",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(found)
}

/// Uses a code up.
pub async fn spend(tx: &mut Tx, code: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query("update coupon_codes set state = 'used' where merchant_id = $1 and code = $2")
        .bind(tx.merchant())
        .bind(code)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
