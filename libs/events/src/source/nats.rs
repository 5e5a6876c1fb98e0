//! NATS JetStream as a source: the broker brings events, the producer's log heals whatever the broker does not bring.
//!
//! Correctness rests on positions alone: what is at or below the cursor is dropped, and a gap is read from the log.

use std::{collections::VecDeque, time::Duration};

use async_nats::Client;

use crate::{
    Cursor, Event, Run, Source, SourceError, limits,
    nats::Tail,
    telemetry::{INSTRUMENTS, labels},
};

/// Reads one producer's stream, and its log where the stream falls short.
pub struct NatsSource {
    consumer: &'static str,
    source: &'static str,
    tail: Tail,
    log: Box<dyn Source>,
    /// What was received and not yet handed on, by ascending position: the messages of one pull at most.
    buffer: VecDeque<Event>,
    head: i64,
}

impl NatsSource {
    /// A source for `consumer` of the events of `source`; `log` reads the producer's log.
    pub fn new(
        client: Client,
        consumer: &'static str,
        source: &'static str,
        log: Box<dyn Source>,
    ) -> Self {
        let tail = Tail::new(client, consumer, source);
        Self { consumer, source, tail, log, buffer: VecDeque::new(), head: 0 }
    }

    /// Events that continue the cursor out of what was received.
    fn take(&mut self, cursor: &Cursor, max_events: usize) -> Vec<Event> {
        while self.buffer.front().is_some_and(|event| event.position <= cursor.position) {
            self.buffer.pop_front();
        }
        let expected = cursor.position + 1..;
        let ready = expected.zip(&self.buffer).take_while(|(n, e)| *n == e.position).count();
        self.buffer.drain(..ready.min(max_events)).collect()
    }

    /// Puts events into the buffer: messages may come twice and out of order.
    fn keep(&mut self, events: Vec<Event>) {
        self.buffer.extend(events);
        if !self.buffer.iter().is_sorted_by(|a, b| a.position < b.position) {
            let mut all = Vec::from(std::mem::take(&mut self.buffer));
            all.sort_by_key(|event| event.position);
            all.dedup_by_key(|event| event.position);
            self.buffer = all.into();
        }
        self.head = self.head.max(self.buffer.back().map_or(0, |event| event.position));
    }

    /// Reads the log.
    async fn read(
        &mut self,
        cursor: &Cursor,
        max_events: usize,
        wait: Duration,
    ) -> Result<Run, SourceError> {
        let run = self.log.fetch(cursor, max_events, wait).await?;
        self.head = self.head.max(run.head);
        if !run.events.is_empty() {
            let (consumer, source, count) = (self.consumer, self.source, run.events.len());
            INSTRUMENTS.healed.add(count as u64, &labels(consumer, source));
            let after = cursor.position;
            tracing::debug!(consumer, source, after, count, "read what the broker did not bring");
        }
        Ok(run)
    }
}

#[tonic::async_trait]
impl Source for NatsSource {
    async fn fetch(
        &mut self,
        cursor: &Cursor,
        max_events: usize,
        wait: Duration,
    ) -> Result<Run, SourceError> {
        let wait = wait.min(limits::BROKER_SILENCE);
        let mut events = self.take(cursor, max_events);
        if events.is_empty() && self.buffer.is_empty() {
            let Some(received) = self.tail.receive(cursor, wait).await else {
                return self.read(cursor, max_events, wait).await;
            };
            self.keep(received);
            events = self.take(cursor, max_events);
        }
        if !events.is_empty() || (self.buffer.is_empty() && wait.is_zero()) {
            return Ok(Run { events, head: self.head });
        }
        // A gap before what the broker brought, or silence, which may be a loss of the newest messages.
        let missing = self.buffer.front().map_or(max_events, |event| {
            usize::try_from(event.position - cursor.position - 1).unwrap_or(max_events)
        });
        self.read(cursor, missing.min(max_events), Duration::ZERO).await
    }

    async fn reread(&mut self, after: i64, max_events: usize) -> Result<Run, SourceError> {
        // Something was not as expected: what the broker brought is forgotten, it may be of a log that is no more.
        self.buffer.clear();
        self.tail.reset();
        self.log.reread(after, max_events).await
    }
}
