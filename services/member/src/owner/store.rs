//! The SQL of owners and nothing else. Rows of persons are locked in the order of the persons, so that two who change the same
//! ones never wait for each other.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::domain::{Span, Standing};
use crate::{person::PersonId, shop::StoreId, staff::StaffId};

/// Locks what stands for persons, given in order; makes a row for whom there is none.
pub async fn lock(tx: &mut Tx, persons: &[PersonId]) -> Result<Vec<Standing>, siyu_pg::Error> {
    sqlx::query(
        "insert into owners (merchant_id, person_id, span)
        select $1, id, 0 from unnest($2::uuid[]) as n (id)
        on conflict on constraint owners_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    let standing = sqlx::query_as(
        "select o.person_id, o.span, o.staff_id, o.store_id, o.since_at, o.source
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select person_id, span, staff_id, store_id, since_at, source
            from owners
            where merchant_id = $1 and person_id = k.id
            limit 1
            for update
        ) as o",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(standing)
}

/// Keeps the owners of locked persons.
pub async fn save(tx: &mut Tx, standing: &[Standing]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into owners (merchant_id, person_id, span, staff_id, store_id, since_at, source)
        select $1, * from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::text[])
        on conflict on constraint owners_pkey do update
        set span = excluded.span, staff_id = excluded.staff_id, store_id = excluded.store_id,
            since_at = excluded.since_at, source = excluded.source",
    )
    .bind(tx.merchant())
    .bind(standing.iter().map(|s| s.person_id).collect::<Vec<_>>())
    .bind(standing.iter().map(|s| s.span).collect::<Vec<_>>())
    .bind(standing.iter().map(|s| s.staff_id).collect::<Vec<_>>())
    .bind(standing.iter().map(|s| s.store_id).collect::<Vec<_>>())
    .bind(standing.iter().map(|s| s.since_at).collect::<Vec<_>>())
    .bind(standing.iter().map(|s| s.source.map(super::Source::as_str)).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends spans that hold, each named by person and number.
pub async fn end_spans(
    tx: &mut Tx,
    ends: &[(PersonId, i32, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    // Read key by key and written by key: an update from a list may be planned as a scan of all spans.
    sqlx::query(
        "insert into owner_spans
            (merchant_id, person_id, number, staff_id, store_id, since_at, until_at, source, recorded_at, ended_at)
        select $1, s.person_id, s.number, s.staff_id, s.store_id, s.since_at, n.until_at, s.source, s.recorded_at, $5
        from unnest($2::uuid[], $3::integer[], $4::timestamptz[]) as n (person_id, number, until_at)
        cross join lateral (
            select * from owner_spans where merchant_id = $1 and person_id = n.person_id and number = n.number limit 1
        ) as s
        on conflict on constraint owner_spans_pkey do update
        set until_at = excluded.until_at, ended_at = excluded.ended_at",
    )
    .bind(tx.merchant())
    .bind(ends.iter().map(|(person, _, _)| *person).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, number, _)| *number).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, _, until)| *until).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds spans that hold.
pub async fn insert_spans(tx: &mut Tx, spans: &[Span]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into owner_spans (merchant_id, person_id, number, staff_id, store_id, since_at, source, recorded_at)
        select $1, * from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::text[],
            $8::timestamptz[])",
    )
    .bind(tx.merchant())
    .bind(spans.iter().map(|s| s.person_id).collect::<Vec<_>>())
    .bind(spans.iter().map(|s| s.number).collect::<Vec<_>>())
    .bind(spans.iter().map(|s| s.staff_id).collect::<Vec<_>>())
    .bind(spans.iter().map(|s| s.store_id).collect::<Vec<_>>())
    .bind(spans.iter().map(|s| s.since_at).collect::<Vec<_>>())
    .bind(spans.iter().map(|s| s.source.as_str()).collect::<Vec<_>>())
    .bind(spans.iter().map(|s| s.recorded_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The span of a person that an instant is in. Of several that begin and end at one instant the last counts.
pub async fn at(
    tx: &mut Tx,
    person: PersonId,
    at: DateTime<Utc>,
) -> Result<Option<Span>, siyu_pg::Error> {
    let span = sqlx::query_as(
        "select person_id, number, staff_id, store_id, source, since_at, until_at, recorded_at
        from owner_spans
        where merchant_id = $1 and person_id = $2 and since_at <= $3 and (until_at is null or until_at > $3)
        order by number desc
        limit 1",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(at)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(span)
}

/// The span that holds for a person, if one does.
pub async fn current(tx: &mut Tx, person: PersonId) -> Result<Option<Span>, siyu_pg::Error> {
    let span = sqlx::query_as(
        "select person_id, number, staff_id, store_id, source, since_at, until_at, recorded_at
        from owner_spans
        where merchant_id = $1 and person_id = $2 and until_at is null",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(span)
}

/// The spans of a person before a number, newest first.
pub async fn spans(
    tx: &mut Tx,
    person: PersonId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Span>, siyu_pg::Error> {
    let spans = sqlx::query_as(
        "select person_id, number, staff_id, store_id, source, since_at, until_at, recorded_at
        from owner_spans
        where merchant_id = $1 and person_id = $2 and ($3::integer is null or number < $3)
        order by number desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(spans)
}

/// The spans that hold for the persons of an employee, after a person.
pub async fn of_staff(
    tx: &mut Tx,
    staff: StaffId,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Span>, siyu_pg::Error> {
    let spans = sqlx::query_as(
        "select s.person_id, s.number, s.staff_id, s.store_id, s.source, s.since_at, s.until_at, s.recorded_at
        from (
            select person_id, span
            from owners
            where merchant_id = $1 and staff_id = $2 and ($3::uuid is null or person_id > $3)
            order by person_id
            limit $4
        ) as o
        cross join lateral (
            select * from owner_spans where merchant_id = $1 and person_id = o.person_id and number = o.span limit 1
        ) as s
        order by s.person_id",
    )
    .bind(tx.merchant())
    .bind(staff)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(spans)
}

/// Locks whose turn it was last in a store.
pub async fn lock_turn(tx: &mut Tx, store: StoreId) -> Result<Option<StaffId>, siyu_pg::Error> {
    sqlx::query(
        "insert into owner_turns (merchant_id, store_id) values ($1, $2)
        on conflict on constraint owner_turns_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(store)
    .execute(&mut **tx)
    .await?;
    let last = sqlx::query_scalar(
        "select staff_id from owner_turns where merchant_id = $1 and store_id = $2 for update",
    )
    .bind(tx.merchant())
    .bind(store)
    .fetch_one(&mut **tx)
    .await?;
    Ok(last)
}

/// Keeps whose turn it was in a store that is locked.
pub async fn save_turn(
    tx: &mut Tx,
    store: StoreId,
    staff: Option<StaffId>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query("update owner_turns set staff_id = $3 where merchant_id = $1 and store_id = $2")
        .bind(tx.merchant())
        .bind(store)
        .bind(staff)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
