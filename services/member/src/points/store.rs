//! The SQL of points and nothing else; what persons have stands in the ledger.

use chrono::{DateTime, NaiveDate, Utc};
use prost::Message;
use siyu_kernel::Fault;
use siyu_ledger::TransferId;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use super::{command::Note, domain::Policy};
use crate::person::{Merge, PersonId};

/// Every version of the merchant's rules. There are few: somebody sets each.
pub(crate) async fn policies(tx: &mut Tx) -> Result<Vec<Policy>, Fault> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "select policy from point_policies where merchant_id = $1 order by version",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    rows.iter().map(|row| decode(row)).collect()
}

/// Versions before one, newest first.
pub(crate) async fn list_policies(
    tx: &mut Tx,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Policy>, Fault> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "select policy
        from point_policies
        where merchant_id = $1 and ($2::integer is null or version < $2)
        order by version desc
        limit $3",
    )
    .bind(tx.merchant())
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    rows.iter().map(|row| decode(row)).collect()
}

fn decode(row: &[u8]) -> Result<Policy, Fault> {
    let policy = proto::PointsPolicy::decode(row).map_err(Fault::internal)?;
    Policy::read(&policy, DateTime::UNIX_EPOCH).map_err(Fault::internal)
}

/// Adds a version.
pub(crate) async fn insert_policy(
    tx: &mut Tx,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    let encoded = proto::PointsPolicy::from(policy).encode_to_vec();
    sqlx::query(
        "insert into point_policies (merchant_id, version, effective_at, policy, created_at)
        values ($1, $2, $3, $4, $5)",
    )
    .bind(tx.merchant())
    .bind(policy.version)
    .bind(policy.effective_at)
    .bind(encoded)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps what was said about transfers.
pub(crate) async fn insert_notes(
    tx: &mut Tx,
    notes: &[(TransferId, &Note)],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into point_notes (merchant_id, transfer_id, action, reason)
        select $1, n.* from unnest($2::uuid[], $3::text[], $4::text[]) as n
        on conflict on constraint point_notes_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(notes.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(notes.iter().map(|(_, note)| note.action.as_str()).collect::<Vec<_>>())
    .bind(notes.iter().map(|(_, note)| note.reason.as_str()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was said about transfers: the reason, or what they were for where no reason was given.
pub(crate) async fn notes(
    tx: &mut Tx,
    transfers: &[TransferId],
) -> Result<Vec<(TransferId, String)>, siyu_pg::Error> {
    let notes = sqlx::query_as(
        "select n.transfer_id, n.note
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select transfer_id, case when reason <> '' then reason else action end as note
            from point_notes
            where merchant_id = $1 and transfer_id = k.id
            limit 1
        ) as n",
    )
    .bind(tx.merchant())
    .bind(transfers)
    .fetch_all(&mut **tx)
    .await?;
    Ok(notes)
}

/// Counts what an action gives a person on a day, if that stays within the most; says whether it does. One statement, so that
/// two at the same moment cannot both take the last of it.
pub(crate) async fn count_day(
    tx: &mut Tx,
    person: PersonId,
    day: NaiveDate,
    action: &str,
    points: i64,
    most: i64,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into point_days as d (merchant_id, person_id, day, action, points)
        select $1, $2, $3, $4, $5::bigint where $5::bigint <= $6::bigint
        on conflict on constraint point_days_pkey do update
        set points = d.points + excluded.points
        where d.points + excluded.points <= $6",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(day)
    .bind(action)
    .bind(points)
    .bind(most)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds what the loser was given on each day to what the survivor was: who is merged gets no second helping.
pub(crate) async fn merge_days(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into point_days as d (merchant_id, person_id, day, action, points)
        select merchant_id, $3, day, action, points
        from point_days
        where merchant_id = $1 and person_id = $2
        on conflict on constraint point_days_pkey do update set points = d.points + excluded.points",
    )
    .bind(tx.merchant())
    .bind(merge.loser)
    .bind(merge.survivor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
