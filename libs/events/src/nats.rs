//! NATS JetStream: one stream per producer, whose messages are runs of stamped events.
//!
//! The stream is a cache of the producer's log and never the truth: what it loses is read from the log again. So it needs
//! neither acknowledgements by consumers nor a flush per message.

mod publisher;
mod tail;

use std::time::Duration;

use async_nats::{
    Client, ConnectError, ConnectOptions,
    jetstream::stream::{Config, DiscardPolicy, StorageType},
};
use bytes::Bytes;
use prost::Message;
use siyu_proto::event::v1::{self as proto, EventBatch};

use crate::{Event, limits};

pub use publisher::NatsPublisher;
pub(crate) use tail::Tail;

/// How long the client waits before it tries a broker again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How a producer's stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NatsSettings {
    /// How long the broker keeps a message. Consumers that are further behind read the producer's log.
    pub max_age: Duration,
    /// How many bytes the broker keeps at most; the oldest messages go first.
    pub max_bytes: i64,
    /// On how many servers of the cluster: 1 or 3.
    pub replicas: usize,
    /// Within what time the broker recognises a message that is published twice.
    pub duplicate_window: Duration,
}

impl Default for NatsSettings {
    fn default() -> Self {
        Self {
            max_age: Duration::from_hours(72),
            max_bytes: 1 << 30,
            replicas: 1,
            duplicate_window: Duration::from_mins(2),
        }
    }
}

/// Connects to a broker, now or as soon as it is there, and again whenever the connection is lost.
pub async fn connect(url: &str, name: &str) -> Result<Client, ConnectError> {
    ConnectOptions::new()
        .name(name)
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(
            |attempt| if attempt > 1 { RECONNECT_PAUSE } else { Duration::ZERO },
        )
        .request_timeout(Some(limits::BROKER_TIMEOUT))
        .connect(url)
        .await
}

/// The name of a producer's stream.
fn stream_name(source: &str) -> String {
    format!("siyu-{source}")
}

/// The subject of a producer's messages.
fn subject(source: &str) -> String {
    format!("siyu.events.{source}")
}

fn stream_config(source: &str, settings: &NatsSettings) -> Config {
    Config {
        name: stream_name(source),
        description: Some(format!("Events of {source}: a cache of its event log")),
        subjects: vec![subject(source)],
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_age: settings.max_age,
        max_bytes: settings.max_bytes,
        num_replicas: settings.replicas,
        duplicate_window: settings.duplicate_window.min(settings.max_age),
        ..Config::default()
    }
}

/// One message: a run of events, and the id by which the broker recognises a repeat.
struct Parcel {
    id: String,
    payload: Bytes,
}

/// Cuts a run of events into messages, each within the bounds of number and weight unless a single event is heavier.
fn cut(source: &str, events: &[Event]) -> Vec<Parcel> {
    let mut messages = Vec::new();
    let mut run: Vec<proto::Event> = Vec::new();
    let mut weight = 0;
    for event in events.iter().map(Event::to_proto) {
        let heavier = weight + event.encoded_len();
        if !run.is_empty() && (run.len() == limits::RUN_EVENTS || heavier > limits::RUN_BYTES) {
            messages.push(message(source, std::mem::take(&mut run)));
            weight = 0;
        }
        weight += event.encoded_len();
        run.push(event);
    }
    if !run.is_empty() {
        messages.push(message(source, run));
    }
    messages
}

fn message(source: &str, events: Vec<proto::Event>) -> Parcel {
    let (first, last) = (&events[0], &events[events.len() - 1]);
    // The last event's id is in it because a log that was restored from a backup gives the same positions anew.
    let id = format!("{source}-{}-{}-{}", first.position, last.position, last.id);
    Parcel { id, payload: EventBatch { events }.encode_to_vec().into() }
}

/// The events of a message; an error tells what is wrong with it.
fn decode(source: &str, payload: Bytes) -> Result<Vec<Event>, String> {
    let batch = EventBatch::decode(payload).map_err(|error| error.to_string())?;
    let events = Event::parse_all(batch.events).map_err(|error| error.to_string())?;
    match events.iter().find(|event| *event.source != *source) {
        Some(stranger) => Err(format!("an event of \"{}\" in the stream", stranger.source)),
        None => Ok(events),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;

    fn event(position: i64, size: usize) -> Event {
        Event {
            id: Id::from_uuid(Uuid::from_u128(position.unsigned_abs().into())),
            source: "order".into(),
            type_name: "t".into(),
            subject: "s".into(),
            merchant: Id::from_uuid(Uuid::nil()),
            occurred_at: DateTime::UNIX_EPOCH,
            position,
            trace_parent: "".into(),
            data: vec![0; size].into(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn messages_hold_every_event_once_in_order_and_within_bounds(
            sizes in prop::collection::vec(prop_oneof![0_usize..64, 0..limits::MAX_DATA_BYTES], 0..600),
        ) {
            let events: Vec<Event> =
                (1..).zip(&sizes).map(|(position, size)| event(position, *size)).collect();
            let messages = cut("order", &events);
            let mut read = Vec::new();
            for message in messages {
                let run = decode("order", message.payload.clone()).unwrap();
                prop_assert!(!run.is_empty() && run.len() <= limits::RUN_EVENTS);
                prop_assert!(run.len() == 1 || message.payload.len() <= limits::RUN_BYTES + 2048);
                read.extend(run);
            }
            prop_assert_eq!(read, events);
        }
    }

    #[test]
    fn a_message_is_named_after_its_run_and_a_foreign_one_is_refused() {
        let messages = cut("order", &[event(3, 1), event(4, 1)]);
        assert_eq!(messages[0].id, "order-3-4-00000000-0000-0000-0000-000000000004");
        assert!(decode("member", messages[0].payload.clone()).is_err());
        assert!(decode("order", Bytes::from_static(b"\xff")).is_err());
    }
}
