//! The SQL of aliases and merges: who stands for whom, who must not change meanwhile, what goes over.

pub mod moving;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_pg::{Lock, Tx};
use uuid::Uuid;

use crate::person::{
    Merge, PersonId, Unmerge,
    domain::{Identity, IdentityKind},
    resolution::{Key, Standing},
};

/// The keys of persons. One key is nobody else's.
const IDENTITIES: moving::Owned = moving::Owned { table: "identities", unique: &[] };

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

/// Locks persons to be merged or parted; says whether none of them was merged meanwhile. The caller sorts the ids.
pub async fn lock(tx: &mut Tx, ids: &[PersonId]) -> Result<bool, siyu_pg::Error> {
    assert!(ids.is_sorted(), "locks are taken in order");
    let merged: Vec<Option<PersonId>> = sqlx::query_scalar(
        "select p.merged_into
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select merged_into from persons where merchant_id = $1 and id = k.id for update) as p",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(merged.iter().all(Option::is_none))
}

/// Resolutions of the merchant that start anew go one after the other, until their transactions end.
pub async fn queue(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    Lock::new("member.resolve").take(tx).await
}

/// Persons with what a resolution has to know of them.
pub async fn standing(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<HashMap<PersonId, Standing>, siyu_pg::Error> {
    let rows: Vec<StandingRow> = sqlx::query_as(
        "select p.id, p.created_at, i.kind, i.scope, i.value
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, created_at from persons where merchant_id = $1 and id = k.id limit 1
        ) as p
        left join lateral (
            select kind, scope, value
            from identities
            where merchant_id = $1 and person_id = k.id and kind in ('unionid', 'external_userid', 'phone')
            offset 0
        ) as i on true",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    let mut persons: HashMap<PersonId, Standing> = HashMap::with_capacity(ids.len());
    for row in rows {
        let fresh = || Standing { created_at: row.created_at, single: BTreeSet::new() };
        let standing = persons.entry(row.id).or_insert_with(fresh);
        if let (Some(kind), Some(scope), Some(value)) = (row.kind, row.scope, row.value) {
            standing.single.insert(Identity { kind, scope, value });
        }
    }
    Ok(persons)
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    id: PersonId,
    created_at: DateTime<Utc>,
    kind: Option<IdentityKind>,
    scope: Option<String>,
    value: Option<String>,
}

/// Pairs of the persons of whom somebody said that they, or who was merged into them, are not one; in both directions.
pub async fn apart(
    tx: &mut Tx,
    ids: &[PersonId],
) -> Result<Vec<(PersonId, PersonId)>, siyu_pg::Error> {
    let pairs = sqlx::query_as(
        "with family as (
            select k.id, k.id as person_id from unnest($2::uuid[]) as k (id)
            union all
            select p.id, k.id
            from unnest($2::uuid[]) as k (id)
            cross join lateral (
                select id from persons where merchant_id = $1 and merged_into = k.id and merged_into is not null offset 0
            ) as p
        )
        select f.person_id, g.person_id
        from family as f
        cross join lateral (
            select other_person_id from persons_apart where merchant_id = $1 and person_id = f.id offset 0
        ) as a
        join family as g on g.id = a.other_person_id
        where f.person_id <> g.person_id",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(pairs)
}

/// Keeps later verifications of keys.
pub async fn verify(
    tx: &mut Tx,
    verified: &[(Identity, DateTime<Utc>)],
) -> Result<(), siyu_pg::Error> {
    for (key, at) in verified {
        sqlx::query(
            "update identities set verified_at = greatest(verified_at, $5)
            where merchant_id = $1 and kind = $2 and scope = $3 and value = $4",
        )
        .bind(tx.merchant())
        .bind(key.kind.as_str())
        .bind(&key.scope)
        .bind(&key.value)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Gives a key to another person and keeps who held it; false when that one holds it no longer.
pub async fn move_key(
    tx: &mut Tx,
    id: Uuid,
    key: &Key,
    from: PersonId,
    to: PersonId,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "with moved as (
            update identities set person_id = $7, origin_person_id = null, verified_at = $8
            where merchant_id = $1 and kind = $3 and scope = $4 and value = $5 and person_id = $6
            returning kind, scope, value
        )
        insert into released_identities
            (merchant_id, id, kind, scope, value, person_id, taken_by_person_id, note, released_at)
        select $1, $2, kind, scope, value, $6, $7, '', $9 from moved",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(key.identity.kind.as_str())
    .bind(&key.identity.scope)
    .bind(&key.identity.value)
    .bind(from)
    .bind(to)
    .bind(key.verified_at)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes the loser, and whoever is an alias of it, an alias of the survivor, who gets their keys.
pub async fn merge(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update persons set merged_into = $2 where merchant_id = $1 and (id = $3 or merged_into = $3)",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .execute(&mut **tx)
    .await?;
    moving::move_over(tx, &IDENTITIES, merge).await
}

/// Makes the loser a person again, with its own aliases and their keys.
pub async fn unmerge(tx: &mut Tx, unmerge: &Unmerge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into persons (merchant_id, id, growth, tier, created_at, merged_into)
        select $1, n.id, 0, 1, $4, nullif($2::uuid, n.id) from unnest($3::uuid[]) as n (id)
        on conflict on constraint persons_pkey do update set merged_into = excluded.merged_into",
    )
    .bind(tx.merchant())
    .bind(unmerge.loser)
    .bind(&unmerge.origins)
    .bind(unmerge.at)
    .execute(&mut **tx)
    .await?;
    moving::move_back(tx, &IDENTITIES, unmerge).await
}
