//! A database per test, cloned from a migrated template.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sha2::{Digest, Sha256};
use siyu_pg::{
    Db, Migration, Settings,
    embedded::{APP, OWNER, Server},
    migrate,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::postgres;

/// The templates that this process has made; held while one is made or cloned, for clones of one template wait for each
/// other anyway.
static TEMPLATES: tokio::sync::Mutex<Option<HashSet<String>>> = tokio::sync::Mutex::const_new(None);
/// Databases of tests that have ended.
static FINISHED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A test's own database.
#[derive(Debug)]
pub struct Database {
    server: &'static Server,
    name: String,
    db: Db,
}

impl Database {
    /// An empty database with the schema of `migrations`: those of the libraries and of the service, in any order.
    pub async fn fresh(migrations: &'static [&'static [Migration]]) -> Self {
        let server = postgres().await;
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        clone_template(server, migrations, &name).await;
        let mut settings = Settings::new(server.url(APP, &name));
        settings.application_name.clone_from(&name);
        // Many tests at a time share one server's 200 connections.
        settings.max_connections = 8;
        // Whoever races for them waits as long as a busy machine takes.
        settings.acquire_timeout = Duration::from_secs(30);
        let db = Db::connect(&settings).await.expect("a fresh database accepts connections");
        Self { server, name, db }
    }

    /// The database as services see it.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// Its URL for the role that owns the tables and sees everything.
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.server.url(OWNER, &self.name)
    }

    /// Its URL for the role of services.
    #[must_use]
    pub fn app_url(&self) -> String {
        self.server.url(APP, &self.name)
    }

    /// A connection that sees everything, to look behind the scenes.
    pub async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url()).await.expect("the owner can connect")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut finished = FINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        finished.push(std::mem::take(&mut self.name));
    }
}

async fn clone_template(server: &Server, migrations: &[&[Migration]], name: &str) {
    let all: Vec<Migration> = migrations.concat();
    let template = template_name(&all);
    let mut made = TEMPLATES.lock().await;
    let made = made.get_or_insert_default();
    if !made.contains(&template) {
        server.ensure_database(&template).await.expect("a template can be created");
        let applied = migrate(&server.url(OWNER, &template), &all).await;
        applied.unwrap_or_else(|err| panic!("the schema of the test: {err}"));
        made.insert(template.clone());
    }
    let mut conn =
        PgConnection::connect(&server.url(OWNER, "postgres")).await.expect("the owner can connect");
    let finished = std::mem::take(&mut *FINISHED.lock().unwrap_or_else(PoisonError::into_inner));
    for old in finished {
        run(&mut conn, format!("drop database if exists {old} with (force)")).await;
    }
    run(&mut conn, format!("create database {name} template {template}")).await;
    let _ = conn.close().await;
}

async fn run(conn: &mut PgConnection, sql: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(conn).await;
    done.unwrap_or_else(|err| panic!("{sql}: {err}"));
}

fn template_name(migrations: &[Migration]) -> String {
    let mut hash = Sha256::new();
    for migration in migrations {
        hash.update(migration.version.to_be_bytes());
        hash.update(migration.sql.as_bytes());
    }
    let digest = hash.finalize();
    let head: [u8; 8] = *digest.first_chunk().expect("a digest has 32 bytes");
    format!("template_{:016x}", u64::from_be_bytes(head))
}
