//! The log of one service, from the side of its producer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use siyu_pg::Db;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    Event, LogService, Run, Sequencer, leader, limits,
    store::{self, log::Row},
    telemetry::INSTRUMENTS,
};

/// How often a reader that waits looks for itself, should no sequencer run in this process.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// The log of one service. Clones share it; a process makes one per service.
#[derive(Debug, Clone)]
pub struct Log {
    pub(crate) db: Db,
    source: Arc<str>,
    head: watch::Sender<i64>,
    /// After which position each reader asked, and when that was written down.
    readers: Arc<Mutex<Readers>>,
}

type Readers = HashMap<Arc<str>, (i64, Instant)>;

impl Log {
    /// The log in the database of the service `source`.
    pub fn new(db: Db, source: &str) -> Self {
        Self { db, source: source.into(), head: watch::Sender::new(0), readers: Arc::default() }
    }

    /// The service that tells these facts.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The task that gives positions. Every process of the service runs it.
    pub fn sequencer(&self) -> Sequencer {
        Sequencer::new(self.clone())
    }

    /// The gRPC service that hands the log to other services.
    pub fn service(&self) -> LogService {
        LogService::new(self.clone())
    }

    /// The highest position given so far.
    pub async fn head(&self) -> Result<i64, siyu_pg::Error> {
        let mut tx = self.db.system("event log").await?;
        let head = store::log::head(&mut tx).await?;
        self.announce(head);
        Ok(head)
    }

    /// The events after a position, without waiting.
    pub async fn read(&self, after: i64, max_events: u32) -> Result<Run, siyu_pg::Error> {
        let max_events = max_events.clamp(1, limits::MAX_READ_EVENTS);
        let mut tx = self.db.system("event log").await?;
        let bytes = limits::MAX_READ_BYTES;
        let mut rows = store::log::read(&mut tx, after, max_events, bytes).await?;
        let head = if let Some(row) = rows.last() {
            row.head
        } else {
            // Two statements see two states: rows stamped between them must not look like pruned ones.
            let known = store::log::head(&mut tx).await?;
            if known > after {
                rows = store::log::read(&mut tx, after, max_events, bytes).await?;
            }
            rows.last().map_or(known, |row| row.head)
        };
        drop(tx);
        self.announce(head);
        let events = rows.into_iter().map(|row| event(row, &self.source)).collect();
        Ok(Run { events, head })
    }

    /// The events after a position; waits up to `wait` for a first one.
    pub async fn read_or_wait(
        &self,
        after: i64,
        max_events: u32,
        wait: Duration,
    ) -> Result<Run, siyu_pg::Error> {
        let deadline = Instant::now() + wait.min(limits::MAX_READ_WAIT);
        let mut heads = self.head.subscribe();
        loop {
            heads.mark_unchanged();
            let run = self.read(after, max_events).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            // A head above without an event: they were pruned. The reader must learn that now.
            if !run.events.is_empty() || run.head > after || left.is_zero() {
                return Ok(run);
            }
            let _ = timeout(left.min(LOOK_PAUSE), heads.changed()).await;
        }
    }

    /// Notes after which position a service asks, now and then: it has handled what is far enough below.
    pub(crate) async fn note_reader(
        &self,
        reader: &Arc<str>,
        after: i64,
    ) -> Result<(), siyu_pg::Error> {
        let now = Instant::now();
        {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            let noted = readers.get(reader);
            // A cursor that was set back must be known at once.
            let is_fresh = noted.is_some_and(|&(known, at)| {
                let moved = after - known;
                moved == 0
                    || (0..limits::NOTE_POSITIONS).contains(&moved) && now - at < limits::NOTE_PAUSE
            });
            if is_fresh {
                return Ok(());
            }
            readers.insert(Arc::clone(reader), (after, now));
        }
        let mut tx = self.db.system("event log").await?;
        store::log::note_reader(&mut tx, reader, after).await?;
        tx.commit().await
    }

    /// Deletes the oldest events that every one of `readers` has handled for good, up to the first that became true at
    /// `before` or later; returns how many went. A reader that never asked holds everything.
    pub async fn prune_read(
        &self,
        before: DateTime<Utc>,
        readers: &[&str],
    ) -> Result<u64, siyu_pg::Error> {
        if readers.is_empty() {
            return self.prune(before).await;
        }
        let mut tx = self.db.system("prune event log").await?;
        let slowest = store::log::slowest_reader(&mut tx, readers).await?;
        drop(tx);
        self.prune_below(before, slowest.saturating_sub(limits::READ_AHEAD)).await
    }

    /// Deletes the oldest events, up to the first that became true at `before` or later; returns how many went.
    ///
    /// What is gone cannot be read again: a consumer that is further behind stops with an error. So keep what the slowest
    /// consumer may need, and what a new one is to start from: days at least, months if there is room.
    pub async fn prune(&self, before: DateTime<Utc>) -> Result<u64, siyu_pg::Error> {
        self.prune_below(before, i64::MAX).await
    }

    async fn prune_below(&self, before: DateTime<Utc>, below: i64) -> Result<u64, siyu_pg::Error> {
        let mut pruned = 0;
        loop {
            let mut tx = self.db.system("prune event log").await?;
            let rows = store::log::prune(&mut tx, before, below, limits::PRUNE_ROWS).await?;
            tx.commit().await?;
            pruned += rows;
            if rows < limits::PRUNE_ROWS.unsigned_abs() {
                return Ok(pruned);
            }
        }
    }

    /// Returns when every event that is committed now has its position; stamps them itself if no sequencer runs. For
    /// tests and tools: a service runs the [`Sequencer`].
    pub async fn stamp_all(&self) -> Result<i64, siyu_pg::Error> {
        let mut conn = leader::open(&self.db, "stamp").await?;
        loop {
            if store::try_lead(&mut conn, leader::SEQUENCER).await? {
                while store::log::stamp(&mut conn, limits::STAMP_ROWS).await?.is_some() {}
            } else if store::log::has_unstamped(&mut conn).await? {
                siyu_runtime::pause(limits::STAMP_PAUSE).await;
                continue;
            }
            let head = store::log::head(&mut conn).await?;
            self.announce(head);
            return Ok(head);
        }
    }

    /// Wakes the readers that wait, if the head is higher than this process knew.
    pub(crate) fn announce(&self, head: i64) {
        self.head.send_if_modified(|known| {
            let grown = head > *known;
            *known = head.max(*known);
            grown
        });
    }

    /// Sets the head, as the sequencer knows it: lower than before when the log was restored from a backup.
    pub(crate) fn set_head(&self, head: i64) {
        let changed = self.head.send_if_modified(|known| std::mem::replace(known, head) != head);
        if changed {
            let source = opentelemetry::KeyValue::new("source", self.source.to_string());
            INSTRUMENTS.head.record(head, &[source]);
        }
    }

    /// Follows the head as this process knows it.
    pub(crate) fn heads(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }
}

/// The event that a row tells.
pub(crate) fn event(row: Row, source: &Arc<str>) -> Event {
    Event {
        id: row.event_id,
        source: Arc::clone(source),
        type_name: row.type_name.into(),
        subject: row.subject.into(),
        merchant: row.merchant_id,
        occurred_at: row.occurred_at,
        position: row.position,
        trace_parent: row.trace_parent.into(),
        data: row.data.into(),
    }
}
