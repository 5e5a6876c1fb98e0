//! The SQL of erasing: each statement for a person and all of its aliases.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::person::{PersonId, domain::Identity};

/// Lets nobody write about a person before the transaction ends; returns when its data were erased.
pub async fn lock(tx: &mut Tx, id: PersonId) -> Result<Option<DateTime<Utc>>, siyu_pg::Error> {
    let erased_at = sqlx::query_scalar(
        "select erased_at from persons where merchant_id = $1 and id = $2 for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_one(&mut **tx)
    .await?;
    Ok(erased_at)
}

/// Remembers that the data of persons were erased.
pub async fn mark(tx: &mut Tx, ids: &[PersonId], now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query("update persons set erased_at = $3 where merchant_id = $1 and id = any ($2)")
        .bind(tx.merchant())
        .bind(ids)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Puts a tombstone in the place of a key.
pub async fn bury(tx: &mut Tx, key: &Identity, tombstone: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update identities set value = $5
        where merchant_id = $1 and kind = $2 and scope = $3 and value = $4",
    )
    .bind(tx.merchant())
    .bind(key.kind.as_str())
    .bind(&key.scope)
    .bind(&key.value)
    .bind(tombstone)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys the address behind a key.
pub async fn destroy_address(tx: &mut Tx, key: &Identity) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from identity_addresses where merchant_id = $1 and kind = $2 and value = $3",
    )
    .bind(tx.merchant())
    .bind(key.kind.as_str())
    .bind(&key.value)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An entry of the blacklist for a key becomes one for the person, who has no such key any more.
pub async fn forget_listed_key(
    tx: &mut Tx,
    id: PersonId,
    key: &Identity,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update blacklist_entries
        set person_id = $2, key_kind = null, key_scope = null, key_value = null
        where merchant_id = $1 and key_kind = $3 and key_scope = $4 and key_value = $5",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(key.kind.as_str())
    .bind(&key.scope)
    .bind(&key.value)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys the reasons of entries of the blacklist.
pub async fn forget_reasons(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update blacklist_entries set reason = null where merchant_id = $1 and person_id = any ($2)",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys profiles.
pub async fn forget_profiles(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from profiles where merchant_id = $1 and person_id = any ($2)")
        .bind(tx.merchant())
        .bind(ids)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Destroys the evidence of decisions; that there were decisions stays.
pub async fn forget_evidence(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update consent_records set evidence = null
        where merchant_id = $1 and person_id = any ($2) and evidence is not null",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Destroys the keys and the notes of merges.
pub async fn forget_merges(tx: &mut Tx, ids: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update person_merges set keys = '', note = '', unmerge_note = ''
        where merchant_id = $1 and (survivor_id = any ($2) or loser_id = any ($2))",
    )
    .bind(tx.merchant())
    .bind(ids)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
