//! The SQL of promoters and nothing else.

use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::{Error, PersonId, Promoter, PromoterId};

/// Inserts a promoter.
pub async fn insert(tx: &mut Tx, promoter: &Promoter) -> Result<(), Error> {
    sqlx::query(
        "insert into promoters (merchant_id, id, person_id, inviter_promoter_id, created_at)
        values ($1, $2, $3, $4, $5)",
    )
    .bind(tx.merchant())
    .bind(promoter.id)
    .bind(promoter.person_id)
    .bind(promoter.inviter_promoter_id)
    .bind(promoter.created_at)
    .execute(&mut **tx)
    .await
    .on_constraints(|name| match name {
        "promoters_person_id_key" => Some(Error::Exists),
        "promoters_inviter_promoter_id_fkey" => Some(Error::InviterNotFound),
        _ => None,
    })?;
    Ok(())
}

/// One promoter.
pub async fn find(tx: &mut Tx, id: PromoterId) -> Result<Option<Promoter>, siyu_pg::Error> {
    let promoter = sqlx::query_as(
        "select id, person_id, inviter_promoter_id, created_at from promoters where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(promoter)
}

/// Promoters by id, in any order.
pub async fn find_all(tx: &mut Tx, ids: &[PromoterId]) -> Result<Vec<Promoter>, siyu_pg::Error> {
    let promoters = sqlx::query_as(
        "select p.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, person_id, inviter_promoter_id, created_at
            from promoters
            where merchant_id = $1 and id = k.id
            limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(promoters)
}

/// Whether a person, or an alias of it, is a promoter.
pub async fn is_promoter(tx: &mut Tx, person: PersonId) -> Result<bool, siyu_pg::Error> {
    let is_one = sqlx::query_scalar(
        "select exists (
            select
            from (
                select $2::uuid as id
                union all
                (
                    select person_id from buyer_aliases
                    where merchant_id = $1 and merged_into = $2 and merged_into is not null
                )
            ) as own
            cross join lateral (
                select from promoters where merchant_id = $1 and person_id = own.id limit 1
            ) as p
        )",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(is_one)
}

/// Promoters after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Promoter>, siyu_pg::Error> {
    let promoters = sqlx::query_as(
        "select id, person_id, inviter_promoter_id, created_at
        from promoters
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(promoters)
}
