//! A consumer: reads one source, handles its events, and moves its cursor in the transaction of their effects.
//!
//! Invariant: a position at or below the cursor has had its effects exactly once, or is parked; one above has had none.
//! Positions have no gap, so that one number tells the whole of it.
//!
//! | what the handler says | what happens |
//! |---|---|
//! | done | the batch's effects and the cursor are committed together |
//! | anything else, for a batch | all is undone; the batch is repeated event by event, each under a savepoint |
//! | unavailable | the stream waits and repeats, without counting |
//! | retry | the stream waits and repeats; after the last attempt the event is parked |
//! | park | the event is parked, the stream goes on; later events of its subject are parked behind it |

mod apply;
mod careful;
mod parking;
mod step;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use siyu_pg::Db;
use siyu_runtime::{CancellationToken, jitter, pause};
use tokio::sync::{Mutex, watch};

use crate::{
    Source, SourceError, Subscription,
    handler::describe,
    limits, store,
    telemetry::{INSTRUMENTS, labels},
};
use step::{State, Step};

pub use parking::{Parked, ParkedFilter, Replayed};

/// The first wait after an outage; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A consumer. Clones share it; any number of processes may run one of the same name, one of them works at a time.
#[derive(Clone)]
pub struct Consumer {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    subscription: Subscription,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    /// The cursor was set by hand: what is remembered of it is wrong.
    was_set: AtomicBool,
}

/// How far a consumer is, as its process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last position that is done.
    pub position: i64,
    /// The highest position of the source's log.
    pub head: i64,
}

/// Why a consumer cannot go on at the moment.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// Our own database does not answer.
    #[error("the consumer's database failed")]
    Store(#[from] siyu_pg::Error),
    /// The source does not answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The source's log does not have what was handled: it was restored from a backup. Nothing is handled until someone
    /// decides: facts that were handled are gone there, and their positions will be, or are, taken by others.
    #[error("the log of \"{origin}\" lost events up to position {position} that were handled here")]
    Rewound {
        /// Whose log.
        origin: &'static str,
        /// The consumer's position.
        position: i64,
    },
    /// Events that were not handled are pruned from the source's log.
    #[error("the log of \"{origin}\" no longer has the events after position {position}")]
    Pruned {
        /// Whose log.
        origin: &'static str,
        /// The consumer's position.
        position: i64,
    },
}

impl From<sqlx::Error> for ConsumeError {
    fn from(err: sqlx::Error) -> Self {
        Self::Store(err.into())
    }
}

impl Progress {
    /// How many events are still to be handled.
    pub fn lag(self) -> i64 {
        (self.head - self.position).max(0)
    }
}

impl Consumer {
    /// A consumer of what `source` brings; its cursor lives in `db`, beside the effects.
    pub fn new(db: Db, subscription: Subscription, source: Box<dyn Source>) -> Self {
        let state = Mutex::new(State::new(source));
        let progress = watch::Sender::new(Progress::default());
        let was_set = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { db, subscription, state, progress, was_set }) }
    }

    /// What it takes, and who handles it.
    pub fn subscription(&self) -> &Subscription {
        &self.inner.subscription
    }

    /// The name of its task, for example `consume order events`.
    pub fn task_name(&self) -> String {
        format!("consume {} events", self.inner.subscription.source)
    }

    /// Runs until it is cancelled. Outages are waited out; an event that fails is retried, then parked.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), Infallible> {
        let inner = &*self.inner;
        let Some(mut state) = cancel.run_until_cancelled(inner.state.lock()).await else {
            return Ok(());
        };
        let mut trouble = Trouble::new(&inner.subscription);
        loop {
            let step = inner.step(&mut state, limits::CONSUMER_WAIT);
            let Some(outcome) = cancel.run_until_cancelled(step).await else { return Ok(()) };
            let wait = match outcome {
                Ok(step) => {
                    trouble.over();
                    step.wait()
                }
                Err(error) => Some(trouble.wait_after(&error)),
            };
            if let Some(wait) = wait
                && cancel.run_until_cancelled(pause(jitter(wait))).await.is_none()
            {
                return Ok(());
            }
        }
    }

    /// Handles events until the position is done, retries included; for tests and tools. The first error ends it. When
    /// [`Self::run`] is under way in this process, it waits for that one.
    pub async fn run_until(&self, position: i64) -> Result<(), ConsumeError> {
        let Ok(mut state) = self.inner.state.try_lock() else {
            return self.drained(position).await;
        };
        while self.position().await? < position {
            let step = self.inner.step(&mut state, limits::BROKER_SILENCE).await?;
            if let Some(wait) = step.wait() {
                pause(wait).await;
            }
        }
        Ok(())
    }

    /// The last position that is done, whoever did it.
    pub async fn position(&self) -> Result<i64, ConsumeError> {
        self.inner.load_cursor().await.map(|cursor| cursor.position)
    }

    /// Returns when the position is done, whoever does it.
    pub async fn drained(&self, position: i64) -> Result<(), ConsumeError> {
        let mut wait = limits::STAMP_PAUSE;
        while self.position().await? < position {
            pause(wait).await;
            wait = (wait * 2).min(limits::IDLE_PAUSE);
        }
        Ok(())
    }

    /// How far it is, as this process knows.
    pub fn progress(&self) -> Progress {
        *self.inner.progress.borrow()
    }

    /// Sets the cursor: events above come (again), events at or below never do. For an operator who knows what that
    /// means for the effects; after a log was rewound or pruned there is no other way on.
    pub async fn reset(&self, position: i64) -> Result<(), ConsumeError> {
        self.inner.reset(position).await
    }
}

impl Inner {
    async fn load_cursor(&self) -> Result<crate::Cursor, ConsumeError> {
        let Subscription { consumer, source, .. } = self.subscription;
        let mut tx = self.db.system(consumer).await?;
        Ok(store::cursors::load(&mut tx, consumer, source).await?)
    }

    async fn reset(&self, position: i64) -> Result<(), ConsumeError> {
        let Subscription { consumer, source, .. } = self.subscription;
        let mut tx = self.db.system(consumer).await?;
        store::cursors::ensure(&mut tx, consumer, source).await?;
        store::cursors::lock(&mut tx, consumer, source).await?;
        let cursor = crate::Cursor { position, last: None };
        store::cursors::save(&mut tx, consumer, source, &cursor).await?;
        tx.commit().await?;
        self.was_set.store(true, Ordering::Release);
        Ok(())
    }

    /// Sets the cursor of a consumer that never handled anything. One that another process started meanwhile stays where it is.
    async fn start_at(&self, position: i64) -> Result<(), ConsumeError> {
        let Subscription { consumer, source, .. } = self.subscription;
        let mut tx = self.db.system(consumer).await?;
        store::cursors::ensure(&mut tx, consumer, source).await?;
        if store::cursors::lock(&mut tx, consumer, source).await? == Some(0) {
            let cursor = crate::Cursor { position, last: None };
            store::cursors::save(&mut tx, consumer, source, &cursor).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Notes how far we are, for whoever asks.
    fn tell(&self, position: i64, head: i64) {
        let Subscription { consumer, source, .. } = self.subscription;
        let progress = Progress { position, head: head.max(position) };
        self.progress.send_if_modified(|known| {
            let head = progress.head.max(known.head);
            let next = Progress { head, ..progress };
            let changed = *known != next;
            *known = next;
            changed
        });
        INSTRUMENTS.lag.record(self.progress.borrow().lag(), &labels(consumer, source));
    }
}

/// Waits after errors that double, and one line in the log for each new trouble rather than for each attempt.
struct Trouble {
    consumer: &'static str,
    source: &'static str,
    told: Option<String>,
    wait: Duration,
}

impl Trouble {
    fn new(subscription: &Subscription) -> Self {
        let Subscription { consumer, source, .. } = *subscription;
        Self { consumer, source, told: None, wait: FIRST_PAUSE }
    }

    fn over(&mut self) {
        if self.told.take().is_some() {
            tracing::info!(consumer = self.consumer, source = self.source, "consuming again");
        }
        self.wait = FIRST_PAUSE;
    }

    fn wait_after(&mut self, error: &ConsumeError) -> Duration {
        let text = describe(error);
        if self.told.as_ref() != Some(&text) {
            let (consumer, source) = (self.consumer, self.source);
            match error {
                ConsumeError::Source(source) if source.is_draining() => {
                    tracing::info!(
                        consumer,
                        source = self.source,
                        "the source stops; waiting for it"
                    );
                }
                ConsumeError::Store(_) | ConsumeError::Source(_) => {
                    tracing::warn!(consumer, source, error = text, "consuming stopped");
                }
                ConsumeError::Rewound { .. } | ConsumeError::Pruned { .. } => {
                    tracing::error!(consumer, source, error = text, "consuming stopped");
                }
            }
            self.told = Some(text);
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(limits::OUTAGE_PAUSE);
        wait
    }
}

impl Step {
    /// How long to wait before the next.
    fn wait(self) -> Option<Duration> {
        match self {
            Self::Moved | Self::Idle => None,
            Self::Standby(time) | Self::Wait(time) => Some(time),
        }
    }
}
