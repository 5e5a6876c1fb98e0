//! All SQL of the event log: the log itself, cursors, parked events, and the locks that make one process the leader.

pub(crate) mod cursors;
pub(crate) mod log;
pub(crate) mod parked;

use sqlx::PgConnection;

/// Makes a connection that is not pooled fit for a leader: it acts as the job role, and the server notices within some
/// twenty seconds when its machine is gone, so that the locks of a dead leader are freed.
///
/// The stamp joins a few thousand rows with the log by its primary key. Were statistics stale, another plan would read the
/// log from its beginning; so no other plan is allowed here, nor one that was made while the log was empty.
pub(crate) async fn prepare_leader(conn: &mut PgConnection, job: &str) -> sqlx::Result<()> {
    sqlx::query(
        "select set_config('role', 'siyu_job', false),
            set_config('application_name', 'siyu job ' || $1, false),
            set_config('tcp_keepalives_idle', '10', false),
            set_config('tcp_keepalives_interval', '3', false),
            set_config('tcp_keepalives_count', '3', false),
            set_config('enable_seqscan', 'off', false),
            set_config('enable_hashjoin', 'off', false),
            set_config('enable_mergejoin', 'off', false),
            set_config('plan_cache_mode', 'force_custom_plan', false)",
    )
    .bind(job)
    .execute(conn)
    .await
    .map(|_| ())
}

/// Takes a lock that lasts as long as the connection, if nobody holds it. Taking it twice is harmless: it is never
/// released but by the end of the connection.
pub(crate) async fn try_lead(conn: &mut PgConnection, lock: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(lock).fetch_one(conn).await
}

/// Opens a part of the transaction that can be undone by itself.
pub(crate) async fn savepoint(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("savepoint siyu_event").execute(conn).await.map(|_| ())
}

/// Undoes what happened since the savepoint, and closes it.
pub(crate) async fn undo(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("rollback to savepoint siyu_event").execute(&mut *conn).await?;
    release(conn).await
}

/// Keeps what happened since the savepoint, and closes it.
pub(crate) async fn release(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("release savepoint siyu_event").execute(conn).await.map(|_| ())
}
