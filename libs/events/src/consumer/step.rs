//! One step of a consumer: make sure of the cursor, get events, handle a batch while the next one is fetched.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Duration};

use futures::future::join;

use super::{ConsumeError, Inner, apply::Applied};
use crate::{
    Cursor, Event, HandlerError, Source, Subscription,
    handler::describe,
    limits,
    source::continuing,
    store,
    telemetry::{INSTRUMENTS, labels},
};

/// The first of waits that double.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What a consumer remembers between steps. All of it can be lost: the truth is the cursor's row.
pub(super) struct State {
    source: Box<dyn Source>,
    /// The cursor as we know it; none when another may have moved it.
    cursor: Option<Cursor>,
    /// Whether the source's log is known to hold the event of the cursor.
    verified: bool,
    /// Events behind the cursor without a gap: at most two batches.
    pending: VecDeque<Event>,
    /// The source's head as we know it.
    head: i64,
    /// Up to this position events are handled one by one, because one of them fails.
    careful_until: i64,
    /// An event that failed, and how often.
    failed: (i64, u32),
    /// How long to stand back when another process works; it doubles.
    standby: Duration,
    /// How long to wait when something the handler needs does not answer; it doubles.
    outage: Duration,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It handled events, or knows better now how to.
    Moved,
    /// There was nothing to do.
    Idle,
    /// Another process works; look again after this.
    Standby(Duration),
    /// An event failed; it is time for it again after this.
    Wait(Duration),
}

impl State {
    pub(super) fn new(source: Box<dyn Source>) -> Self {
        Self {
            source,
            cursor: None,
            verified: false,
            pending: VecDeque::new(),
            head: 0,
            careful_until: 0,
            failed: (0, 0),
            standby: FIRST_PAUSE,
            outage: FIRST_PAUSE,
        }
    }

    /// Forgets all but what the handler's failures have taught.
    fn forget(&mut self) {
        self.cursor = None;
        self.verified = false;
        self.pending.clear();
        self.head = 0;
    }

    /// Forgets what is done, and everything if the rest does not continue the cursor.
    fn trim(&mut self, cursor: &Cursor) {
        while self.pending.front().is_some_and(|event| event.position <= cursor.position) {
            self.pending.pop_front();
        }
        if self.pending.front().is_some_and(|event| event.position != cursor.position + 1) {
            self.pending.clear();
        }
    }

    /// How often the first event behind the cursor has failed.
    fn failures_after(&self, cursor: &Cursor) -> u32 {
        let (position, failures) = self.failed;
        if position == cursor.position + 1 { failures } else { 0 }
    }

    /// The place from which the next events are to be fetched.
    fn end(&self, cursor: Cursor) -> Cursor {
        self.pending.back().map_or(cursor, Cursor::at)
    }
}

impl Inner {
    pub(super) async fn step(
        &self,
        state: &mut State,
        wait: Duration,
    ) -> Result<Step, ConsumeError> {
        let outcome = self.try_step(state, wait).await;
        if outcome.is_err() {
            // Whether our transaction was committed, and whether the log is still the same one, must be looked at again.
            state.forget();
        }
        outcome
    }

    async fn try_step(&self, state: &mut State, wait: Duration) -> Result<Step, ConsumeError> {
        if self.was_set.swap(false, Ordering::AcqRel) {
            state.forget();
        }
        let cursor = self.cursor(state).await?;
        state.trim(&cursor);
        if state.pending.is_empty() {
            let events = self.fetch(state, &cursor, wait).await?;
            if events.is_empty() {
                // Another process may have set it back: without a look, only the next event would show that.
                state.cursor = None;
                return Ok(Step::Idle);
            }
            state.pending.extend(events);
        }
        let count = state.pending.len().min(limits::BATCH_EVENTS);
        let end = state.end(cursor);
        let failures =
            (state.careful_until > cursor.position).then(|| state.failures_after(&cursor));
        // The next batch is fetched meanwhile, if it is there: the source is never waited for.
        let room = limits::BATCH_EVENTS.saturating_sub(state.pending.len() - count);
        let more = state.head > end.position && room > 0;
        let batch = &state.pending.make_contiguous()[..count];
        let source = &mut state.source;
        let prefetch =
            async { if more { source.fetch(&end, room, Duration::ZERO).await.ok() } else { None } };
        let (applied, prefetched) = join(self.apply(&cursor, batch, failures), prefetch).await;
        if let Some(run) = prefetched {
            state.head = state.head.max(run.head);
            state.pending.extend(continuing(end.position, run.events));
        }
        Ok(self.settle(state, applied?, count))
    }

    /// Draws the consequences of a batch.
    fn settle(&self, state: &mut State, applied: Applied, count: usize) -> Step {
        let Subscription { consumer, source, retries, .. } = self.subscription;
        match applied {
            Applied::Done(cursor) => {
                state.cursor = Some(cursor);
                (state.standby, state.outage) = (FIRST_PAUSE, FIRST_PAUSE);
                self.tell(cursor.position, state.head);
                Step::Moved
            }
            Applied::Elsewhere => {
                state.cursor = None;
                // Short at first: it may be the end of a process that was killed, or an operator's replay.
                Step::Standby(double(&mut state.standby, limits::STANDBY_PAUSE))
            }
            Applied::Failed(HandlerError::Unavailable(cause)) => {
                let error = describe(cause.as_ref());
                if state.outage == FIRST_PAUSE {
                    tracing::warn!(consumer, source, error, "waiting for what the handler needs");
                }
                Step::Wait(double(&mut state.outage, limits::OUTAGE_PAUSE))
            }
            Applied::Failed(error @ (HandlerError::Retry(_) | HandlerError::Park(_))) => {
                let error = error.describe();
                tracing::info!(consumer, source, error, "a batch failed, going event by event");
                state.careful_until = state.pending[count - 1].position;
                Step::Moved
            }
            Applied::Stopped { cursor, failures } => {
                state.cursor = Some(cursor);
                // The count must not be lost: the next step takes the careful way for this event, too.
                state.careful_until = state.careful_until.max(cursor.position + 1);
                self.tell(cursor.position, state.head);
                Step::Wait(match failures {
                    Some(failures) => {
                        state.failed = (cursor.position + 1, failures);
                        retries.wait(failures)
                    }
                    None => double(&mut state.outage, limits::OUTAGE_PAUSE),
                })
            }
        }
    }

    /// The cursor, loaded if it is not known, and checked against the source's log once.
    async fn cursor(&self, state: &mut State) -> Result<Cursor, ConsumeError> {
        if state.cursor.is_none() {
            let Subscription { consumer, source, .. } = self.subscription;
            let mut tx = self.db.system(consumer).await?;
            store::cursors::ensure(&mut tx, consumer, source).await?;
            state.cursor = Some(store::cursors::load(&mut tx, consumer, source).await?);
            tx.commit().await?;
        }
        let cursor = state.cursor.unwrap_or_default();
        if !state.verified {
            self.verify(state, &cursor).await?;
            state.verified = true;
        }
        Ok(cursor)
    }

    /// A log that was restored from a backup gives positions anew: what stands at ours must be what we handled.
    async fn verify(&self, state: &mut State, cursor: &Cursor) -> Result<(), ConsumeError> {
        let Some((handled, _)) = cursor.last else { return Ok(()) };
        let run = state.source.reread(cursor.position - 1, 1).await?;
        state.head = run.head;
        let same = match run.events.first() {
            Some(event) if event.position == cursor.position => event.id == handled,
            // It is pruned.
            Some(_) => true,
            None => run.head >= cursor.position,
        };
        if same {
            return Ok(());
        }
        let origin = self.subscription.source;
        Err(ConsumeError::Rewound { origin, position: cursor.position })
    }

    /// Events that continue the cursor.
    async fn fetch(
        &self,
        state: &mut State,
        cursor: &Cursor,
        wait: Duration,
    ) -> Result<Vec<Event>, ConsumeError> {
        let origin = self.subscription.source;
        let position = cursor.position;
        let run = state.source.fetch(cursor, limits::BATCH_EVENTS, wait).await?;
        state.head = state.head.max(run.head);
        self.tell(position, state.head);
        let gap = run.events.last().map_or(run.head, |event| event.position) != position;
        let events = continuing(position, run.events);
        if !events.is_empty() || !gap {
            return Ok(events);
        }
        // Something is there, or was, but not what comes next. The log decides.
        let run = state.source.reread(position, limits::BATCH_EVENTS).await?;
        state.head = run.head;
        match run.events.first() {
            Some(event) if event.position == position + 1 => Ok(continuing(position, run.events)),
            Some(event) if position == 0 => {
                // A consumer that never handled anything starts where the log starts.
                let start = event.position - 1;
                tracing::warn!(origin, start, "the log is pruned, a new consumer starts late");
                self.start_at(start).await?;
                state.cursor = None;
                Ok(Vec::new())
            }
            None if run.head < position => Err(ConsumeError::Rewound { origin, position }),
            None if run.head == position || position == 0 => Ok(Vec::new()),
            Some(_) | None => Err(ConsumeError::Pruned { origin, position }),
        }
    }
}

/// A wait, which is twice as long the next time.
fn double(wait: &mut Duration, max: Duration) -> Duration {
    std::mem::replace(wait, (*wait * 2).min(max))
}

/// Counts what a committed batch did.
pub(super) fn count(subscription: &Subscription, handled: usize, parked: usize) {
    let labels = labels(subscription.consumer, subscription.source);
    INSTRUMENTS.handled.add(handled as u64, &labels);
    if parked > 0 {
        INSTRUMENTS.parked.add(parked as u64, &labels);
    }
}
