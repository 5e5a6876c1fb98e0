//! The SQL of persons and their keys and nothing else. Look-ups of many rows go key by key (`cross join lateral … limit 1`):
//! a join or `= any` may be planned as a scan of everything that the merchant has while statistics lag behind.

pub mod addresses;
pub mod list;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

pub use merging::*;

use super::{
    Person, PersonId,
    domain::Identity,
    resolution::{Holder, Key, Plan},
};

mod merging;

#[derive(sqlx::FromRow)]
struct HolderRow {
    person_id: PersonId,
    #[sqlx(flatten)]
    identity: Identity,
    #[sqlx(default)]
    verified_at: Option<DateTime<Utc>>,
}

/// Who holds which of the keys.
pub async fn holders(
    tx: &mut Tx,
    keys: &[&Identity],
) -> Result<HashMap<Identity, Holder>, siyu_pg::Error> {
    let rows: Vec<HolderRow> = sqlx::query_as(
        "select i.person_id, i.kind, i.scope, i.value, i.verified_at
        from unnest($2::text[], $3::text[], $4::text[]) as k (kind, scope, value)
        cross join lateral (
            select person_id, kind, scope, value, verified_at
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
    let holder = |row: &HolderRow| Holder { person: row.person_id, verified_at: row.verified_at };
    Ok(rows.into_iter().map(|row| (row.identity.clone(), holder(&row))).collect())
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
    let mut keys: Vec<(&Identity, &Key, PersonId)> =
        plan.keys.iter().map(|(key, person)| (&key.identity, key, *person)).collect();
    keys.sort_by(|(a, ..), (b, ..)| (a.kind.as_str(), a).cmp(&(b.kind.as_str(), b)));
    let done = sqlx::query(
        "insert into identities (merchant_id, kind, scope, value, person_id, verified_at, created_at)
        select $1, n.*, $7
        from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[]) as n
        on conflict on constraint identities_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|(k, ..)| k.kind.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(k, ..)| k.scope.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(k, ..)| k.value.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, _, person)| *person).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, key, _)| key.verified_at).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The person behind an id: the one itself, or whom it was merged into.
pub async fn find(tx: &mut Tx, id: PersonId) -> Result<Option<Person>, siyu_pg::Error> {
    let person = sqlx::query_as(
        "select p.*
        from (
            select coalesce(merged_into, id) as id from persons where merchant_id = $1 and id = $2 limit 1
        ) as k
        cross join lateral (
            select id, growth, tier, created_at from persons where merchant_id = $1 and id = k.id limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(person)
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
