//! The SQL of stages and nothing else. Rows are written in the order of persons and stages, so that two who do never wait for
//! each other.

mod referrals;

use chrono::{DateTime, Utc};
pub use referrals::{first_referred, refer, referrers};
use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::{Entry, Facts, Stage, Traces};
use crate::person::PersonId;

/// What is known of persons, but for whom they brought. Ids that other services told may be aliases by now, so theirs are
/// looked at too.
pub async fn facts(tx: &mut Tx, persons: &[PersonId]) -> Result<Vec<Facts>, siyu_pg::Error> {
    let facts = sqlx::query_as(
        "select k.id as person_id,
            (
                select min(state_at) from connections where merchant_id = $1 and person_id = k.id
            ) as connected_at,
            (
                select min(created_at) from identities
                where merchant_id = $1 and person_id = k.id and kind in ('phone', 'unionid')
            ) as registered_at,
            (
                select min(paid_at) from purchases
                where merchant_id = $1 and person_id = k.id and counts and paid_day > (
                    select min(paid_day) from purchases where merchant_id = $1 and person_id = k.id and counts
                )
            ) as repeated_at,
            (
                select min(greatest(s.approved_at, s.first_sale_at))
                from (
                    select k.id as id
                    union all
                    (select id from persons where merchant_id = $1 and merged_into = k.id)
                ) as own
                cross join lateral (
                    select approved_at, first_sale_at
                    from promoters
                    where merchant_id = $1 and person_id = own.id and approved_at is not null
                        and first_sale_at is not null
                    offset 0
                ) as s
            ) as sold_at
        from unnest($2::uuid[]) as k (id)",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(facts)
}

#[derive(sqlx::FromRow)]
struct SavedRow {
    #[sqlx(flatten)]
    entry: Entry,
    is_new: bool,
}

/// Keeps entries, given in order; returns those into stages that had not been entered. The earliest time of each stands.
pub async fn save(
    tx: &mut Tx,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> Result<Vec<Entry>, siyu_pg::Error> {
    // A row that was there has a transaction that changed it before this one.
    let rows: Vec<SavedRow> = sqlx::query_as(
        "insert into stages (merchant_id, person_id, stage, entered_at, implied, recorded_at)
        select $1, n.*, $6 from unnest($2::uuid[], $3::smallint[], $4::timestamptz[], $5::boolean[]) as n
        on conflict on constraint stages_pkey do update
        set entered_at = excluded.entered_at, implied = excluded.implied
        where stages.entered_at > excluded.entered_at
            or stages.entered_at = excluded.entered_at and stages.implied and not excluded.implied
        returning person_id, stage, entered_at, implied, xmax = 0 as is_new",
    )
    .bind(tx.merchant())
    .bind(entries.iter().map(|e| e.person_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| i16::from(e.stage.rank())).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.entered_at).collect::<Vec<_>>())
    .bind(entries.iter().map(|e| e.implied).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().filter(|row| row.is_new).map(|row| row.entry).collect())
}

/// Raises persons, given in order, to the highest stage that they entered; returns it.
pub async fn raise(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<Vec<(PersonId, Stage)>, siyu_pg::Error> {
    let highest = sqlx::query_as(
        "insert into person_stages (merchant_id, person_id, stage)
        select $1, k.id, s.stage
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select stage from stages where merchant_id = $1 and person_id = k.id order by stage desc limit 1
        ) as s
        on conflict on constraint person_stages_pkey do update
        set stage = greatest(person_stages.stage, excluded.stage)
        returning person_id, stage",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(highest)
}

/// The stages that a person entered, in their order.
pub async fn of(tx: &mut Tx, person: PersonId) -> Result<Vec<Entry>, siyu_pg::Error> {
    let entries = sqlx::query_as(
        "select person_id, stage, entered_at, implied
        from stages
        where merchant_id = $1 and person_id = $2
        order by stage",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_all(&mut **tx)
    .await?;
    Ok(entries)
}

/// When a person last bought or was first seen, and whether every connection ended.
pub async fn traces(tx: &mut Tx, person: PersonId) -> Result<Traces, siyu_pg::Error> {
    let traces = sqlx::query_as(
        "select
            coalesce(
                (select last_paid_at from person_purchases where merchant_id = $1 and person_id = $2),
                (select min(state_at) from connections where merchant_id = $1 and person_id = $2),
                p.created_at
            ) as since_at,
            coalesce(
                (select bool_and(state = 'disconnected') from connections where merchant_id = $1 and person_id = $2),
                false
            ) as is_gone
        from persons p
        where p.merchant_id = $1 and p.id = $2",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(traces)
}

/// How many persons there are, and how many in each stage beyond consumer.
pub async fn count(tx: &mut Tx) -> Result<(i64, Vec<(Stage, i64)>), siyu_pg::Error> {
    let all = sqlx::query_scalar(
        "select count(*) from persons where merchant_id = $1 and merged_into is null",
    )
    .bind(tx.merchant())
    .fetch_one(&mut **tx)
    .await?;
    let beyond = sqlx::query_as(
        "select stage, count(*) from person_stages where merchant_id = $1 group by stage order by stage",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok((all, beyond))
}

/// Keeps what is told of a promoter; returns the person, if told.
pub async fn promote(
    tx: &mut Tx,
    promoter: Uuid,
    person: Option<PersonId>,
    approved_at: Option<DateTime<Utc>>,
    sold_at: Option<DateTime<Utc>>,
) -> Result<Option<PersonId>, siyu_pg::Error> {
    let person = sqlx::query_scalar(
        "insert into promoters (merchant_id, promoter_id, person_id, approved_at, first_sale_at)
        values ($1, $2, $3, $4, $5)
        on conflict on constraint promoters_pkey do update
        set person_id = coalesce(excluded.person_id, promoters.person_id),
            approved_at = coalesce(excluded.approved_at, promoters.approved_at),
            first_sale_at = least(promoters.first_sale_at, excluded.first_sale_at)
        returning person_id",
    )
    .bind(tx.merchant())
    .bind(promoter)
    .bind(person)
    .bind(approved_at)
    .bind(sold_at)
    .fetch_one(&mut **tx)
    .await?;
    Ok(person)
}

/// Takes a person out of the count, whose id is an alias now.
pub async fn uncount(tx: &mut Tx, person: PersonId) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from person_stages where merchant_id = $1 and person_id = $2")
        .bind(tx.merchant())
        .bind(person)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets what was recorded of a person since an instant: it follows from facts anew.
pub async fn forget_since(
    tx: &mut Tx,
    person: PersonId,
    since: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from stages where merchant_id = $1 and person_id = $2 and recorded_at >= $3",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(since)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
