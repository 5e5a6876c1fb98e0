//! The two kinds of transaction: of one tenant, and of a named job across tenants.
//!
//! A transaction that is dropped without a commit is rolled back. What it set (tenant, role) is set for the transaction
//! only, so a connection goes back to the pool without a tenant, whatever happened.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use siyu_kernel::{Id, kind::Merchant};
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, SqlSafeStr, pool::PoolConnection,
    postgres::PgTransactionManager,
};
use sqlx_core::transaction::TransactionManager;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::Error;

/// A transaction of one tenant: row-level security shows it nothing else.
///
/// Dereferences to the connection: `sqlx::query("…").execute(&mut **tx)`.
#[derive(Debug)]
pub struct Tx {
    open: Open,
    merchant: Id<Merchant>,
}

/// A transaction across tenants, for a named job. It can act as one tenant for a while.
#[derive(Debug)]
pub struct SystemTx {
    /// What it lends while it acts as a tenant; until then its merchant is the nil id, whom nothing belongs to.
    tx: Tx,
    tenant: Option<Id<Merchant>>,
}

impl Tx {
    pub(crate) const fn new(open: Open, merchant: Id<Merchant>) -> Self {
        Self { open, merchant }
    }

    /// Whose transaction it is.
    #[must_use]
    pub const fn merchant(&self) -> Id<Merchant> {
        self.merchant
    }

    /// Asks for a signal after the commit: [`Db::committed`](crate::Db::committed) wakes. A hint that there is something to
    /// do now, for tasks of the same process; it is lost when the process ends.
    pub fn signal_on_commit(&mut self) {
        self.open.signal = true;
    }

    /// Lets what follows be planned for its values, for a statement that writes what a search finds.
    pub async fn plan_by_value(&mut self) -> Result<(), Error> {
        sqlx::raw_sql(PLAN_EACH).execute(&mut *self.open).await?;
        Ok(())
    }

    /// Makes the changes visible and durable. An error leaves open whether they are; repeat with the same request id.
    ///
    /// A statement that failed has ended the transaction already: return its error. A commit after it has no effect, which
    /// PostgreSQL does not report.
    pub async fn commit(self) -> Result<(), Error> {
        self.open.commit().await
    }
}

impl SystemTx {
    pub(crate) const fn new(open: Open) -> Self {
        Self { tx: Tx::new(open, Id::from_uuid(Uuid::nil())), tenant: None }
    }

    /// The tenant that it acts as at the moment.
    #[must_use]
    pub const fn tenant(&self) -> Option<Id<Merchant>> {
        self.tenant
    }

    /// Acts as one tenant from here on: row-level security shows nothing else until [`Self::become_job`]. Lends the
    /// transaction of that tenant, for code that works in one.
    pub async fn become_tenant(&mut self, merchant: Id<Merchant>) -> Result<&mut Tx, Error> {
        if self.tenant != Some(merchant) {
            // Not known while the statement is under way: if it is cancelled, the next call must not believe either.
            self.tenant = None;
            let role = "set local role siyu_app";
            self.switch(format!("{role}; {}; {PLAN_ONCE}", set_tenant(merchant))).await?;
            self.tenant = Some(merchant);
            self.tx.merchant = merchant;
        }
        Ok(&mut self.tx)
    }

    /// Acts across tenants again.
    pub async fn become_job(&mut self) -> Result<(), Error> {
        self.tenant = None;
        self.tx.merchant = Id::from_uuid(Uuid::nil());
        let role = "set local role siyu_job; set local siyu.merchant_id = ''";
        self.switch(format!("{role}; {PLAN_EACH}")).await
    }

    /// Makes the changes visible and durable.
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await
    }

    async fn switch(&mut self, sql: String) -> Result<(), Error> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.tx.open).await?;
        Ok(())
    }
}

/// The statement that opens a transaction of one tenant that writes, in one round trip.
pub(crate) fn begin_writing(merchant: Id<Merchant>) -> String {
    format!("begin; {}", set_tenant(merchant))
}

/// The statement that opens a transaction of one tenant that reads, in one round trip.
pub(crate) fn begin_reading(merchant: Id<Merchant>) -> String {
    format!("{}; {PLAN_EACH}", begin_looking_up(merchant))
}

/// The statement that opens a transaction of one tenant that reads by keys, in one round trip.
pub(crate) fn begin_looking_up(merchant: Id<Merchant>) -> String {
    format!("begin read only; {}", set_tenant(merchant))
}

/// How a connection plans where nothing else is said. What writes, and what looks up, is planned once for a connection and not
/// for each batch: it goes key by key, whatever the keys are. Planning would be a fifth to a third of the cost of a write, and
/// most of that of a look-up.
///
/// A plan that is made once must be right for as long as it is kept: made while a table is almost empty, it would read the
/// whole table, and go on doing so while the table grows.
pub(crate) const PLANS: [(&str, &str); 2] =
    [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];

/// What searches is planned for the values that it is asked with.
const PLAN_EACH: &str = "set local plan_cache_mode = auto; set local enable_seqscan = on";

/// As a connection plans by itself.
const PLAN_ONCE: &str =
    "set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off";

/// The statement that opens a transaction of a job; its name shows in `pg_stat_activity`.
pub(crate) fn begin_job(job: &str) -> String {
    let name = job.replace('\'', "''");
    let job = format!("set local role siyu_job; set local application_name = 'siyu job {name}'");
    format!("begin; {job}; {PLAN_EACH}")
}

fn set_tenant(merchant: Id<Merchant>) -> String {
    format!("set local siyu.merchant_id = '{}'", merchant.uuid())
}

/// A pooled connection with an open transaction.
pub(crate) struct Open {
    conn: PoolConnection<Postgres>,
    ended: bool,
    /// Whether, and what, to wake after the commit.
    signal: bool,
    committed: Arc<Notify>,
}

impl Open {
    /// Opens a transaction on a connection.
    pub(crate) async fn begin(
        conn: PoolConnection<Postgres>,
        committed: &Arc<Notify>,
        sql: String,
    ) -> Result<Self, sqlx::Error> {
        let mut opening = Opening(Some(conn));
        let conn = opening.0.as_mut().expect("it is taken out only below");
        PgTransactionManager::begin(conn, Some(AssertSqlSafe(sql).into_sql_str())).await?;
        let conn = opening.0.take().expect("it was put in above");
        Ok(Self { conn, ended: false, signal: false, committed: Arc::clone(committed) })
    }

    async fn commit(mut self) -> Result<(), Error> {
        PgTransactionManager::commit(&mut self.conn).await?;
        self.ended = true;
        if self.signal {
            self.committed.notify_one();
        }
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            // Queued: the pool sends it before it hands the connection to the next one.
            PgTransactionManager::start_rollback(&mut self.conn);
        }
    }
}

impl Deref for Open {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.conn
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.conn
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Open")
    }
}

/// A connection whose BEGIN is under way. Dropped at that point (a failure, a caller that went away), the connection is
/// closed: sqlx does not know yet that the server may have opened a transaction, and would pool it with tenant and role.
struct Opening(Option<PoolConnection<Postgres>>);

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(conn) = &mut self.0 {
            conn.close_on_drop();
        }
    }
}

impl Deref for Tx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.open
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.open
    }
}

impl Deref for SystemTx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.tx.open
    }
}

impl DerefMut for SystemTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx.open
    }
}
