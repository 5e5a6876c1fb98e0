//! Concurrent small writes share one statement and one commit.
//!
//! One batch runs at a time; what arrives meanwhile waits and makes up the next one. A lone call runs at once, so nobody
//! waits for company. Bounded in size, in the length of the queue and in the time that a call waits: beyond that it is
//! refused, which tells the caller to slow down while the calls under way still finish.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use siyu_kernel::{Code, Fault};
use tokio::sync::{mpsc, oneshot};

/// The bounds of a coalescer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls that share a batch at most.
    pub max_batch: usize,
    /// Calls that wait at most.
    pub queue: usize,
    /// How long a call waits at most until its batch starts.
    pub wait: Duration,
}

/// Why a call was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too many calls wait, or this one waited too long. It had no effect.
    #[error("too many concurrent writes")]
    Overloaded,
    /// The worker has ended: the process is stopping. It had no effect, or its outcome is unknown.
    #[error("the service is stopping")]
    Stopped,
    /// The batch panicked, or did not answer every call. Its outcome is unknown.
    #[error("the batch broke")]
    Broken,
}

/// Shares batches among concurrent calls. Clones feed the same worker.
#[derive(Debug)]
pub struct Coalescer<Req, Resp, E> {
    queue: mpsc::Sender<Job<Req, Resp, E>>,
}

#[derive(Debug)]
struct Job<Req, Resp, E> {
    request: Req,
    since: Instant,
    reply: oneshot::Sender<Result<Resp, E>>,
}

impl<Req, Resp, E> Coalescer<Req, Resp, E>
where
    Req: Send + 'static,
    Resp: Send + 'static,
    E: From<Refused> + Send + 'static,
{
    /// A coalescer and its worker: a future that the owner runs as a named task. It ends when the last clone is dropped
    /// and everything accepted has been answered.
    ///
    /// `batch` gets at least one request and gives one result for each, in order.
    pub fn new<F, Fut>(
        limits: Limits,
        batch: F,
    ) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        F: Fn(Vec<Req>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<Result<Resp, E>>> + Send + 'static,
    {
        assert!(limits.max_batch > 0 && limits.queue > 0, "a coalescer has room for a call");
        let (queue, jobs) = mpsc::channel(limits.queue);
        (Self { queue }, work(limits, jobs, Arc::new(batch)))
    }

    /// Has a request run in one of the next batches.
    ///
    /// # Errors
    /// That of the request; [`Refused`] when it did not come to that.
    pub async fn call(&self, request: Req) -> Result<Resp, E> {
        let (reply, answer) = oneshot::channel();
        let job = Job { request, since: Instant::now(), reply };
        self.queue.try_send(job).map_err(|err| match err {
            mpsc::error::TrySendError::Full(_) => Refused::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopped,
        })?;
        answer.await.map_err(|_| Refused::Stopped)?
    }
}

impl<Req, Resp, E> Clone for Coalescer<Req, Resp, E> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

async fn work<Req, Resp, E, F, Fut>(
    limits: Limits,
    mut jobs: mpsc::Receiver<Job<Req, Resp, E>>,
    batch: Arc<F>,
) where
    E: From<Refused>,
    F: Fn(Vec<Req>) -> Fut,
    Fut: Future<Output = Vec<Result<Resp, E>>>,
{
    let mut taken = Vec::with_capacity(limits.max_batch);
    while jobs.recv_many(&mut taken, limits.max_batch).await > 0 {
        let (requests, replies) = sort_out(&mut taken, limits.wait);
        if requests.is_empty() {
            continue;
        }
        // A request that makes the batch panic must not end the worker, and with it all later writes.
        let run = AssertUnwindSafe(async { batch(requests).await }).catch_unwind();
        let results = match run.await {
            Ok(results) if results.len() == replies.len() => results,
            Ok(_) | Err(_) => replies.iter().map(|_| Err(Refused::Broken.into())).collect(),
        };
        for (reply, result) in replies.into_iter().zip(results) {
            // Whoever does not wait any more will ask again with the same request id.
            let _ = reply.send(result);
        }
    }
}

type Replies<Resp, E> = Vec<oneshot::Sender<Result<Resp, E>>>;

/// Leaves out the calls that nobody waits for and refuses those that waited too long.
fn sort_out<Req, Resp, E: From<Refused>>(
    taken: &mut Vec<Job<Req, Resp, E>>,
    wait: Duration,
) -> (Vec<Req>, Replies<Resp, E>) {
    let mut requests = Vec::with_capacity(taken.len());
    let mut replies = Vec::with_capacity(taken.len());
    for job in taken.drain(..) {
        if job.reply.is_closed() {
            continue;
        }
        if job.since.elapsed() > wait {
            let _ = job.reply.send(Err(Refused::Overloaded.into()));
            continue;
        }
        requests.push(job.request);
        replies.push(job.reply);
    }
    (requests, replies)
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Overloaded => {
                let message = "too many concurrent writes, try again later";
                Self::new(Code::Unavailable, "OVERLOADED", message)
            }
            Refused::Stopped => {
                Self::new(Code::Unavailable, "STOPPING", "the service is stopping, try again")
            }
            Refused::Broken => Self::internal(refused),
        }
    }
}
