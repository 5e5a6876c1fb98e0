//! Gifts for tiers.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::{SystemTx, Tx};

use crate::person::PersonId;

/// A gift to post.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Gift {
    pub(crate) merchant_id: Id<kind::Merchant>,
    pub(crate) person_id: PersonId,
    pub(crate) tier: i32,
    pub(crate) points: i64,
}

/// Notes gifts for tiers; whoever had one for the tier before gets no other.
pub(crate) async fn insert_gifts(
    tx: &mut Tx,
    gifts: &[(PersonId, i32, i64)],
    state: &str,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into tier_gifts (merchant_id, person_id, tier, points, state, created_at)
        select $1, n.*, $5, $6 from unnest($2::uuid[], $3::integer[], $4::bigint[]) as n
        on conflict on constraint tier_gifts_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(gifts.iter().map(|(person, ..)| *person).collect::<Vec<_>>())
    .bind(gifts.iter().map(|(_, tier, _)| *tier).collect::<Vec<_>>())
    .bind(gifts.iter().map(|(.., points)| *points).collect::<Vec<_>>())
    .bind(state)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gifts that are due, of all merchants, merchant by merchant. Another process may post them at the same moment.
pub(crate) async fn due_gifts(tx: &mut SystemTx, limit: i64) -> Result<Vec<Gift>, siyu_pg::Error> {
    let gifts = sqlx::query_as(
        "select merchant_id, person_id, tier, points
        from tier_gifts
        where state = 'due'
        order by merchant_id, person_id, tier
        limit $1",
    )
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(gifts)
}

/// Locks those of the gifts that are still due, in their order.
pub(crate) async fn lock_gifts(tx: &mut Tx, gifts: &[Gift]) -> Result<Vec<Gift>, siyu_pg::Error> {
    let gifts = sqlx::query_as(
        "select g.*
        from unnest($2::uuid[], $3::integer[]) as k (person_id, tier)
        cross join lateral (
            select merchant_id, person_id, tier, points
            from tier_gifts
            where merchant_id = $1 and person_id = k.person_id and tier = k.tier and state = 'due'
            limit 1
            for update
        ) as g",
    )
    .bind(tx.merchant())
    .bind(gifts.iter().map(|gift| gift.person_id).collect::<Vec<_>>())
    .bind(gifts.iter().map(|gift| gift.tier).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(gifts)
}

/// Notes that gifts are posted.
pub(crate) async fn give(tx: &mut Tx, gifts: &[&Gift]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into tier_gifts (merchant_id, person_id, tier, points, state, created_at)
        select $1, n.*, 'given', now() from unnest($2::uuid[], $3::integer[], $4::bigint[]) as n
        on conflict on constraint tier_gifts_pkey do update set state = excluded.state",
    )
    .bind(tx.merchant())
    .bind(gifts.iter().map(|gift| gift.person_id).collect::<Vec<_>>())
    .bind(gifts.iter().map(|gift| gift.tier).collect::<Vec<_>>())
    .bind(gifts.iter().map(|gift| gift.points).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
