//! How far consumers, and the publisher of a broker, have come.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use sqlx::PgConnection;

use crate::Cursor;

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    event_id: Option<Id<kind::Event>>,
    occurred_at: Option<DateTime<Utc>>,
}

/// A cursor that this transaction has locked.
#[derive(sqlx::FromRow)]
pub(crate) struct Locked {
    /// How far it is.
    pub(crate) position: i64,
    /// Whether any event of this consumer and source is parked.
    pub(crate) parked: bool,
}

/// The cursor; one that never moved stands at 0.
pub(crate) async fn load(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
) -> sqlx::Result<Cursor> {
    let row: Option<Row> = sqlx::query_as(
        "select position, event_id, occurred_at from event_cursors
        where consumer = $1 and source = $2",
    )
    .bind(consumer)
    .bind(source)
    .fetch_optional(conn)
    .await?;
    Ok(row.map_or_else(Cursor::default, |row| Cursor {
        position: row.position,
        last: row.event_id.zip(row.occurred_at),
    }))
}

/// Makes sure that there is a row to lock.
pub(crate) async fn ensure(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into event_cursors (consumer, source) values ($1, $2)
        on conflict (consumer, source) do nothing",
    )
    .bind(consumer)
    .bind(source)
    .execute(conn)
    .await
    .map(|_| ())
}

/// Locks the cursor, unless another transaction holds it.
pub(crate) async fn try_lock(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
) -> sqlx::Result<Option<Locked>> {
    sqlx::query_as(
        "select position, exists (
            select from event_parked
            where event_parked.consumer = event_cursors.consumer
                and event_parked.source = event_cursors.source
        ) as parked
        from event_cursors
        where consumer = $1 and source = $2
        for update of event_cursors skip locked",
    )
    .bind(consumer)
    .bind(source)
    .fetch_optional(conn)
    .await
}

/// Locks the cursor, waiting for the batch under way.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "select position from event_cursors where consumer = $1 and source = $2 for update",
    )
    .bind(consumer)
    .bind(source)
    .fetch_optional(conn)
    .await
}

/// Moves a cursor. The caller holds its lock.
pub(crate) async fn save(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
    cursor: &Cursor,
) -> sqlx::Result<()> {
    let (event_id, occurred_at) = cursor.last.unzip();
    let done = sqlx::query(
        "update event_cursors
        set position = $3, event_id = $4, occurred_at = $5, moved_at = now()
        where consumer = $1 and source = $2",
    )
    .bind(consumer)
    .bind(source)
    .bind(cursor.position)
    .bind(event_id)
    .bind(occurred_at)
    .execute(conn)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the cursor row was ensured and locked before");
    Ok(())
}
