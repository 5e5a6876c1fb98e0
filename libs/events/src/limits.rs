//! Every bound of the event log, with its reason.

use std::time::Duration;

/// The largest payload of one event. An event tells that something happened, it does not carry files; and a run of events
/// must fit a gRPC answer (4 MiB) and a broker message (1 MiB).
pub const MAX_DATA_BYTES: usize = 256 * 1024;

/// The most events that one answer of the log carries.
pub const MAX_READ_EVENTS: u32 = 5000;

/// What a reader gets when it does not say how many.
pub const DEFAULT_READ_EVENTS: u32 = 1000;

/// The most bytes of one answer: below gRPC's 4 MiB with room for the envelopes.
pub const MAX_READ_BYTES: u32 = 3 * 1024 * 1024;

/// What the attributes of one event weigh, at a guess, when an answer is measured.
pub const ENVELOPE_BYTES: u32 = 256;

/// The longest that a reader may wait for a first event.
pub const MAX_READ_WAIT: Duration = Duration::from_secs(30);

/// How many rows the sequencer stamps in one statement: some 50 ms of work, so that its locks stay short.
pub const STAMP_ROWS: i64 = 5000;

/// The shortest time between two stamps. Each is one commit; under load this makes a hundred a second at most.
pub const STAMP_PAUSE: Duration = Duration::from_millis(10);

/// The longest time between two looks for unstamped rows that another process may have written. It bounds the latency of
/// the first event after silence, and costs ten empty index look-ups a second.
pub const IDLE_PAUSE: Duration = Duration::from_millis(100);

/// How often a process that is not the leader tries to become it: the longest gap after a leader died.
pub const LEAD_PAUSE: Duration = Duration::from_secs(1);

/// The most events that one transaction of a consumer handles.
pub const BATCH_EVENTS: usize = 1000;

/// How long a consumer asks its source to wait for events. Short enough to notice a peer that went away unseen.
pub const CONSUMER_WAIT: Duration = Duration::from_secs(5);

/// The longest time for which a consumer stands back when another process holds its cursor: the longest gap after that
/// process died.
pub const STANDBY_PAUSE: Duration = Duration::from_secs(1);

/// The longest wait after an outage of the database or of the source: recovery must not take longer than a second.
pub const OUTAGE_PAUSE: Duration = Duration::from_secs(1);

/// How often an event that fails is tried before it is parked: with the waits below, some eleven seconds.
pub const RETRY_ATTEMPTS: u32 = 8;

/// The first wait after a failed event; it doubles.
pub const RETRY_FIRST: Duration = Duration::from_millis(100);

/// The longest wait after a failed event.
pub const RETRY_MAX: Duration = Duration::from_secs(5);

/// How many events a message of the broker carries at most.
pub const RUN_EVENTS: usize = 256;

/// How many bytes of payload and envelope a message of the broker carries at most, unless one event alone is larger: half
/// of the broker's default limit.
pub const RUN_BYTES: usize = 512 * 1024;

/// How many messages may wait for the broker's acknowledgement at once.
pub const RUNS_IN_FLIGHT: usize = 32;

/// How many messages of the broker a consumer takes at once: 8 MiB at the very most.
pub const PULL_MESSAGES: usize = 16;

/// How long the broker may be silent before the producer's log is asked whether the broker lost something.
pub const BROKER_SILENCE: Duration = Duration::from_secs(1);

/// How long the broker may take for one answer.
pub const BROKER_TIMEOUT: Duration = Duration::from_secs(5);

/// How many parked events one transaction replays.
pub const REPLAY_EVENTS: i64 = 100;

/// How often the position of a reader is written down: the retention needs it to the day, not to the second …
pub const NOTE_PAUSE: Duration = Duration::from_mins(1);

/// … or after so many positions, whichever comes first.
pub const NOTE_POSITIONS: i64 = 1_000;

/// A reader may ask ahead of what it has handled for good: by two batches, and by what a broker hands it at once. So much
/// below its position stays.
pub const READ_AHEAD: i64 = 10_000;

/// How often the retention looks for events that are old enough.
pub const RETENTION_PAUSE: Duration = Duration::from_hours(1);

/// How many rows one statement of the retention deletes.
pub const PRUNE_ROWS: i64 = 10_000;

/// How many characters of an error are kept with a parked event.
pub const MAX_ERROR_CHARS: usize = 2000;
