//! The SQL of reveals, and of what the rights of a person need. Erasing stands beside it, in two parts.

pub mod erasure;
pub mod traces;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::person::PersonId;

/// A look at personal data in clear: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reveal {
    /// The reveal.
    pub id: Id<kind::Reveal>,
    /// Whose data.
    pub person_id: PersonId,
    /// Who asked.
    pub revealed_by: String,
    /// Which fields.
    pub fields: Vec<String>,
    /// Why, sealed.
    pub reason: Vec<u8>,
    /// When.
    pub revealed_at: DateTime<Utc>,
}

/// Keeps a reveal.
pub async fn insert(tx: &mut Tx, reveal: &Reveal) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into reveals (merchant_id, id, person_id, revealed_by, fields, reason, revealed_at)
        values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.merchant())
    .bind(reveal.id)
    .bind(reveal.person_id)
    .bind(&reveal.revealed_by)
    .bind(&reveal.fields)
    .bind(&reveal.reason)
    .bind(reveal.revealed_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The reveals of the merchant before an id, newest first.
pub async fn list(
    tx: &mut Tx,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Reveal>, siyu_pg::Error> {
    let reveals = sqlx::query_as(
        "select id, person_id, revealed_by, fields, reason, revealed_at
        from reveals
        where merchant_id = $1 and ($2::uuid is null or id < $2)
        order by id desc
        limit $3",
    )
    .bind(tx.merchant())
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(reveals)
}

/// The reveals of a person and its aliases before an id, newest first.
pub async fn list_of(
    tx: &mut Tx,
    persons: &[PersonId],
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Reveal>, siyu_pg::Error> {
    let reveals = sqlx::query_as(
        "select r.id, r.person_id, r.revealed_by, r.fields, r.reason, r.revealed_at
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, person_id, revealed_by, fields, reason, revealed_at
            from reveals
            where merchant_id = $1 and person_id = k.id and ($3::uuid is null or id < $3)
            order by id desc
            limit $4
        ) as r
        order by r.id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(reveals)
}

/// The ids that a person had before merges.
pub async fn aliases(tx: &mut Tx, id: PersonId) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "select id from persons where merchant_id = $1 and merged_into = $2 order by id",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// One of the persons whose data were erased, if there is any.
pub async fn first_erased(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<Option<PersonId>, siyu_pg::Error> {
    Ok(erased(tx, ids).await?.into_iter().next())
}

/// Those of the persons whose data were erased.
pub async fn erased(tx: &mut Tx, ids: &[PersonId]) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "select p.id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id from persons where merchant_id = $1 and id = k.id and erased_at is not null limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}
