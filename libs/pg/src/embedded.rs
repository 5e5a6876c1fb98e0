//! A private PostgreSQL server: found, initialised, started, watched and stopped by this process (Linux).
//!
//! Invariants: one process owns a data directory (a file lock); the server listens on a socket that only its user and
//! root can reach; it never runs as root; it ends with this process, however that ends; a crash while the directory is
//! being made leaves nothing behind that a later start would take for a database.

mod account;
mod cluster;
mod error;
mod orphan;
mod postmaster;
mod program;
mod supervisor;

use std::{path::PathBuf, sync::Arc};

use sqlx::{Connection, PgConnection};
use tokio::sync::watch;

use self::{cluster::Cluster, supervisor::Supervisor};
pub use self::{error::ServerError, postmaster::Exit};
use crate::{Error, settings};

/// The superuser of a private server: it owns the tables and runs migrations.
pub const OWNER: &str = "siyu";
/// The role that services log in as.
pub const APP: &str = "siyu_app";

/// Whether commits survive a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Each commit is on the disk before it is acknowledged.
    Durable,
    /// For tests: nothing is ever flushed; a crash of the machine may ruin the database.
    Volatile,
}

/// Where and how to run a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// A directory of its own; created if missing. Another account may run the server, so its parents must be passable.
    pub data_dir: PathBuf,
    /// Whether commits survive a crash.
    pub durability: Durability,
    /// Where `postgres` and `initdb` are; `None` looks in Debian's places, then along the path.
    pub bin_dir: Option<PathBuf>,
    /// A directory of pristine database directories, shared by many processes: copying one is ten times faster than
    /// making it. For tests.
    pub pristine_cache: Option<PathBuf>,
}

impl Options {
    /// A server in `data_dir` with programs found by themselves.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, durability: Durability) -> Self {
        Self { data_dir: data_dir.into(), durability, bin_dir: None, pristine_cache: None }
    }
}

/// A running server. Dropped, it is stopped in the background; [`Server::stop`] waits for it.
#[derive(Debug)]
pub struct Server {
    cluster: Arc<Cluster>,
    supervisor: Supervisor,
}

impl Server {
    /// Finds the programs, makes the database directory if there is none, ends what a crash of an earlier owner left
    /// running, and starts.
    pub async fn start(options: Options) -> Result<Self, ServerError> {
        let (supervisor, cluster) = Supervisor::start(options).await?;
        Ok(Self { cluster, supervisor })
    }

    /// The URL under which a role reaches a database.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        let host: String = self.cluster.run_dir().to_string_lossy().bytes().map(percent).collect();
        format!("postgres:///{database}?host={host}&user={role}")
    }

    /// Creates a database unless it exists.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        assert!(
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b)),
            "the names of databases are lower-case words"
        );
        let mut conn = self.connect("postgres").await?;
        let exists: bool =
            sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
                .bind(name)
                .fetch_one(&mut conn)
                .await?;
        if !exists {
            let sql = sqlx::AssertSqlSafe(format!("create database \"{name}\""));
            let created = sqlx::raw_sql(sql).execute(&mut conn).await;
            // duplicate_database: another task created it since.
            let code = |err: &sqlx::Error| Some(err.as_database_error()?.code()?.into_owned());
            match created {
                Err(err) if code(&err).is_none_or(|c| c != "42P04" && c != "23505") => {
                    return Err(err.into());
                }
                Ok(_) | Err(_) => {}
            }
        }
        let _ = conn.close().await;
        Ok(())
    }

    /// Becomes `Some` when the server ends without having been asked to, and `None` again by [`Server::restart`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Exit>> {
        self.supervisor.watch()
    }

    /// Starts again on the same directory; stops first if it runs. Data that was committed is there again.
    pub async fn restart(&self) -> Result<(), ServerError> {
        self.supervisor.restart().await
    }

    /// Stops: open transactions are rolled back, everything is flushed.
    pub async fn stop(self) -> Result<(), ServerError> {
        self.supervisor.stop().await
    }

    /// The process id of the server's main process.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.supervisor.pid()
    }

    /// Where it writes its log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.cluster.log_file()
    }

    async fn connect(&self, database: &str) -> Result<PgConnection, Error> {
        let options = settings::parse(&self.url(OWNER, database))?;
        Ok(PgConnection::connect_with(&options).await?)
    }
}

/// A byte of a path within the query of a URL.
fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}
