//! The SQL of persons and their keys and nothing else. Look-ups of many rows go key by key (`cross join lateral … limit 1`):
//! a join or `= any` may be planned as a scan of everything that the merchant has while statistics lag behind.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{
    Person, PersonId,
    domain::{Identity, Plan},
};

#[derive(sqlx::FromRow)]
struct HolderRow {
    person_id: PersonId,
    #[sqlx(flatten)]
    identity: Identity,
}

/// Who holds which of the keys.
pub async fn holders(
    tx: &mut Tx,
    keys: &[&Identity],
) -> Result<HashMap<Identity, PersonId>, siyu_pg::Error> {
    let rows: Vec<HolderRow> = sqlx::query_as(
        "select i.person_id, i.kind, i.scope, i.value
        from unnest($2::text[], $3::text[], $4::text[]) as k (kind, scope, value)
        cross join lateral (
            select person_id, kind, scope, value
            from identities
            where merchant_id = $1 and kind = k.kind and scope = k.scope and value = k.value
            limit 1
        ) as i",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|k| k.kind.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|k| k.scope.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|k| k.value.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.identity, row.person_id)).collect())
}

/// Stores new persons with their keys; returns how many keys were new. Fewer than planned: another resolution was faster,
/// and this one starts anew.
pub async fn insert(tx: &mut Tx, plan: &Plan, now: DateTime<Utc>) -> Result<u64, siyu_pg::Error> {
    sqlx::query(
        "insert into persons (merchant_id, id, growth, tier, created_at)
        select $1, id, 0, 1, $3 from unnest($2::uuid[]) as n (id)",
    )
    .bind(tx.merchant())
    .bind(&plan.persons)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    // In the order of the keys, so that two resolutions never wait for each other.
    let mut identities: Vec<&(Identity, PersonId)> = plan.identities.iter().collect();
    identities.sort_by(|(a, _), (b, _)| (a.kind.as_str(), a).cmp(&(b.kind.as_str(), b)));
    let done = sqlx::query(
        "insert into identities (merchant_id, kind, scope, value, person_id, created_at)
        select $1, n.*, $6 from unnest($2::text[], $3::text[], $4::text[], $5::uuid[]) as n
        on conflict on constraint identities_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(identities.iter().map(|(k, _)| k.kind.as_str()).collect::<Vec<_>>())
    .bind(identities.iter().map(|(k, _)| k.scope.as_str()).collect::<Vec<_>>())
    .bind(identities.iter().map(|(k, _)| k.value.as_str()).collect::<Vec<_>>())
    .bind(identities.iter().map(|(_, person)| *person).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// One person.
pub async fn find(tx: &mut Tx, id: PersonId) -> Result<Option<Person>, siyu_pg::Error> {
    let person = sqlx::query_as(
        "select id, growth, tier, created_at from persons where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(person)
}

/// Which of the persons exist.
pub async fn existing(tx: &mut Tx, ids: &[PersonId]) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "select p.id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select id from persons where merchant_id = $1 and id = k.id limit 1) as p",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// The keys of persons.
pub async fn identities(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, Vec<Identity>>, siyu_pg::Error> {
    let rows: Vec<HolderRow> = sqlx::query_as(
        "select i.person_id, i.kind, i.scope, i.value
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select person_id, kind, scope, value
            from identities
            where merchant_id = $1 and person_id = k.person_id
            offset 0
        ) as i
        order by i.kind, i.scope, i.value",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    let mut keys: HashMap<PersonId, Vec<Identity>> = HashMap::new();
    for row in rows {
        keys.entry(row.person_id).or_default().push(row.identity);
    }
    Ok(keys)
}

/// Persons after an id, oldest first, with at least this growth.
pub async fn list(
    tx: &mut Tx,
    growth_min: i64,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Person>, siyu_pg::Error> {
    let persons = sqlx::query_as(
        "select id, growth, tier, created_at
        from persons
        where merchant_id = $1 and growth >= $2 and ($3::uuid is null or id > $3)
        order by id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(growth_min)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}

/// Keeps the growth that the ledger shows, with the tier that it reaches. The persons exist: written as an upsert because
/// an update from a list may be planned as a scan of all persons of the merchant.
pub async fn save_growth(
    tx: &mut Tx,
    growth: &[(PersonId, i64, i32)],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into persons (merchant_id, id, growth, tier, created_at)
        select $1, n.id, n.growth, n.tier, now()
        from unnest($2::uuid[], $3::bigint[], $4::integer[]) as n (id, growth, tier)
        on conflict on constraint persons_pkey do update set growth = excluded.growth, tier = excluded.tier",
    )
    .bind(tx.merchant())
    .bind(growth.iter().map(|(id, _, _)| *id).collect::<Vec<_>>())
    .bind(growth.iter().map(|(_, growth, _)| *growth).collect::<Vec<_>>())
    .bind(growth.iter().map(|(_, _, tier)| *tier).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
