//! The SQL of interactions and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::Interaction;
use crate::{person::PersonId, staff::StaffId};

/// Keeps facts, each person, employee and kind at most once; returns how many were later than what was known.
pub async fn record(tx: &mut Tx, facts: &[Interaction]) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into interactions (merchant_id, person_id, staff_id, kind, last_at)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
        on conflict on constraint interactions_pkey do update
        set last_at = excluded.last_at
        where interactions.last_at < excluded.last_at",
    )
    .bind(tx.merchant())
    .bind(facts.iter().map(|f| f.person_id).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.staff_id).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.kind.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|f| f.at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// When each pair last had to do with each other; pairs that never had are not among them.
pub async fn latest(
    tx: &mut Tx,
    pairs: &[(PersonId, StaffId)],
) -> Result<Vec<(PersonId, DateTime<Utc>)>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select k.person_id, i.last_at
        from unnest($2::uuid[], $3::uuid[]) as k (person_id, staff_id)
        cross join lateral (
            select last_at
            from interactions
            where merchant_id = $1 and person_id = k.person_id and staff_id = k.staff_id
            order by last_at desc
            limit 1
        ) as i",
    )
    .bind(tx.merchant())
    .bind(pairs.iter().map(|(person, _)| *person).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, staff)| *staff).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Who, of those who work here, served the last order of each person.
pub async fn last_guides(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<Vec<(PersonId, StaffId)>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select k.person_id, g.staff_id
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select i.staff_id
            from interactions i
            cross join lateral (
                select left_at from staff where merchant_id = $1 and id = i.staff_id limit 1
            ) as s
            where i.merchant_id = $1 and i.person_id = k.person_id and i.kind = 'order_served' and s.left_at is null
            order by i.last_at desc, i.staff_id
            limit 1
        ) as g",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Gives the survivor of a merge what the loser had to do with employees, and remembers what that changed. The loser's
/// own rows stay: nobody looks at them, and they hold again when the merge is undone.
pub async fn merge(
    tx: &mut Tx,
    merge_id: Uuid,
    survivor: PersonId,
    loser: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into interaction_merges (merchant_id, merge_id, survivor_id, staff_id, kind, before_at, merged_at)
        select $1, $2, $3, l.staff_id, l.kind, s.last_at, l.last_at
        from interactions l
        left join lateral (
            select last_at
            from interactions
            where merchant_id = $1 and person_id = $3 and staff_id = l.staff_id and kind = l.kind
            limit 1
        ) as s on true
        where l.merchant_id = $1 and l.person_id = $4 and (s.last_at is null or s.last_at < l.last_at)
        on conflict on constraint interaction_merges_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(merge_id)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "insert into interactions (merchant_id, person_id, staff_id, kind, last_at)
        select $1, $3, staff_id, kind, merged_at from interaction_merges where merchant_id = $1 and merge_id = $2
        on conflict on constraint interactions_pkey do update
        set last_at = excluded.last_at
        where interactions.last_at < excluded.last_at",
    )
    .bind(tx.merchant())
    .bind(merge_id)
    .bind(survivor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes back what a merge changed, where nothing later came: from whoever survived it, and from who has the rows now.
pub async fn unmerge(
    tx: &mut Tx,
    merge_id: Uuid,
    survivor: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from interactions i
        using interaction_merges m
        where m.merchant_id = $1 and m.merge_id = $2 and m.before_at is null
            and i.merchant_id = $1 and i.person_id in ($3, m.survivor_id) and i.staff_id = m.staff_id and i.kind = m.kind
            and i.last_at = m.merged_at",
    )
    .bind(tx.merchant())
    .bind(merge_id)
    .bind(survivor)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "update interactions i
        set last_at = m.before_at
        from interaction_merges m
        where m.merchant_id = $1 and m.merge_id = $2 and m.before_at is not null
            and i.merchant_id = $1 and i.person_id in ($3, m.survivor_id) and i.staff_id = m.staff_id and i.kind = m.kind
            and i.last_at = m.merged_at",
    )
    .bind(tx.merchant())
    .bind(merge_id)
    .bind(survivor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
