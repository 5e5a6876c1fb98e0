#![doc = include_str!("../README.md")]

mod append;
mod consumer;
mod disputes;
mod event;
mod handler;
mod leader;
mod log;
mod order_facts;
mod retention;
mod sequencer;
mod service;
mod source;
mod store;
mod telemetry;

pub mod limits;
pub mod nats;

pub use append::append;
pub use consumer::{ConsumeError, Consumer, Parked, ParkedFilter, Progress, Replayed};
pub use disputes::{Dispute, latest_disputes};
pub use event::{Event, Fact, Malformed, NewEvent};
pub use handler::{Cause, Handler, HandlerError, Retries, Subscription};
pub use log::Log;
pub use nats::{NatsPublisher, NatsSettings};
pub use order_facts::{is_sale, latest_order_facts};
pub use retention::Retention;
pub use sequencer::Sequencer;
pub use service::LogService;
pub use siyu_runtime::CancellationToken;
pub use source::{Cursor, NatsSource, Pull, Run, Source, SourceError};

use siyu_pg::Migration;

/// The tables of the event log and of consumers; versions 100 to 199.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 100,
        name: "create_event_log",
        sql: include_str!("../migrations/0100_create_event_log.sql"),
    },
    Migration {
        version: 101,
        name: "create_event_cursors",
        sql: include_str!("../migrations/0101_create_event_cursors.sql"),
    },
    Migration {
        version: 102,
        name: "create_event_readers",
        sql: include_str!("../migrations/0102_create_event_readers.sql"),
    },
];

/// The tables among them that do not lead with a merchant: the log is read across tenants by position, though row-level
/// security binds those who write it; heads and cursors belong to the service.
pub const SYSTEM_TABLES: &[&str] = &["event_log", "event_heads", "event_cursors", "event_readers"];
