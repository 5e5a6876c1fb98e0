//! The producer's side: appending, stamping, reading, pruning.

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{self, Merchant},
};
use sqlx::PgConnection;

use crate::{NewEvent, limits};

/// A row of the log that has its position.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) event_id: Id<kind::Event>,
    pub(crate) merchant_id: Id<Merchant>,
    #[sqlx(rename = "type")]
    pub(crate) type_name: String,
    pub(crate) subject: String,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) trace_parent: String,
    pub(crate) data: Vec<u8>,
    pub(crate) position: i64,
    /// The highest position given so far; the same in every row.
    pub(crate) head: i64,
}

/// Appends in the order of the slice.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    merchant: Id<Merchant>,
    trace_parent: &str,
    events: &[NewEvent],
) -> sqlx::Result<()> {
    let ids: Vec<_> = events.iter().map(|e| e.id).collect();
    let types: Vec<_> = events.iter().map(|e| e.type_name.as_str()).collect();
    let subjects: Vec<_> = events.iter().map(|e| e.subject.as_str()).collect();
    let times: Vec<_> = events.iter().map(|e| e.occurred_at).collect();
    let data: Vec<_> = events.iter().map(|e| e.data.as_ref()).collect();
    sqlx::query(
        "insert into event_log (event_id, merchant_id, type, subject, occurred_at, trace_parent, data)
        select e.id, $1, e.type, e.subject, e.occurred_at, $2, e.data
        from unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[])
            with ordinality as e (id, type, subject, occurred_at, data, place)
        order by e.place",
    )
    .bind(merchant)
    .bind(trace_parent)
    .bind(ids)
    .bind(types)
    .bind(subjects)
    .bind(times)
    .bind(data)
    .execute(conn)
    .await
    .map(|_| ())
}

/// Gives positions to unstamped rows that are visible, in the order of writing; returns the new head, or nothing when
/// there was nothing to stamp. Only the leader may call it: two at once would leave gaps. What is unstamped is looked for
/// once, not for each row that it is joined with.
pub(crate) async fn stamp(conn: &mut PgConnection, rows: i64) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "with batch as materialized (
            select event_seq, row_number() over (order by event_seq) as place
            from (
                select event_seq from event_log where position is null order by event_seq limit $1
            ) as unstamped
        ), stamped as (
            update event_log set position = event_heads.position + batch.place
            from batch, event_heads
            where event_log.event_seq = batch.event_seq
            returning event_log.position
        )
        update event_heads set position = (select max(position) from stamped)
        where exists (select from stamped)
        returning position",
    )
    .bind(rows)
    .fetch_optional(conn)
    .await
}

/// The highest position given so far.
pub(crate) async fn head(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select position from event_heads").fetch_one(conn).await
}

/// Whether a row that is visible has no position yet.
pub(crate) async fn has_unstamped(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from event_log where position is null)")
        .fetch_one(conn)
        .await
}

/// The rows after a position, up to a number and a weight. The first always fits, for a row is lighter than any answer.
pub(crate) async fn read(
    conn: &mut PgConnection,
    after: i64,
    rows: u32,
    bytes: u32,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "select event_id, merchant_id, type, subject, occurred_at, trace_parent, data, position,
            (select position from event_heads) as head
        from (
            select page.*, sum(octet_length(data) + $4) over (order by position) as weight
            from (
                select event_id, merchant_id, type, subject, occurred_at, trace_parent, data, position
                from event_log
                where position > $1
                order by position
                limit $2
            ) as page
        ) as weighed
        where weight <= $3
        order by position",
    )
    .bind(after)
    .bind(i64::from(rows))
    .bind(i64::from(bytes))
    .bind(i64::from(limits::ENVELOPE_BYTES))
    .fetch_all(conn)
    .await
}

/// Deletes the oldest rows up to, not including, the first that became true at `before` or later; at most so many.
pub(crate) async fn prune(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    below: i64,
    rows: i64,
) -> sqlx::Result<u64> {
    // Only a prefix goes: a hole in the middle would stop every reader.
    let done = sqlx::query(
        "with oldest as (
            select position, occurred_at from event_log
            where position is not null and position < $3
            order by position
            limit $2
        ), kept as (
            select min(position) as position from oldest where occurred_at >= $1
        )
        delete from event_log using kept
        where event_log.position >= (select min(position) from oldest)
            and event_log.position <= (select max(position) from oldest)
            and (kept.position is null or event_log.position < kept.position)",
    )
    .bind(before)
    .bind(rows)
    .bind(below)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Notes after which position a reader asked.
pub(crate) async fn note_reader(
    conn: &mut PgConnection,
    reader: &str,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into event_readers (reader, position) values ($1, $2)
        on conflict on constraint event_readers_pkey
            do update set position = excluded.position, read_at = now()",
    )
    .bind(reader)
    .bind(position)
    .execute(conn)
    .await
    .map(|_| ())
}

/// After which position the slowest of these readers asked; 0 when one of them never did.
pub(crate) async fn slowest_reader(conn: &mut PgConnection, readers: &[&str]) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select coalesce(min(coalesce(event_readers.position, 0)), 0)
        from unnest($1::text[]) as k (reader)
        left join event_readers on event_readers.reader = k.reader",
    )
    .bind(readers)
    .fetch_one(conn)
    .await
}
