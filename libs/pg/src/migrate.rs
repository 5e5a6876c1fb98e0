//! The schema's history: each migration runs once, in a transaction of its own, under a lock.
//!
//! Invariant: what has been applied never changes; a new thought is a new migration. A database that knows migrations
//! which the program does not know is newer, and that is no error: releases expand first and contract later.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use crate::{Db, Error, settings};

/// One step of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order: 1..=99 this library, 100..=199 events, 200..=299 ledger, services from 1000.
    pub version: i64,
    /// What it does, for example `create_orders`.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// What [`migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The versions that it ran, in order.
    pub versions: Vec<i64>,
    /// How many had been applied before.
    pub before: usize,
}

/// Why a schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Two migrations of the program have one version.
    #[error("the migrations \"{0}\" and \"{1}\" have the same version")]
    Twice(&'static str, &'static str),
    /// A migration differs from what was applied under its version.
    #[error(
        "migration {version} \"{name}\" differs from the one that was applied to this database"
    )]
    Changed {
        /// Its version.
        version: i64,
        /// Its name.
        name: &'static str,
    },
    /// A statement of a migration failed; the migration left no trace.
    #[error("migration {version} \"{name}\" failed: {source}")]
    Failed {
        /// Its version.
        version: i64,
        /// Its name.
        name: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The database failed before or between the migrations.
    #[error(transparent)]
    Store(#[from] Error),
}

/// The schema that every database has: roles, the functions `siyu_tenant_table` and `siyu_system_table`, idempotency.
#[must_use]
pub const fn base_migrations() -> &'static [Migration] {
    &[
        Migration {
            version: 1,
            name: "create_roles",
            sql: include_str!("migrations/0001_create_roles.sql"),
        },
        Migration {
            version: 2,
            name: "create_table_functions",
            sql: include_str!("migrations/0002_create_table_functions.sql"),
        },
        Migration {
            version: 3,
            name: "create_idempotency",
            sql: include_str!("migrations/0003_create_idempotency.sql"),
        },
    ]
}

/// Brings a database up to date, as the role that owns its tables. Callers at the same moment wait for each other.
pub async fn migrate(owner_url: &str, migrations: &[Migration]) -> Result<Applied, MigrationError> {
    let ordered = in_order(migrations)?;
    let mut conn = connect(owner_url).await?;
    let result = run(&mut conn, &ordered).await;
    // The lock is the session's: closing frees it. A failure to close is the server's to notice.
    let _ = conn.close().await;
    result
}

/// Which of the migrations have not been applied; a server refuses to start while there are any.
pub async fn pending(db: &Db, migrations: &[Migration]) -> Result<Vec<Migration>, MigrationError> {
    let mut conn = db.pool().acquire().await.map_err(Error::from)?;
    let known = applied(&mut conn).await?;
    let ordered = in_order(migrations)?;
    unapplied(&ordered, &known)
}

async fn connect(owner_url: &str) -> Result<PgConnection, Error> {
    let options: PgConnectOptions = settings::parse(owner_url)?.application_name("siyu migrate");
    // A change of a busy table must not make everybody queue behind it: it gives up, and is run again.
    let options = options.options([("lock_timeout", "10s"), ("client_min_messages", "warning")]);
    Ok(PgConnection::connect_with(&options).await?)
}

async fn run(conn: &mut PgConnection, ordered: &[Migration]) -> Result<Applied, MigrationError> {
    lock(conn).await?;
    create_history(conn).await?;
    let known = applied(conn).await?;
    let missing = unapplied(ordered, &known)?;
    for migration in &missing {
        apply(conn, migration).await.map_err(|source| MigrationError::Failed {
            version: migration.version,
            name: migration.name,
            source,
        })?;
        tracing::info!(version = migration.version, name = migration.name, "migrated");
    }
    let versions = missing.iter().map(|m| m.version).collect();
    Ok(Applied { versions, before: ordered.len() - missing.len() })
}

/// Waits for others that migrate the same database: without the limit on waiting for tables.
async fn lock(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(
        "begin; set local lock_timeout = 0; \
         select pg_advisory_lock(hashtextextended('siyu migrations', 0)); commit",
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn create_history(conn: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql(
        "create table if not exists siyu_migrations (
            version bigint not null,
            name text not null,
            checksum bytea not null,
            applied_at timestamptz not null default now(),
            constraint siyu_migrations_pkey primary key (version)
        );
        comment on table siyu_migrations is 'the steps of the schema that this database has taken'",
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn applied(conn: &mut PgConnection) -> Result<BTreeMap<i64, Vec<u8>>, Error> {
    let exists: bool = sqlx::query_scalar("select to_regclass('siyu_migrations') is not null")
        .fetch_one(&mut *conn)
        .await?;
    if !exists {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select version, checksum from siyu_migrations").fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

async fn apply(conn: &mut PgConnection, migration: &Migration) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin().await?;
    sqlx::raw_sql(migration.sql).execute(&mut *tx).await?;
    sqlx::query("insert into siyu_migrations (version, name, checksum) values ($1, $2, $3)")
        .bind(migration.version)
        .bind(migration.name)
        .bind(checksum(migration))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

fn in_order(migrations: &[Migration]) -> Result<Vec<Migration>, MigrationError> {
    let mut ordered = migrations.to_vec();
    ordered.sort_by_key(|m| m.version);
    match ordered.windows(2).find(|pair| pair[0].version == pair[1].version) {
        Some(pair) => Err(MigrationError::Twice(pair[0].name, pair[1].name)),
        None => Ok(ordered),
    }
}

fn unapplied(
    ordered: &[Migration],
    known: &BTreeMap<i64, Vec<u8>>,
) -> Result<Vec<Migration>, MigrationError> {
    let mut missing = Vec::new();
    for migration in ordered {
        match known.get(&migration.version) {
            None => missing.push(*migration),
            Some(sum) if *sum == checksum(migration) => {}
            Some(_) => {
                let Migration { version, name, .. } = *migration;
                return Err(MigrationError::Changed { version, name });
            }
        }
    }
    Ok(missing)
}

fn checksum(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}
