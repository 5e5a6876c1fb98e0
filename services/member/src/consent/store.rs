//! The SQL of consents and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::{Decision, Purpose};
use crate::person::{PersonId, store::moving::Owned};

/// Records of persons; a decision that both of two have stays where it is.
pub const RECORDS: Owned =
    Owned { table: "consent_records", unique: &["purpose", "channel", "decided_at", "status"] };

/// A record: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Record {
    /// The record.
    pub id: Id<kind::ConsentRecord>,
    /// The decision.
    #[sqlx(flatten)]
    pub decision: Decision,
    /// What proves it, sealed.
    pub evidence: Option<Vec<u8>>,
    /// Where it came from.
    pub source: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// Keeps records, each decision at most once; returns how many were news.
pub async fn insert(tx: &mut Tx, records: &[Record]) -> Result<u64, siyu_pg::Error> {
    let of = |read: fn(&Record) -> &str| records.iter().map(read).collect::<Vec<_>>();
    let done = sqlx::query(
        "insert into consent_records (merchant_id, id, person_id, purpose, channel, status, text_version, decided_at,
            evidence, source, recorded_by, recorded_at)
        select $1, n.* from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[], $9::bytea[], $10::text[], $11::text[], $12::timestamptz[]) as n
        on conflict on constraint consent_records_decision_key do nothing",
    )
    .bind(tx.merchant())
    .bind(records.iter().map(|r| r.id).collect::<Vec<_>>())
    .bind(records.iter().map(|r| r.decision.person_id).collect::<Vec<_>>())
    .bind(of(|r| r.decision.purpose.as_str()))
    .bind(of(|r| &r.decision.channel))
    .bind(of(|r| r.decision.status.as_str()))
    .bind(of(|r| &r.decision.text_version))
    .bind(records.iter().map(|r| r.decision.decided_at).collect::<Vec<_>>())
    .bind(records.iter().map(|r| r.evidence.as_deref()).collect::<Vec<_>>())
    .bind(of(|r| &r.source))
    .bind(of(|r| &r.recorded_by))
    .bind(records.iter().map(|r| r.recorded_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Lets decisions count that are later than those that do, each subject at most once; returns them.
pub async fn decide(tx: &mut Tx, decisions: &[Decision]) -> Result<Vec<Decision>, siyu_pg::Error> {
    let of = |read: fn(&Decision) -> &str| decisions.iter().map(read).collect::<Vec<_>>();
    let news = sqlx::query_as(
        "insert into consents (merchant_id, person_id, purpose, channel, status, text_version, decided_at)
        select $1, n.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[]) as n
        on conflict on constraint consents_pkey do update
        set status = excluded.status, text_version = excluded.text_version, decided_at = excluded.decided_at
        where (consents.decided_at, consents.status = 'withdrawn') < (excluded.decided_at, excluded.status = 'withdrawn')
        returning person_id, purpose, channel, status, text_version, decided_at",
    )
    .bind(tx.merchant())
    .bind(decisions.iter().map(|d| d.person_id).collect::<Vec<_>>())
    .bind(of(|d| d.purpose.as_str()))
    .bind(of(|d| &d.channel))
    .bind(of(|d| d.status.as_str()))
    .bind(of(|d| &d.text_version))
    .bind(decisions.iter().map(|d| d.decided_at).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(news)
}

/// What counts for a person.
pub async fn in_force(tx: &mut Tx, id: PersonId) -> Result<Vec<Decision>, siyu_pg::Error> {
    let decisions = sqlx::query_as(
        "select person_id, purpose, channel, status, text_version, decided_at
        from consents
        where merchant_id = $1 and person_id = $2
        order by purpose, channel",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(decisions)
}

/// What counts for persons, for one purpose and a channel or all.
pub async fn find(
    tx: &mut Tx,
    ids: &[PersonId],
    purpose: Purpose,
    channel: &str,
) -> Result<Vec<Decision>, siyu_pg::Error> {
    let decisions = sqlx::query_as(
        "select c.person_id, c.purpose, c.channel, c.status, c.text_version, c.decided_at
        from unnest($2::uuid[]) as k (id)
        cross join (select $4 as channel union select '') as w
        cross join lateral (
            select person_id, purpose, channel, status, text_version, decided_at
            from consents
            where merchant_id = $1 and person_id = k.id and purpose = $3 and channel = w.channel
            limit 1
        ) as c",
    )
    .bind(tx.merchant())
    .bind(ids)
    .bind(purpose.as_str())
    .bind(channel)
    .fetch_all(&mut **tx)
    .await?;
    Ok(decisions)
}

/// The decisions of a person, every one of them.
pub async fn decisions(tx: &mut Tx, id: PersonId) -> Result<Vec<Decision>, siyu_pg::Error> {
    let decisions = sqlx::query_as(
        "select person_id, purpose, channel, status, text_version, decided_at
        from consent_records
        where merchant_id = $1 and person_id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(decisions)
}

/// The records of a person before an instant and id, newest first.
pub async fn list(
    tx: &mut Tx,
    id: PersonId,
    before: Option<&(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Record>, siyu_pg::Error> {
    let records = sqlx::query_as(
        "select id, person_id, purpose, channel, status, text_version, decided_at, evidence, source, recorded_by, recorded_at
        from consent_records
        where merchant_id = $1 and person_id = $2
            and ($3::timestamptz is null or (decided_at, id) < ($3, $4::uuid))
        order by decided_at desc, id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(before.map(|(at, _)| at))
    .bind(before.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(records)
}

/// What counts for a person is this and nothing else.
pub async fn replace(
    tx: &mut Tx,
    id: PersonId,
    decisions: &[Decision],
) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from consents where merchant_id = $1 and person_id = $2")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    decide(tx, decisions).await?;
    Ok(())
}
