//! The SQL of hand-overs and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Handover, HandoverId, State};
use crate::{person::PersonId, staff::StaffId};

/// Which hand-overs a list shows; none: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of a customer.
    pub person_id: Option<PersonId>,
    /// From an employee.
    pub from_staff_id: Option<StaffId>,
    /// To an employee.
    pub to_staff_id: Option<StaffId>,
    /// In a state.
    pub state: Option<State>,
}

/// Keeps hand-overs, new ones or changed ones that are locked.
pub async fn save(tx: &mut Tx, handovers: &[Handover]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into handovers
            (merchant_id, id, person_id, from_staff_id, to_staff_id, to_store_id, kind, state, failure, message,
            requested_at, accepted_at, due_at, ended_at)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[])
        on conflict on constraint handovers_pkey do update
        set state = excluded.state, failure = excluded.failure, accepted_at = excluded.accepted_at,
            due_at = excluded.due_at, ended_at = excluded.ended_at",
    )
    .bind(tx.merchant())
    .bind(handovers.iter().map(|h| h.id).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.person_id).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.from_staff_id).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.to_staff_id).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.to_store_id).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.kind.as_str()).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.state.as_str()).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.failure.as_str()).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.message.as_str()).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.requested_at).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.accepted_at).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.due_at).collect::<Vec<_>>())
    .bind(handovers.iter().map(|h| h.ended_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What counts for the limits of a customer: the row.
#[derive(Debug, sqlx::FromRow)]
pub struct Past {
    /// The customer.
    pub person_id: PersonId,
    /// Where the hand-over is in its life.
    pub state: State,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
}

/// The hand-overs of customers that are under way, and those between employees who worked here that were done or are under
/// way and were asked for since an instant.
pub async fn counted(
    tx: &mut Tx,
    persons: &[PersonId],
    since: DateTime<Utc>,
) -> Result<Vec<Past>, siyu_pg::Error> {
    let past = sqlx::query_as(
        "select h.person_id, h.state, h.requested_at
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select person_id, state, requested_at
            from handovers
            where merchant_id = $1 and person_id = k.id
                and (state in ('requested', 'waiting') or (state = 'done' and kind = 'on_job' and requested_at >= $3))
            offset 0
        ) as h",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(since)
    .fetch_all(&mut **tx)
    .await?;
    Ok(past)
}

/// Locks hand-overs, given in order; those that exist.
pub async fn lock(tx: &mut Tx, ids: &[HandoverId]) -> Result<Vec<Handover>, siyu_pg::Error> {
    let handovers = sqlx::query_as(
        "select h.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, person_id, from_staff_id, to_staff_id, to_store_id, kind, state, failure, message, requested_at,
                accepted_at, due_at, ended_at
            from handovers
            where merchant_id = $1 and id = k.id
            limit 1
            for update
        ) as h",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(handovers)
}

/// Locks the hand-over of a customer that is under way.
pub async fn lock_open(tx: &mut Tx, person: PersonId) -> Result<Option<Handover>, siyu_pg::Error> {
    let handover = sqlx::query_as(
        "select id, person_id, from_staff_id, to_staff_id, to_store_id, kind, state, failure, message, requested_at,
            accepted_at, due_at, ended_at
        from handovers
        where merchant_id = $1 and person_id = $2 and state in ('requested', 'waiting')
        for update",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(handover)
}

/// The hand-overs that are due, of any merchant; sorted by merchant and person, as persons are locked by everybody.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, PersonId, HandoverId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, person_id, id
        from (
            select merchant_id, person_id, id from handovers where due_at <= $1 order by due_at limit $2
        ) as h
        order by merchant_id, person_id",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// One hand-over.
pub async fn find(tx: &mut Tx, id: HandoverId) -> Result<Option<Handover>, siyu_pg::Error> {
    let handover = sqlx::query_as(
        "select id, person_id, from_staff_id, to_staff_id, to_store_id, kind, state, failure, message, requested_at,
            accepted_at, due_at, ended_at
        from handovers
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(handover)
}

/// Hand-overs before an id, newest first: ids sort by the time of their creation.
pub async fn list(
    tx: &mut Tx,
    filter: Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Handover>, siyu_pg::Error> {
    let handovers = sqlx::query_as(
        "select id, person_id, from_staff_id, to_staff_id, to_store_id, kind, state, failure, message, requested_at,
            accepted_at, due_at, ended_at
        from handovers
        where merchant_id = $1
            and ($2::uuid is null or person_id = $2)
            and ($3::uuid is null or from_staff_id = $3)
            and ($4::uuid is null or to_staff_id = $4)
            and ($5::text is null or state = $5)
            and ($6::uuid is null or id < $6)
        order by id desc
        limit $7",
    )
    .bind(tx.merchant())
    .bind(filter.person_id)
    .bind(filter.from_staff_id)
    .bind(filter.to_staff_id)
    .bind(filter.state)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(handovers)
}
