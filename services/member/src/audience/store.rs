//! The SQL of audiences and their snapshots, and nothing else.

use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::{Audience, AudienceId, Error, Snapshot, SnapshotId};
use crate::person::PersonId;

/// Inserts an audience.
pub async fn insert(tx: &mut Tx, audience: &Audience) -> Result<(), Error> {
    sqlx::query(
        "insert into audiences (merchant_id, id, name, description, filter, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.merchant())
    .bind(audience.id)
    .bind(&audience.name)
    .bind(&audience.description)
    .bind(&audience.filter)
    .bind(audience.created_at)
    .bind(audience.updated_at)
    .execute(&mut **tx)
    .await
    .on_constraint("audiences_name_key", Error::NameTaken)?;
    Ok(())
}

/// One audience.
pub async fn find(tx: &mut Tx, id: AudienceId) -> Result<Option<Audience>, siyu_pg::Error> {
    let audience = sqlx::query_as(
        "select id, name, description, filter, created_at, updated_at
        from audiences
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(audience)
}

/// Locks one audience.
pub async fn lock(tx: &mut Tx, id: AudienceId) -> Result<Option<Audience>, siyu_pg::Error> {
    let audience = sqlx::query_as(
        "select id, name, description, filter, created_at, updated_at
        from audiences
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(audience)
}

/// Saves an audience that is locked.
pub async fn save(tx: &mut Tx, audience: &Audience) -> Result<(), Error> {
    sqlx::query(
        "update audiences set name = $3, description = $4, filter = $5, updated_at = $6
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(audience.id)
    .bind(&audience.name)
    .bind(&audience.description)
    .bind(&audience.filter)
    .bind(audience.updated_at)
    .execute(&mut **tx)
    .await
    .on_constraint("audiences_name_key", Error::NameTaken)?;
    Ok(())
}

/// Deletes an audience; returns whether it was there.
pub async fn delete(tx: &mut Tx, id: AudienceId) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query("delete from audiences where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Audiences after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Audience>, siyu_pg::Error> {
    let audiences = sqlx::query_as(
        "select id, name, description, filter, created_at, updated_at
        from audiences
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(audiences)
}

/// Inserts a snapshot whose pages are there; returns how many persons they hold.
pub async fn insert_snapshot(tx: &mut Tx, snapshot: &Snapshot) -> Result<i64, siyu_pg::Error> {
    let persons = sqlx::query_scalar(
        "insert into audience_snapshots (merchant_id, id, audience_id, persons, created_at)
        select $1, $2, $3, coalesce(sum(cardinality(person_ids)), 0), $4
        from audience_snapshot_pages
        where merchant_id = $1 and snapshot_id = $2
        returning persons",
    )
    .bind(tx.merchant())
    .bind(snapshot.id)
    .bind(snapshot.audience_id)
    .bind(snapshot.created_at)
    .fetch_one(&mut **tx)
    .await?;
    Ok(persons)
}

/// One snapshot.
pub async fn find_snapshot(
    tx: &mut Tx,
    id: SnapshotId,
) -> Result<Option<Snapshot>, siyu_pg::Error> {
    let snapshot = sqlx::query_as(
        "select id, audience_id, persons, created_at from audience_snapshots where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(snapshot)
}

/// The persons of a snapshot after a person: those of one page at most; none after the last.
pub async fn snapshot_page(
    tx: &mut Tx,
    id: SnapshotId,
    after: Option<PersonId>,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let page: Option<Vec<PersonId>> = sqlx::query_scalar(
        "select person_ids
        from audience_snapshot_pages
        where merchant_id = $1 and snapshot_id = $2
            and last_person_id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
        order by last_person_id
        limit 1",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(after)
    .fetch_optional(&mut **tx)
    .await?;
    let mut persons = page.unwrap_or_default();
    if let Some(after) = after {
        persons.retain(|person| *person > after);
    }
    Ok(persons)
}
