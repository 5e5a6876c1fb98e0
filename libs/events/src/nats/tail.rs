//! The consumer's connection to a stream.
//!
//! The broker keeps no place for us: the consumer in it lives as long as this one and acknowledges nothing. Our cursor is a
//! row that moves in the transaction of the effects; a second one in the broker could only disagree with it, after a crash
//! between the two commits or a restore of either store.

use std::time::Duration;

use async_nats::{
    Client,
    connection::State,
    datetime,
    jetstream::{
        self,
        consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
    },
};
use futures::StreamExt;
use siyu_runtime::jitter;
use tokio::time::{Instant, timeout};

use super::{decode, stream_name};
use crate::{Cursor, Event, handler::describe, limits};

/// How far before the cursor's event reading starts: clocks differ, and the event became true before it was published.
const SLACK: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// After what silence of ours the broker forgets our consumer.
const FORGET: Duration = Duration::from_mins(5);

/// The first wait after an error; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Receives what one producer publishes.
pub(crate) struct Tail {
    client: Client,
    consumer: &'static str,
    source: &'static str,
    broker: Option<Consumer<pull::Config>>,
    /// When the broker is tried again after an error.
    retry_at: Instant,
    retry_wait: Duration,
}

impl Tail {
    pub(crate) fn new(client: Client, consumer: &'static str, source: &'static str) -> Self {
        let retry_at = Instant::now();
        Self { client, consumer, source, broker: None, retry_at, retry_wait: FIRST_PAUSE }
    }

    /// Starts anew with the next call.
    pub(crate) fn reset(&mut self) {
        self.broker = None;
    }

    /// The events of the next messages, waiting up to `wait` for a first one: in any order, perhaps double, perhaps with
    /// gaps. Nothing at all when the broker does not answer.
    pub(crate) async fn receive(&mut self, cursor: &Cursor, wait: Duration) -> Option<Vec<Event>> {
        if self.broker.is_none() && Instant::now() < self.retry_at {
            return None;
        }
        match self.try_receive(cursor, wait).await {
            Ok(events) => {
                self.retry_wait = FIRST_PAUSE;
                Some(events)
            }
            Err(error) => {
                self.retry_at = Instant::now() + jitter(self.retry_wait);
                self.retry_wait = (self.retry_wait * 2).min(limits::OUTAGE_PAUSE);
                let error = describe(error.as_ref());
                let (consumer, source) = (self.consumer, self.source);
                tracing::warn!(
                    error,
                    consumer,
                    source,
                    "the broker fails, reading the log instead"
                );
                None
            }
        }
    }

    async fn try_receive(
        &mut self,
        cursor: &Cursor,
        wait: Duration,
    ) -> Result<Vec<Event>, BoxError> {
        // Taken out, so that after an error, or when nobody waits any more, we start anew.
        let broker = self.broker.take();
        if self.client.connection_state() != State::Connected {
            return Err("not connected".into());
        }
        let broker = match broker {
            Some(broker) => broker,
            None => timeout(limits::BROKER_TIMEOUT, self.subscribe(cursor)).await??,
        };
        let mut events = Vec::new();
        let mut messages = 1;
        if !wait.is_zero() {
            let first = broker.batch().max_messages(1).expires(wait).messages().await?;
            let limit = wait + limits::BROKER_TIMEOUT;
            messages = timeout(limit, collect(self.source, first, &mut events)).await??;
        }
        if messages > 0 {
            let more = broker.fetch().max_messages(limits::PULL_MESSAGES).messages().await?;
            timeout(limits::BROKER_TIMEOUT, collect(self.source, more, &mut events)).await??;
        }
        self.broker = Some(broker);
        Ok(events)
    }

    async fn subscribe(&self, cursor: &Cursor) -> Result<Consumer<pull::Config>, BoxError> {
        let context = jetstream::new(self.client.clone());
        let stream = context.get_stream_no_info(stream_name(self.source)).await?;
        let deliver_policy = match cursor.last {
            Some((_, occurred_at)) => {
                let nanos = i128::from((occurred_at - SLACK).timestamp_micros()) * 1000;
                DeliverPolicy::ByStartTime { start_time: datetime::from_nanos(nanos)? }
            }
            None => DeliverPolicy::All,
        };
        let config = pull::Config {
            description: Some(self.consumer.to_owned()),
            deliver_policy,
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGET,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let broker = stream.create_consumer(config).await?;
        tracing::info!(consumer = self.consumer, source = self.source, "reads from the broker");
        Ok(broker)
    }
}

/// Adds the events of messages; returns how many messages there were.
async fn collect(
    source: &str,
    mut messages: pull::Batch,
    events: &mut Vec<Event>,
) -> Result<usize, BoxError> {
    let mut count = 0;
    while let Some(message) = messages.next().await {
        count += 1;
        match decode(source, message?.message.payload) {
            Ok(run) => events.extend(run),
            Err(error) => tracing::error!(error, source, "skipped a foreign message"),
        }
    }
    Ok(count)
}
