//! The SQL of redemptions and nothing else.

use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::{Redemption, RedemptionId, State};

/// Inserts a redemption.
pub async fn insert(tx: &mut Tx, redemption: &Redemption) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into redemptions (merchant_id, id, card_id, state, fault, reason, principal_minor, bonus_minor, kept_minor,
            fee_minor, cooling_off, principal_transfer_id, bonus_transfer_id, requested_by, requested_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(tx.merchant())
    .bind(redemption.id)
    .bind(redemption.card_id)
    .bind(redemption.state.as_str())
    .bind(redemption.fault.as_str())
    .bind(&redemption.reason)
    .bind(redemption.quote.principal_minor)
    .bind(redemption.quote.bonus_minor)
    .bind(redemption.quote.kept_minor)
    .bind(redemption.quote.fee_minor)
    .bind(redemption.quote.cooling_off)
    .bind(redemption.principal_transfer_id)
    .bind(redemption.bonus_transfer_id)
    .bind(&redemption.requested_by)
    .bind(redemption.requested_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Saves what was decided of a locked redemption.
pub async fn save(tx: &mut Tx, redemption: &Redemption) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update redemptions set state = $3, decided_by = $4, decided_at = $5
        where merchant_id = $1 and id = $2 and state = 'requested'",
    )
    .bind(tx.merchant())
    .bind(redemption.id)
    .bind(redemption.state.as_str())
    .bind(&redemption.decided_by)
    .bind(redemption.decided_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the redemption is locked");
    Ok(())
}

/// Locks one redemption.
pub async fn lock(tx: &mut Tx, id: RedemptionId) -> Result<Option<Redemption>, siyu_pg::Error> {
    let redemption = sqlx::query_as(
        "select id, card_id, state, fault, reason, principal_minor, bonus_minor, kept_minor, fee_minor, cooling_off,
            principal_transfer_id, bonus_transfer_id, requested_by, requested_at, decided_by, decided_at
        from redemptions
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(redemption)
}

/// One redemption.
pub async fn find(tx: &mut Tx, id: RedemptionId) -> Result<Option<Redemption>, siyu_pg::Error> {
    let redemption = sqlx::query_as(
        "select id, card_id, state, fault, reason, principal_minor, bonus_minor, kept_minor, fee_minor, cooling_off,
            principal_transfer_id, bonus_transfer_id, requested_by, requested_at, decided_by, decided_at
        from redemptions
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(redemption)
}

/// Redemptions after one, oldest first, of a state or of all.
pub async fn list(
    tx: &mut Tx,
    state: Option<State>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Redemption>, siyu_pg::Error> {
    let redemptions = sqlx::query_as(
        "select id, card_id, state, fault, reason, principal_minor, bonus_minor, kept_minor, fee_minor, cooling_off,
            principal_transfer_id, bonus_transfer_id, requested_by, requested_at, decided_by, decided_at
        from redemptions
        where merchant_id = $1 and ($2::text is null or state = $2) and ($3::uuid is null or id > $3)
        order by id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(state.map(State::as_str))
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(redemptions)
}
