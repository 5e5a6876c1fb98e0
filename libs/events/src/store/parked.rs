//! Events that could not be handled, and those that wait behind them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_kernel::{
    Id,
    kind::{self, Merchant},
};
use sqlx::PgConnection;

use crate::Event;

/// A parked event.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) merchant_id: Id<Merchant>,
    pub(crate) position: i64,
    pub(crate) event_id: Id<kind::Event>,
    #[sqlx(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) subject: String,
    pub(crate) event: Vec<u8>,
    pub(crate) behind: Option<i64>,
    pub(crate) attempts: i32,
    pub(crate) error: String,
    pub(crate) parked_at: DateTime<Utc>,
}

/// Why an event is put aside.
pub(crate) enum Reason<'a> {
    /// It failed that often, last with this error.
    Failed { attempts: u32, error: &'a str },
    /// An earlier event of its subject is parked.
    Behind(i64),
}

/// Parks an event.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
    event: &Event,
    reason: &Reason<'_>,
) -> sqlx::Result<()> {
    let (behind, attempts, error) = match *reason {
        Reason::Failed { attempts, error } => (None, i32::try_from(attempts), error),
        Reason::Behind(position) => (Some(position), Ok(0), ""),
    };
    sqlx::query(
        "insert into event_parked
            (merchant_id, consumer, source, position, event_id, type, subject, event, behind, attempts, error)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(event.merchant)
    .bind(consumer)
    .bind(source)
    .bind(event.position)
    .bind(event.id)
    .bind(&*event.type_name)
    .bind(&*event.subject)
    .bind(event.to_proto().encode_to_vec())
    .bind(behind)
    .bind(attempts.unwrap_or(i32::MAX))
    .bind(error)
    .execute(conn)
    .await
    .map(|_| ())
}

/// Which of these subjects are blocked, with the first event that blocks each.
pub(crate) async fn blocked(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
    subjects: &HashSet<&str>,
) -> sqlx::Result<Vec<(Id<Merchant>, String, i64)>> {
    let subjects: Vec<&str> = subjects.iter().copied().collect();
    sqlx::query_as(
        "select merchant_id, subject, min(position) from event_parked
        where consumer = $1 and source = $2 and subject = any($3)
        group by merchant_id, subject",
    )
    .bind(consumer)
    .bind(source)
    .bind(subjects)
    .fetch_all(conn)
    .await
}

/// Parked events after a position, of a merchant and of a subject if they are given.
pub(crate) async fn list(
    conn: &mut PgConnection,
    (consumer, source): (&str, &str),
    (merchant, subject): (Option<Id<Merchant>>, Option<&str>),
    after: i64,
    rows: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "select merchant_id, position, event_id, type, subject, event, behind, attempts, error, parked_at
        from event_parked
        where consumer = $1 and source = $2
            and ($3::uuid is null or merchant_id = $3)
            and ($4::text is null or subject = $4)
            and position > $5
        order by position
        limit $6",
    )
    .bind(consumer)
    .bind(source)
    .bind(merchant)
    .bind(subject)
    .bind(after)
    .bind(rows)
    .fetch_all(conn)
    .await
}

/// Notes another failure of a parked event.
pub(crate) async fn failed_again(
    conn: &mut PgConnection,
    (consumer, source): (&str, &str),
    (merchant, position): (Id<Merchant>, i64),
    error: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "update event_parked
        set attempts = attempts + 1, error = $5, behind = null
        where merchant_id = $1 and consumer = $2 and source = $3 and position = $4",
    )
    .bind(merchant)
    .bind(consumer)
    .bind(source)
    .bind(position)
    .bind(error)
    .execute(conn)
    .await
    .map(|_| ())
}

/// Takes a parked event away; tells whether it was there.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    (consumer, source): (&str, &str),
    (merchant, position): (Id<Merchant>, i64),
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "delete from event_parked
        where merchant_id = $1 and consumer = $2 and source = $3 and position = $4",
    )
    .bind(merchant)
    .bind(consumer)
    .bind(source)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many events are parked.
pub(crate) async fn count(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from event_parked where consumer = $1 and source = $2")
        .bind(consumer)
        .bind(source)
        .fetch_one(conn)
        .await
}
