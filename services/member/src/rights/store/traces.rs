//! The SQL of erasing what persons left behind beside keys and profile: values, marks, and what somebody said about them. Each
//! statement is for a person and all of its aliases.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::person::{PersonId, domain::Identity};

/// A key that a person does not have any more: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Released {
    /// The row.
    pub id: Uuid,
    /// Who held it.
    pub person_id: PersonId,
    /// The key.
    #[sqlx(flatten)]
    pub identity: Identity,
}

/// The keys that the persons do not have any more, or have from somebody else.
pub async fn released(tx: &mut Tx, ids: &[PersonId]) -> Result<Vec<Released>, siyu_pg::Error> {
    let released = sqlx::query_as(
        "select id, person_id, kind, scope, value
        from released_identities
        where merchant_id = $1 and (person_id = any ($2) or taken_by_person_id = any ($2))
        order by id",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(released)
}

/// Puts a tombstone in the place of a key that somebody had, and destroys what was said about it.
pub async fn bury(tx: &mut Tx, id: Uuid, tombstone: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update released_identities set value = $3, note = '' where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(tombstone)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys the address behind a key that nobody has.
pub async fn destroy_orphan(tx: &mut Tx, key: &Identity) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from identity_addresses
        where merchant_id = $1 and kind = $2 and value = $4 and not exists (
            select from identities where merchant_id = $1 and kind = $2 and scope = $3 and value = $4
        )",
    )
    .bind(tx.merchant())
    .bind(key.kind.as_str())
    .bind(&key.scope)
    .bind(&key.value)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys the keys and the notes of conflicts, and ends those that wait: who has no face is nobody else.
pub async fn forget_reviews(
    tx: &mut Tx,
    ids: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update merge_reviews
        set keys = '', note = '', decided_at = coalesce(decided_at, $3),
            state = case when state = 'open' then 'kept_apart' else state end
        where merchant_id = $1 and person_ids && $2",
    )
    .bind(tx.merchant())
    .bind(ids)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys the values of attributes, and those kept for the case that a merge is undone.
pub async fn forget_attributes(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from person_attributes where merchant_id = $1 and person_id = any ($2)")
        .bind(tx.merchant())
        .bind(ids)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "delete from person_attribute_relics
        where merchant_id = $1 and person_id = any ($2) and merge_id in (
            select id from person_merges
            where merchant_id = $1 and (survivor_id = any ($2) or loser_id = any ($2))
        )",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes every tag, and those kept for the case that a merge is undone.
pub async fn forget_tags(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from person_tags where merchant_id = $1 and person_id = any ($2)")
        .bind(tx.merchant())
        .bind(ids)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "delete from person_tag_relics
        where merchant_id = $1 and person_id = any ($2) and merge_id in (
            select id from person_merges
            where merchant_id = $1 and (survivor_id = any ($2) or loser_id = any ($2))
        )",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys where connections and relations came from; that they are, or were, stays.
pub async fn forget_sources(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update connections set source = '' where merchant_id = $1 and person_id = any ($2)",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update connection_relics set source = ''
        where merchant_id = $1 and merge_id in (
            select id from person_merges
            where merchant_id = $1 and (survivor_id = any ($2) or loser_id = any ($2))
        )",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update relations set source = ''
        where merchant_id = $1 and (person_id = any ($2) or other_id = any ($2))",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys what was said about the postings of the persons, for each of their accounts by its entries.
pub async fn forget_notes(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update point_notes set reason = ''
        where merchant_id = $1 and transfer_id in (
            select t.id
            from ledger_accounts a
            cross join lateral (
                select id from ledger_transfers
                where merchant_id = $1 and debit_account_id = a.id and debit_entry > 0
                union all
                select id from ledger_transfers
                where merchant_id = $1 and credit_account_id = a.id and credit_entry > 0
            ) as t
            where a.merchant_id = $1 and a.owner_id = any ($2) and a.code > 0
        )",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys what customers were told when they were handed over, and why their cards were corrected or to be paid out.
pub async fn forget_words(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update handovers set message = '' where merchant_id = $1 and person_id = any ($2)",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update value_adjustments set reason = ''
        where merchant_id = $1 and card_id in (
            select id from value_cards where merchant_id = $1 and person_id = any ($2)
        )",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update redemptions set reason = ''
        where merchant_id = $1 and card_id in (
            select id from value_cards where merchant_id = $1 and person_id = any ($2)
        )",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
