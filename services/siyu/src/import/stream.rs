//! The sending side: batches over one stream, a bounded number without an answer. When the stream breaks it is opened again
//! and the batches without an answer are sent again: the suite leaves alone what it has stored already.

use std::{collections::VecDeque, time::Duration};

use siyu_proto::order::v1::{ImportResult, StreamImportOrdersRequest, StreamImportOrdersResponse};
use siyu_runtime::{jitter, pause};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::feed::Batch;
use crate::{
    client::{self, Client, is_local},
    orders_file,
};

/// How long one batch may take: far more than any healthy suite needs, short enough for a person who waits.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a suite that went away is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The wait before the second attempt; it doubles with each one that gets no answer.
    pub(super) first_wait: Duration,
    /// The longest wait.
    pub(super) longest_wait: Duration,
    /// Attempts without an answer before giving up.
    pub(super) attempts: u32,
}

/// What happens on the way.
pub(super) enum News {
    /// A batch was answered; told once for each.
    Answered(Batch, Vec<ImportResult>),
    /// The suite went away, with its last words; it is waited for.
    Away(String),
}

/// Hears what happens.
pub(super) trait Hear: FnMut(News) -> Result<(), super::Error> {}

impl<F: FnMut(News) -> Result<(), super::Error>> Hear for F {}

/// Why not everything was sent.
pub(super) enum Error {
    /// The file broke off. What came before it was sent.
    File(orders_file::Error),
    /// The suite, or who hears of it.
    Import(super::Error),
}

impl<E: Into<super::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Import(error.into())
    }
}

/// What is still to be sent, and what waits for its answer.
struct Window {
    feed: Receiver<Result<Batch, orders_file::Error>>,
    waiting: VecDeque<Batch>,
    size: usize,
    ended: bool,
    broken: Option<orders_file::Error>,
}

/// How a stream ended before the file did.
enum Break {
    /// It may go better next time.
    Passing(Status),
    /// It will not.
    Final(super::Error),
}

/// Sends everything and returns how often the stream had to be opened again.
pub(super) async fn send_all(
    client: &Client,
    feed: Receiver<Result<Batch, orders_file::Error>>,
    in_flight: usize,
    patience: Patience,
    hear: &mut impl Hear,
) -> Result<u32, Error> {
    let mut window =
        Window { feed, waiting: VecDeque::new(), size: in_flight, ended: false, broken: None };
    let (mut attempts, mut reconnects) = (0, 0);
    while window.prime(hear).await? {
        let before = window.waiting.front().map(|batch| batch.position);
        let status = match one_stream(client, &mut window, hear).await {
            Ok(()) => break,
            Err(Break::Final(error)) => return Err(error.into()),
            Err(Break::Passing(status)) => status,
        };
        let moved = window.waiting.front().map(|batch| batch.position) != before;
        attempts = if moved { 1 } else { attempts + 1 };
        if attempts >= patience.attempts {
            let (server, reason) = (client.server().to_owned(), client::words(&status));
            return Err(super::Error::Lost { server, reason }.into());
        }
        if attempts == 1 {
            hear(News::Away(client::words(&status)))?;
        }
        reconnects += 1;
        pause(jitter(patience.wait(attempts))).await;
    }
    window.broken.map_or(Ok(reconnects), |error| Err(Error::File(error)))
}

impl Default for Patience {
    /// About a minute: longer than a restart takes, short enough for a person who waits.
    fn default() -> Self {
        let (first_wait, longest_wait) = (Duration::from_millis(200), Duration::from_secs(5));
        Self { first_wait, longest_wait, attempts: 15 }
    }
}

impl Patience {
    pub(super) fn wait(self, attempts: u32) -> Duration {
        const MOST_DOUBLINGS: u32 = 16;
        let doublings = attempts.saturating_sub(1).min(MOST_DOUBLINGS);
        self.longest_wait.min(self.first_wait.saturating_mul(1 << doublings))
    }
}

/// Runs one stream until everything is answered or it breaks.
async fn one_stream(
    client: &Client,
    window: &mut Window,
    hear: &mut impl Hear,
) -> Result<(), Break> {
    let (requests, receiver) = mpsc::channel(window.size);
    for batch in &window.waiting {
        // There is room for the whole window, and the receiver is below.
        let _ = requests.send(request(batch)).await;
    }
    let mut imports = client.imports();
    let opening = imports.stream_import_orders(ReceiverStream::new(receiver));
    let mut replies = within(opening).await.map_err(|status| judge(client, status))?.into_inner();
    while !window.waiting.is_empty() || !window.ended {
        tokio::select! {
            // Answers first: they make room, and they are what is stored.
            biased;
            reply = next(&mut replies), if !window.waiting.is_empty() => {
                let reply = reply.map_err(|status| judge(client, status))?;
                let batch = window.waiting.pop_front().expect("an answer was waited for");
                settle(hear, batch, reply).map_err(Break::Final)?;
            }
            more = window.feed.recv(), if window.has_room() => {
                push(window, more, &requests, hear).await?;
            }
        }
    }
    Ok(())
}

async fn push(
    window: &mut Window,
    more: Option<Result<Batch, orders_file::Error>>,
    requests: &Sender<StreamImportOrdersRequest>,
    hear: &mut impl Hear,
) -> Result<(), Break> {
    let sent = window.waiting.len();
    window.take(more, hear).map_err(Break::Final)?;
    if window.waiting.len() > sent {
        let newest = window.waiting.back().expect("one was added");
        // A stream that is gone is noticed by the answer that does not come.
        let _ = requests.send(request(newest)).await;
    }
    Ok(())
}

impl Window {
    fn has_room(&self) -> bool {
        !self.ended && self.waiting.len() < self.size
    }

    /// Waits for a first batch. False when there is none: then no stream is needed.
    async fn prime(&mut self, hear: &mut impl Hear) -> Result<bool, super::Error> {
        while self.waiting.is_empty() && !self.ended {
            let more = self.feed.recv().await;
            self.take(more, hear)?;
        }
        Ok(!self.waiting.is_empty())
    }

    fn take(
        &mut self,
        more: Option<Result<Batch, orders_file::Error>>,
        hear: &mut impl Hear,
    ) -> Result<(), super::Error> {
        match more {
            // Only bad rows: nothing to send. They may overtake batches on their way; the rejects file names lines.
            Some(Ok(batch)) if batch.orders.is_empty() => hear(News::Answered(batch, Vec::new()))?,
            Some(Ok(batch)) => self.waiting.push_back(batch),
            Some(Err(error)) => {
                self.ended = true;
                self.broken = Some(error);
            }
            None => self.ended = true,
        }
        Ok(())
    }
}

fn request(batch: &Batch) -> StreamImportOrdersRequest {
    StreamImportOrdersRequest {
        orders: batch.orders.iter().map(|order| order.order.clone()).collect(),
    }
}

fn settle(
    hear: &mut impl Hear,
    batch: Batch,
    reply: StreamImportOrdersResponse,
) -> Result<(), super::Error> {
    let (orders, answers) = (batch.orders.len(), reply.results.len());
    if orders != answers {
        return Err(super::Error::Mismatch { orders, answers });
    }
    hear(News::Answered(batch, reply.results))
}

async fn next(
    replies: &mut Streaming<StreamImportOrdersResponse>,
) -> Result<StreamImportOrdersResponse, Status> {
    let ended = || Status::unavailable("the suite ended the stream");
    within(replies.message()).await?.ok_or_else(ended)
}

async fn within<T>(work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let late = || Status::unavailable("the suite does not answer");
    timeout(ANSWER_TIMEOUT, work).await.unwrap_or_else(|_| Err(late()))
}

/// Whether it makes sense to try again. A stream that the network broke comes as `Unknown` or with a cause of its own.
fn judge(client: &Client, status: Status) -> Break {
    let passing = is_local(&status)
        || matches!(
            status.code(),
            Code::Unavailable
                | Code::Cancelled
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::ResourceExhausted
                | Code::Unknown
        );
    if passing { Break::Passing(status) } else { Break::Final(client.failed(&status).into()) }
}
