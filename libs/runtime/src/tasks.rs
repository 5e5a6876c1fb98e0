//! Background work with a name, a way to stop and a rule for errors. Nothing runs in the background that is not here.
//!
//! Invariant: a panic is an error of its task and of nothing else; after `shutdown` no task runs.

use std::{
    any::Any,
    borrow::Cow,
    collections::BTreeMap,
    error::Error,
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio::{sync::watch, task::AbortHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::clock::{jitter, pause};

/// Anything that ends a task with an error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What happens when a task ends with an error or a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It is started again after a wait that doubles.
    Restart(Backoff),
    /// The process has no sense without it: [`Tasks::failure`] wakes and the process stops.
    Shutdown,
    /// It is logged, and the task stays ended.
    Log,
}

/// How long to wait before another start: `first`, doubled each time up to `max`, with jitter. A task that ran longer than
/// `max` starts over with `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

/// The background tasks of a process. Clones share them.
#[derive(Debug, Clone)]
pub struct Tasks {
    inner: Arc<Inner>,
}

/// A task whose end ends the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The task's name.
    pub task: String,
    /// What it ended with.
    pub error: String,
}

/// How a shutdown went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The task that failed first under [`Policy::Shutdown`], if any.
    pub failure: Option<Failure>,
    /// The tasks that did not stop in time and were cut off.
    pub aborted: Vec<String>,
}

#[derive(Debug)]
struct Inner {
    cancel: CancellationToken,
    tracker: TaskTracker,
    running: Mutex<BTreeMap<u64, (Name, AbortHandle)>>,
    next: AtomicU64,
    failure: watch::Sender<Option<Failure>>,
}

type Name = Cow<'static, str>;

impl Default for Backoff {
    /// From 100 ms to 30 s: quick after a hiccup, and no storm against a database that is down for minutes.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), max: Duration::from_secs(30) }
    }
}

impl Policy {
    /// Starts the task again, with the usual waits.
    pub fn restart() -> Self {
        Self::Restart(Backoff::default())
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        let inner = Inner {
            cancel: CancellationToken::new(),
            tracker: TaskTracker::new(),
            running: Mutex::default(),
            next: AtomicU64::new(0),
            failure: watch::Sender::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Starts a task. `work` is called with the task's cancellation, and again for each restart; it should return soon after
    /// the cancellation. Returning `Ok` ends the task under every policy. The token that comes back stops this task alone.
    pub fn spawn<W, F, E>(
        &self,
        name: impl Into<Cow<'static, str>>,
        policy: Policy,
        mut work: W,
    ) -> CancellationToken
    where
        W: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let name = name.into();
        let cancel = self.inner.cancel.child_token();
        let (tasks, token) = (self.clone(), cancel.clone());
        let task = name.clone();
        self.track(name, async move {
            let mut wait = None;
            loop {
                let started = tokio::time::Instant::now();
                let Err(error) = run(&mut work, token.clone()).await else { return };
                match policy {
                    Policy::Restart(backoff) if !token.is_cancelled() => {
                        let time = next_wait(wait, started.elapsed(), backoff);
                        wait = Some(time);
                        tracing::warn!(%task, %error, wait = ?time, "task failed, starts again");
                        if token.run_until_cancelled(pause(jitter(time))).await.is_none() {
                            return;
                        }
                    }
                    Policy::Shutdown if !token.is_cancelled() => {
                        tracing::error!(%task, %error, "task failed, the process stops");
                        return tasks.fail(&task, &error);
                    }
                    Policy::Restart(_) | Policy::Shutdown | Policy::Log => {
                        tracing::error!(%task, %error, "task failed");
                        return;
                    }
                }
            }
        });
        cancel
    }

    /// Cancelled as soon as the tasks are to stop.
    pub fn cancelled(&self) -> CancellationToken {
        self.inner.cancel.clone()
    }

    /// The names of the tasks that run now.
    pub fn running(&self) -> Vec<String> {
        self.table().values().map(|(name, _)| name.to_string()).collect()
    }

    /// Returns when a task under [`Policy::Shutdown`] has failed.
    pub async fn failure(&self) -> Failure {
        let mut failures = self.inner.failure.subscribe();
        let failure = failures.wait_for(Option::is_some).await;
        failure.expect("the sender lives as long as self").clone().expect("it was waited for")
    }

    /// Asks every task to stop, waits up to `drain`, then cuts off those that still run.
    pub async fn shutdown(&self, drain: Duration) -> Report {
        self.inner.cancel.cancel();
        self.inner.tracker.close();
        let mut aborted = Vec::new();
        if tokio::time::timeout(drain, self.inner.tracker.wait()).await.is_err() {
            for (name, abort) in self.table().values() {
                tracing::error!(task = %name, "task did not stop in time and is cut off");
                abort.abort();
                aborted.push(name.to_string());
            }
            self.inner.tracker.wait().await;
        }
        Report { failure: self.inner.failure.borrow().clone(), aborted }
    }

    fn track(&self, name: Name, work: impl Future<Output = ()> + Send + 'static) {
        let id = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let span = tracing::info_span!("task", task = %name);
        let done = Done { id, inner: self.inner.clone() };
        // The table is locked until the task stands in it, so that a task that ends at once is removed after, not before.
        let mut table = self.table();
        let work = async move {
            let _done = done;
            work.await;
        };
        let handle = self.inner.tracker.spawn(work.instrument(span));
        table.insert(id, (name, handle.abort_handle()));
    }

    fn fail(&self, task: &str, error: &BoxError) {
        let failure = Failure { task: task.to_owned(), error: error.to_string() };
        self.inner.failure.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(failure);
            is_first
        });
    }

    fn table(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, (Name, AbortHandle)>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} failed: {}", self.task, self.error)
    }
}

/// Takes a task off the table however it ends.
struct Done {
    id: u64,
    inner: Arc<Inner>,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

async fn run<W, F, E>(work: &mut W, cancel: CancellationToken) -> Result<(), BoxError>
where
    W: FnMut(CancellationToken) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<BoxError>,
{
    // Unwind safety: after a panic only `work` is used again, to build a new future.
    match AssertUnwindSafe(async { work(cancel).await }).catch_unwind().await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(panic) => Err(format!("panicked: {}", panic_message(panic.as_ref())).into()),
    }
}

fn next_wait(last: Option<Duration>, ran: Duration, backoff: Backoff) -> Duration {
    match last {
        Some(last) if ran < backoff.max => (last * 2).min(backoff.max),
        Some(_) | None => backoff.first,
    }
}

/// The text of a panic, for logs.
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

#[cfg(test)]
mod tests;
