//! The SQL of tiers and nothing else; growth stands in the ledger.

mod gifts;
mod merges;
mod policies;

use chrono::{DateTime, Utc};
pub(crate) use gifts::{Gift, due_gifts, give, insert_gifts, lock_gifts};
pub(crate) use merges::{CHANGES, merge_gifts};
pub(crate) use policies::{insert_policy, persons_after, policy, save_applied, unapplied};
use siyu_kernel::{Id, kind};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Change, Reason, Standing};
use crate::person::PersonId;

#[derive(sqlx::FromRow)]
struct StandingRow {
    id: PersonId,
    tier: Option<i32>,
    reached_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

/// One step of a person, as it is kept.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Step {
    pub(crate) id: Uuid,
    pub(crate) from_tier: i32,
    pub(crate) to_tier: i32,
    pub(crate) reason: Reason,
    pub(crate) growth: i64,
    pub(crate) changed_at: DateTime<Utc>,
}

/// Locks persons and says where they stand; who is an alias is left out. To be called before the growth is read, so that
/// of two who look at one person the later sees what the earlier saw.
pub(crate) async fn lock(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<Vec<(PersonId, Standing)>, siyu_pg::Error> {
    assert!(persons.is_sorted(), "locks are taken in order");
    let rows: Vec<StandingRow> = sqlx::query_as(
        "select p.id, t.tier, t.reached_at, t.expires_at
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id from persons where merchant_id = $1 and id = k.id and merged_into is null for no key update
        ) as p
        left join lateral (
            select tier, reached_at, expires_at from person_tiers where merchant_id = $1 and person_id = p.id limit 1
        ) as t on true",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.standing())).collect())
}

/// Where a person stands, as it was seen last.
pub(crate) async fn find(tx: &mut Tx, person: PersonId) -> Result<Standing, siyu_pg::Error> {
    let row: Option<StandingRow> = sqlx::query_as(
        "select person_id as id, tier, reached_at, expires_at
        from person_tiers
        where merchant_id = $1 and person_id = $2",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map_or(Standing::LOWEST, StandingRow::standing))
}

impl StandingRow {
    fn standing(self) -> Standing {
        let tier = self.tier.unwrap_or(1);
        Standing { tier, reached_at: self.reached_at, expires_at: self.expires_at }
    }
}

/// Keeps where persons stand now.
pub(crate) async fn save(
    tx: &mut Tx,
    standings: &[(PersonId, Standing)],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_tiers (merchant_id, person_id, tier, reached_at, expires_at)
        select $1, n.* from unnest($2::uuid[], $3::integer[], $4::timestamptz[], $5::timestamptz[]) as n
        on conflict on constraint person_tiers_pkey do update
        set tier = excluded.tier, reached_at = excluded.reached_at, expires_at = excluded.expires_at",
    )
    .bind(tx.merchant())
    .bind(standings.iter().map(|(person, _)| *person).collect::<Vec<_>>())
    .bind(standings.iter().map(|(_, standing)| standing.tier).collect::<Vec<_>>())
    .bind(standings.iter().map(|(_, of)| of.reached_at.unwrap_or(now)).collect::<Vec<_>>())
    .bind(standings.iter().map(|(_, standing)| standing.expires_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Appends steps of persons, each with the growth that counted then.
pub(crate) async fn insert_changes(
    tx: &mut Tx,
    changes: &[(Uuid, PersonId, Change, i64)],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into tier_changes (merchant_id, id, person_id, from_tier, to_tier, reason, growth, changed_at)
        select $1, n.* from unnest($2::uuid[], $3::uuid[], $4::integer[], $5::integer[], $6::text[], $7::bigint[],
            $8::timestamptz[]) as n",
    )
    .bind(tx.merchant())
    .bind(changes.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind(changes.iter().map(|(_, person, ..)| *person).collect::<Vec<_>>())
    .bind(changes.iter().map(|(_, _, change, _)| change.from).collect::<Vec<_>>())
    .bind(changes.iter().map(|(_, _, change, _)| change.to).collect::<Vec<_>>())
    .bind(changes.iter().map(|(_, _, change, _)| change.reason.as_str()).collect::<Vec<_>>())
    .bind(changes.iter().map(|(.., growth)| *growth).collect::<Vec<_>>())
    .bind(changes.iter().map(|(_, _, change, _)| change.at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Steps of a person before one, newest first.
pub(crate) async fn list_changes(
    tx: &mut Tx,
    person: PersonId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Step>, siyu_pg::Error> {
    let steps = sqlx::query_as(
        "select id, from_tier, to_tier, reason, growth, changed_at
        from tier_changes
        where merchant_id = $1 and person_id = $2 and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(steps)
}

/// Persons whose tier has expired, of all merchants, the longest over first.
pub(crate) async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<kind::Merchant>, PersonId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select t.merchant_id, t.person_id
        from (
            select merchant_id, person_id, expires_at
            from person_tiers
            where expires_at is not null and expires_at <= $1
            order by expires_at, merchant_id, person_id
            offset 0
        ) as t
        cross join lateral (
            select from persons where merchant_id = t.merchant_id and id = t.person_id and merged_into is null limit 1
        ) as p
        order by t.expires_at, t.merchant_id, t.person_id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
