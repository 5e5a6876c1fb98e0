//! The SQL of the blacklist and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use sqlx::{FromRow, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Entry, EntryId, Scope, Target};
use crate::person::{PersonId, domain::Identity, store::moving::Owned};

/// Entries for persons.
pub const ENTRIES: Owned = Owned { table: "blacklist_entries", unique: &[] };

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let person: Option<PersonId> = row.try_get("person_id")?;
        let target = match person {
            Some(person) => Target::Person(person),
            None => Target::Key(Identity {
                kind: row.try_get("key_kind")?,
                scope: row.try_get("key_scope")?,
                value: row.try_get("key_value")?,
            }),
        };
        Ok(Self {
            id: row.try_get("id")?,
            target,
            scope: row.try_get("scope")?,
            reason: row.try_get("reason")?,
            expires_at: row.try_get("expires_at")?,
            created_by: row.try_get("created_by")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// Keeps an entry.
pub async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), siyu_pg::Error> {
    let (person, key) = match &entry.target {
        Target::Person(person) => (Some(*person), None),
        Target::Key(key) => (None, Some(key)),
    };
    sqlx::query(
        "insert into blacklist_entries (merchant_id, id, person_id, key_kind, key_scope, key_value, scope, reason,
            expires_at, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tx.merchant())
    .bind(entry.id)
    .bind(person)
    .bind(key.map(|key| key.kind.as_str()))
    .bind(key.map(|key| key.scope.as_str()))
    .bind(key.map(|key| key.value.as_str()))
    .bind(entry.scope.as_str())
    .bind(&entry.reason)
    .bind(entry.expires_at)
    .bind(&entry.created_by)
    .bind(entry.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One entry, on the list or not any more.
pub async fn find(tx: &mut Tx, id: EntryId) -> Result<Option<Entry>, siyu_pg::Error> {
    let entry = sqlx::query_as(
        "select id, person_id, key_kind, key_scope, key_value, scope, reason, expires_at, created_by, created_at
        from blacklist_entries
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(entry)
}

/// Takes an entry off the list; returns whether there is such an entry.
pub async fn delete(tx: &mut Tx, id: EntryId, now: DateTime<Utc>) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "update blacklist_entries set deleted_at = coalesce(deleted_at, $3)
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The entries in force before an id, newest first.
pub async fn list(
    tx: &mut Tx,
    now: DateTime<Utc>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entry>, siyu_pg::Error> {
    let entries = sqlx::query_as(
        "select id, person_id, key_kind, key_scope, key_value, scope, reason, expires_at, created_by, created_at
        from blacklist_entries
        where merchant_id = $1 and deleted_at is null and (expires_at is null or expires_at > $2)
            and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(now)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(entries)
}

/// The entries in force that concern persons, by id or by key, each with whom it concerns.
pub async fn concerning(
    tx: &mut Tx,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<Vec<(PersonId, EntryId, Scope)>, siyu_pg::Error> {
    let found = sqlx::query_as(
        "select k.id, e.id, e.scope
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, scope
            from blacklist_entries
            where merchant_id = $1 and person_id = k.id and deleted_at is null
                and (expires_at is null or expires_at > $3)
            union all
            select b.id, b.scope
            from identities as i
            cross join lateral (
                select id, scope
                from blacklist_entries
                where merchant_id = $1 and key_kind = i.kind and key_scope = i.scope and key_value = i.value
                    and deleted_at is null and (expires_at is null or expires_at > $3)
                offset 0
            ) as b
            where i.merchant_id = $1 and i.person_id = k.id
        ) as e
        order by e.id desc",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(found)
}
