//! The SQL of lists of persons, and nothing else.

use siyu_pg::Tx;
use uuid::Uuid;

use crate::person::Person;

/// A sequence of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Those who were seen first come first.
    Oldest,
    /// Those who were seen last come first.
    Newest,
    /// Those with the most growth come first; of equals, those who were seen last.
    Growth,
}

/// Who is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// In which sequence.
    pub sort: Sort,
    /// With at least this growth.
    pub growth_min: i64,
    /// Of at least this tier.
    pub tier_min: i32,
}

/// Growth and id of a person, by which every sequence goes on.
pub type Place = (i64, Uuid);

/// Persons after a place in a sequence.
pub async fn list(
    tx: &mut Tx,
    listed: Listed,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Person>, siyu_pg::Error> {
    match listed.sort {
        Sort::Oldest => oldest(tx, listed, after, limit).await,
        Sort::Newest => newest(tx, listed, after, limit).await,
        Sort::Growth => by_growth(tx, listed, after, limit).await,
    }
}

async fn oldest(
    tx: &mut Tx,
    listed: Listed,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Person>, siyu_pg::Error> {
    let persons = sqlx::query_as(
        "select id, growth, tier, created_at
        from persons
        where merchant_id = $1 and merged_into is null and growth >= $2 and tier >= $3
            and id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
        order by id
        limit $5",
    )
    .bind(tx.merchant())
    .bind(listed.growth_min)
    .bind(listed.tier_min)
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}

async fn newest(
    tx: &mut Tx,
    listed: Listed,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Person>, siyu_pg::Error> {
    let persons = sqlx::query_as(
        "select id, growth, tier, created_at
        from persons
        where merchant_id = $1 and merged_into is null and growth >= $2 and tier >= $3
            and id < coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(listed.growth_min)
    .bind(listed.tier_min)
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}

async fn by_growth(
    tx: &mut Tx,
    listed: Listed,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Person>, siyu_pg::Error> {
    let (growth, id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let persons = sqlx::query_as(
        "select id, growth, tier, created_at
        from persons
        where merchant_id = $1 and merged_into is null and growth >= $2 and tier >= $3
            and (growth, id) < ($4, $5)
        order by growth desc, id desc
        limit $6",
    )
    .bind(tx.merchant())
    .bind(listed.growth_min)
    .bind(listed.tier_min)
    .bind(growth)
    .bind(id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}
