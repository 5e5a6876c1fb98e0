//! The SQL of looks behind the scenes and nothing else: what has no RPC because nobody outside may see it.

use chrono::{DateTime, Utc};
use siyu::host::services::Service;
use siyu_kernel::{Id, kind};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::place::Databases;

const TOLD: i64 = 30;

/// How far one service follows another.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Cursor {
    pub(super) consumer: String,
    pub(super) source: String,
    pub(super) position: i64,
}

/// Connects as the owner.
pub(super) async fn connect(
    databases: &Databases,
    service: Service,
) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(databases.url(service)).await
}

/// The last position of a service's log, and whether events wait for theirs.
pub(super) async fn head(conn: &mut PgConnection) -> Result<(i64, bool), sqlx::Error> {
    sqlx::query_as(
        "select position, exists (select from event_log where position is null) from event_heads",
    )
    .fetch_one(conn)
    .await
}

/// How far a service follows the others.
pub(super) async fn cursors(conn: &mut PgConnection) -> Result<Vec<Cursor>, sqlx::Error> {
    sqlx::query_as("select consumer, source, position from event_cursors").fetch_all(conn).await
}

/// Sets a service back to the first fact of all that it follows; gives the most that it had followed of one.
pub(super) async fn rewind(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "with furthest as (select coalesce(max(position), 0) as position from event_cursors),
            rewound as (update event_cursors set position = 0, event_id = null, occurred_at = null)
        select position from furthest",
    )
    .fetch_one(conn)
    .await
}

/// What a service could not handle, in words.
pub(super) async fn parked(conn: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select format('%s could not handle %s of %s: %s', consumer, type, source, error) from event_parked",
    )
    .fetch_all(conn)
    .await
}

/// Damages the aggregates of a merchant, as a bug or a bad disk would. Who has them in memory reads them anew.
pub(super) async fn damage(
    databases: &Databases,
    merchant: Id<kind::Merchant>,
) -> Result<u64, sqlx::Error> {
    let mut conn = connect(databases, Service::Metrics).await?;
    let damaged = sqlx::query(
        "with bumped as (
            update merchants set folded_version = folded_version + 1 where merchant_id = $1 returning folded_version
        )
        update day_cells set cell = '\\x00', version = folded_version from bumped where merchant_id = $1",
    )
    .bind(merchant)
    .execute(&mut conn)
    .await?;
    Ok(damaged.rows_affected())
}

/// The last facts of a merchant in every log, in words; of a database that does not answer, why.
pub(super) async fn told(databases: &Databases, merchant_id: &str) -> Vec<String> {
    let Ok(merchant) = merchant_id.parse::<Id<kind::Merchant>>() else { return Vec::new() };
    let mut lines = Vec::new();
    for service in Service::INNER {
        let name = service.name();
        match told_by(databases, service, merchant).await {
            Ok(rows) => lines.extend(rows.into_iter().rev().map(|(place, what, of, at)| {
                format!("{name:<13} {:>6} {at} {what} {of}", place.unwrap_or_default())
            })),
            Err(error) => lines.push(format!("{name:<13} {error}")),
        }
    }
    lines
}

type Told = (Option<i64>, String, String, DateTime<Utc>);

async fn told_by(
    databases: &Databases,
    service: Service,
    merchant: Id<kind::Merchant>,
) -> Result<Vec<Told>, sqlx::Error> {
    let mut conn = connect(databases, service).await?;
    sqlx::query_as(
        "select position, type, subject, occurred_at from event_log where merchant_id = $1
        order by event_seq desc limit $2",
    )
    .bind(merchant)
    .bind(TOLD)
    .fetch_all(&mut conn)
    .await
}

/// Takes a table for oneself until the transaction ends: whoever needs it waits.
///
/// # Panics
/// When the database does not answer, or there is no such table.
pub async fn lock_table(conn: &mut PgConnection, table: &str) {
    let sql = AssertSqlSafe(format!("lock table {table} in access exclusive mode"));
    sqlx::raw_sql(sql).execute(conn).await.expect("the owner can lock it");
}

/// Every row of every table of every service that holds a text, in clear or as bytes, each after the names of service and
/// table.
///
/// # Panics
/// When a database does not answer.
pub async fn rows_with(databases: &Databases, text: &str) -> Vec<String> {
    let hex = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let mut found = Vec::new();
    for service in Service::ALL {
        let mut conn = connect(databases, service).await.expect("the database answers its owner");
        for (table, row) in dump(&mut conn).await.expect("its tables can be read") {
            if row.contains(text) || row.contains(&hex) {
                found.push(format!("{}.{table}: {row}", service.name()));
            }
        }
    }
    found
}

/// Every row of every table, as a text. The job role sees the rows of all tenants.
async fn dump(conn: &mut PgConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' order by tablename",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut rows = Vec::new();
    for table in tables {
        let all = format!("select t::text from {table} as t");
        let texts: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(all)).fetch_all(&mut *conn).await?;
        rows.extend(texts.into_iter().map(|text| (table.clone(), text)));
    }
    Ok(rows)
}
