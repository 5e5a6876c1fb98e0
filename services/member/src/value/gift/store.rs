//! The SQL of gifts and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use super::domain::{Gift, GiftId};

/// Inserts a gift.
pub async fn insert(tx: &mut Tx, gift: &Gift, code_digest: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into value_gifts (merchant_id, id, from_card_id, card_id, state, code_digest, principal_minor, bonus_minor,
            expires_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(tx.merchant())
    .bind(gift.id)
    .bind(gift.from_card_id)
    .bind(gift.card_id)
    .bind(gift.state.as_str())
    .bind(code_digest)
    .bind(gift.principal_minor)
    .bind(gift.bonus_minor)
    .bind(gift.expires_at)
    .bind(gift.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves how a locked gift ended.
pub async fn save(tx: &mut Tx, gift: &Gift) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update value_gifts set state = $3, person_id = $4, ended_at = $5
        where merchant_id = $1 and id = $2 and state = 'open'",
    )
    .bind(tx.merchant())
    .bind(gift.id)
    .bind(gift.state.as_str())
    .bind(gift.person_id)
    .bind(gift.ended_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the gift is locked");
    Ok(())
}

/// Locks one gift.
pub async fn lock(tx: &mut Tx, id: GiftId) -> Result<Option<Gift>, siyu_pg::Error> {
    let gift = sqlx::query_as(
        "select id, from_card_id, card_id, state, person_id, principal_minor, bonus_minor, expires_at, created_at, ended_at
        from value_gifts
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(gift)
}

/// Locks the gift of a code.
pub async fn lock_code(tx: &mut Tx, code_digest: &str) -> Result<Option<Gift>, siyu_pg::Error> {
    let gift = sqlx::query_as(
        "select id, from_card_id, card_id, state, person_id, principal_minor, bonus_minor, expires_at, created_at, ended_at
        from value_gifts
        where merchant_id = $1 and code_digest = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(code_digest)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(gift)
}

/// One gift.
pub async fn find(tx: &mut Tx, id: GiftId) -> Result<Option<Gift>, siyu_pg::Error> {
    let gift = sqlx::query_as(
        "select id, from_card_id, card_id, state, person_id, principal_minor, bonus_minor, expires_at, created_at, ended_at
        from value_gifts
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(gift)
}

/// Gifts of all merchants whose time is over, longest over first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, GiftId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id
        from value_gifts
        where state = 'open' and expires_at <= $1
        order by expires_at, merchant_id, id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
