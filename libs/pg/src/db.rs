//! One database of one service: a pool, and the ways to open a transaction on it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use siyu_kernel::{Id, kind::Merchant};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::sync::Notify;

use crate::{
    Error, Lock, Settings, SystemTx, Tx,
    error::is_gone,
    tx::{Open, begin_job, begin_looking_up, begin_reading, begin_writing},
};

/// The first wait for a database that cannot be reached; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// A pool of connections to one database. Clones share it.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    patience: Duration,
    committed: Arc<Notify>,
}

impl Db {
    /// Connects, and fails when the first connection does.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(settings.acquire_timeout)
            .max_lifetime(settings.max_lifetime)
            .idle_timeout(settings.idle_timeout)
            // A ping for each use costs a round trip; `begin` notices a dead connection and takes another one.
            .test_before_acquire(false)
            .connect_with(settings.connect_options()?)
            .await?;
        let committed = Arc::new(Notify::new());
        Ok(Self { pool, patience: settings.acquire_timeout, committed })
    }

    /// The pool, for statements that need no transaction and see no tenant's rows.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Lets transactions under way finish, then closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether the database answers, for a readiness probe.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::raw_sql("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Wakes one waiter after each commit of a transaction that asked for it with [`Tx::signal_on_commit`].
    #[must_use]
    pub fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.committed)
    }

    /// Opens a transaction of one tenant, in one round trip.
    pub async fn tenant(&self, merchant: Id<Merchant>) -> Result<Tx, Error> {
        let open = self.begin(&begin_writing(merchant)).await?;
        Ok(Tx::new(open, merchant))
    }

    /// The same, and shares a lock, in the same round trip.
    pub async fn tenant_sharing(&self, merchant: Id<Merchant>, lock: Lock) -> Result<Tx, Error> {
        let share = lock.begin(merchant.uuid());
        let open = self.begin(&format!("{}; {share}", begin_writing(merchant))).await?;
        Ok(Tx::new(open, merchant))
    }

    /// Opens a transaction of one tenant that may only read.
    pub async fn tenant_read(&self, merchant: Id<Merchant>) -> Result<Tx, Error> {
        let open = self.begin(&begin_reading(merchant)).await?;
        Ok(Tx::new(open, merchant))
    }

    /// Opens a transaction of one tenant that may only read, and reads rows by their keys alone: its statements are planned
    /// once for a connection, which is most of what such a look costs. For lists and searches, whose best plan depends on
    /// the values, there is [`Self::tenant_read`].
    pub async fn tenant_lookup(&self, merchant: Id<Merchant>) -> Result<Tx, Error> {
        let open = self.begin(&begin_looking_up(merchant)).await?;
        Ok(Tx::new(open, merchant))
    }

    /// Opens a transaction across tenants, for a named job.
    pub async fn system(&self, job: &'static str) -> Result<SystemTx, Error> {
        self.begin(&begin_job(job)).await.map(SystemTx::new)
    }

    /// Opens a transaction. Nothing has happened before it, so dead connections or a database that starts again cost the
    /// caller time, within the patience of the settings, and no error.
    async fn begin(&self, sql: &str) -> Result<Open, Error> {
        let start = Instant::now();
        let mut wait = FIRST_PAUSE;
        // After a restart of the database every idle connection is dead; each attempt removes one from the pool.
        let mut dead_left = self.pool.options().get_max_connections();
        loop {
            let err = match self.pool.acquire().await {
                Ok(conn) => match Open::begin(conn, &self.committed, sql.to_owned()).await {
                    Err(err) if is_gone(&err) && dead_left > 0 => {
                        dead_left -= 1;
                        tracing::debug!(error = %err, "a connection to the database is dead");
                        continue;
                    }
                    result => return result.map_err(Error::from),
                },
                Err(err) => err,
            };
            let hopeless = matches!(err, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed);
            if hopeless || !is_gone(&err) || start.elapsed() + wait >= self.patience {
                return Err(err.into());
            }
            pause(wait).await;
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a wait of at most 200 ms, bounded by the patience")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
