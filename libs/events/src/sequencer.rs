//! Gives every committed event its place in the log.
//!
//! Rows become visible in the order of their commits, not of their serial numbers: a reader that follows the number skips a
//! row whose transaction commits late. So one task of the cluster stamps a `position` on rows that are visible, in the order
//! of their numbers. Invariants: positions start at 1 and have no gap; a position never changes; the events of one aggregate
//! have positions in the order of its changes, because each writer drew its number while it held the aggregate's row lock.
//!
//! The commit of a stamp must be durable before anybody sees it (so never `synchronous_commit = off` here): after a crash
//! that lost it, a row that was just committing would take a position that consumers have seen on another event.

use std::{convert::Infallible, time::Duration};

use futures::FutureExt as _;
use siyu_runtime::{CancellationToken, jitter, pause};
use sqlx::PgConnection;
use tokio::time::{Instant, timeout};

use crate::{Log, handler::describe, leader, limits, store, telemetry::INSTRUMENTS};

/// How long one stamp may take before its connection is given up as dead.
const STAMP_TIMEOUT: Duration = Duration::from_secs(10);

/// The first wait after an error; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The task. Every process of a service runs it; one of them at a time leads and stamps, the others follow the head so that
/// their own readers wake.
#[derive(Debug, Clone)]
pub struct Sequencer {
    log: Log,
    idle: Duration,
}

impl Sequencer {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, idle: limits::IDLE_PAUSE }
    }

    /// Looks for events of other processes this often when nothing happens. The events of this process wake it anyway, so a
    /// process that is alone with its database can look seldom.
    #[must_use]
    pub fn idle_pause(mut self, idle: Duration) -> Self {
        self.idle = idle.max(limits::STAMP_PAUSE);
        self
    }

    /// Runs until it is cancelled. An outage of the database is waited out.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Infallible> {
        let mut wait = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let Some(Err(error)) = cancel.run_until_cancelled(self.session()).await else {
                return Ok(());
            };
            if started.elapsed() > limits::OUTAGE_PAUSE {
                wait = FIRST_PAUSE;
            }
            let error = describe(&error);
            tracing::warn!(error, source = self.log.source(), "sequencer lost its connection");
            if cancel.run_until_cancelled(pause(jitter(wait))).await.is_none() {
                return Ok(());
            }
            wait = (wait * 2).min(limits::OUTAGE_PAUSE);
        }
    }

    /// One connection: follows until it may lead, then leads.
    async fn session(&self) -> Result<Infallible, siyu_pg::Error> {
        let mut conn = leader::open(&self.log.db, "sequencer").await?;
        while !store::try_lead(&mut conn, leader::SEQUENCER).await? {
            self.follow(&mut conn).await?;
        }
        tracing::info!(source = self.log.source(), "sequencer leads");
        self.lead(&mut conn).await
    }

    /// Watches the head for a while.
    async fn follow(&self, conn: &mut PgConnection) -> Result<(), siyu_pg::Error> {
        let until = Instant::now() + limits::LEAD_PAUSE;
        let mut wait = limits::STAMP_PAUSE;
        while Instant::now() < until {
            let before = *self.log.heads().borrow();
            let head = store::log::head(conn).await?;
            self.log.set_head(head);
            wait = if head > before { limits::STAMP_PAUSE } else { (wait * 2).min(self.idle) };
            pause(wait).await;
        }
        Ok(())
    }

    async fn lead(&self, conn: &mut PgConnection) -> Result<Infallible, siyu_pg::Error> {
        let committed = self.log.db.committed();
        let source = [opentelemetry::KeyValue::new("source", self.log.source().to_owned())];
        let mut head = store::log::head(conn).await?;
        self.log.set_head(head);
        let mut wait = limits::STAMP_PAUSE;
        loop {
            // What committed until here, the stamp sees.
            committed.notified().now_or_never();
            let stamp = timeout(STAMP_TIMEOUT, stamp(conn)).await;
            let Some(new_head) = stamp.map_err(timed_out)?? else {
                let woken = timeout(wait, committed.notified()).await.is_ok();
                wait = if woken { limits::STAMP_PAUSE } else { (wait * 2).min(self.idle) };
                continue;
            };
            let rows = new_head - head;
            head = new_head;
            self.log.set_head(head);
            INSTRUMENTS.stamped.record(rows.unsigned_abs(), &source);
            wait = limits::STAMP_PAUSE;
            if rows < limits::STAMP_ROWS {
                pause(limits::STAMP_PAUSE).await;
            }
        }
    }
}

/// Stamps what there is. Mostly there is nothing, which is cheaper to ask than to plan a stamp.
async fn stamp(conn: &mut PgConnection) -> sqlx::Result<Option<i64>> {
    if !store::log::has_unstamped(conn).await? {
        return Ok(None);
    }
    store::log::stamp(conn, limits::STAMP_ROWS).await
}

fn timed_out(_: tokio::time::error::Elapsed) -> siyu_pg::Error {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the stamp was not answered");
    siyu_pg::Error::Unavailable(sqlx::Error::Io(error))
}
