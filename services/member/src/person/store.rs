//! The SQL of persons and their keys and nothing else. Look-ups of many rows go key by key (`cross join lateral … limit 1`):
//! a join or `= any` may be planned as a scan of everything that the merchant has while statistics lag behind.

pub mod addresses;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{
    Merge, Person, PersonId, Unmerge,
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

/// Whom ids stand for: the person itself, or whom it was merged into.
pub async fn canonical(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, PersonId>, siyu_pg::Error> {
    let pairs: Vec<(PersonId, PersonId)> = sqlx::query_as(
        "select p.id, p.person_id
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, coalesce(merged_into, id) as person_id from persons where merchant_id = $1 and id = k.id limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(pairs.into_iter().collect())
}

/// Keeps the persons from being merged until the transaction ends; says whether none of them was merged meanwhile. The
/// caller sorts the ids, so that two calls never wait for each other in a circle.
pub async fn hold(tx: &mut Tx, ids: &[PersonId]) -> Result<bool, siyu_pg::Error> {
    assert!(ids.is_sorted(), "locks are taken in order");
    let merged: Vec<Option<PersonId>> = sqlx::query_scalar(
        "select p.merged_into
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select merged_into from persons where merchant_id = $1 and id = k.id for key share) as p",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(merged.iter().all(Option::is_none))
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
        where merchant_id = $1 and merged_into is null and growth >= $2 and ($3::uuid is null or id > $3)
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

/// Makes the loser, and whoever is an alias of it, an alias of the survivor, who gets their keys.
pub async fn merge(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with aliases as (
            update persons set merged_into = $2 where merchant_id = $1 and (id = $3 or merged_into = $3)
        )
        update identities
        set person_id = $2, origin_person_id = coalesce(origin_person_id, person_id)
        where merchant_id = $1 and person_id = $3",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Makes the loser a person again, with its own aliases and their keys.
pub async fn unmerge(tx: &mut Tx, unmerge: &Unmerge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with aliases as (
            insert into persons (merchant_id, id, growth, tier, created_at, merged_into)
            select $1, n.id, 0, 1, $5, nullif($3::uuid, n.id) from unnest($4::uuid[]) as n (id)
            on conflict on constraint persons_pkey do update set merged_into = excluded.merged_into
        )
        update identities
        set person_id = $3, origin_person_id = nullif(origin_person_id, $3)
        where merchant_id = $1 and person_id = $2 and origin_person_id = any($4::uuid[])",
    )
    .bind(tx.merchant())
    .bind(unmerge.survivor)
    .bind(unmerge.loser)
    .bind(&unmerge.origins)
    .bind(unmerge.at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
