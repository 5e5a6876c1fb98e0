//! Every bound of the wire, with its reason.

use std::time::Duration;

use chrono::TimeDelta;

/// The largest message that a method takes unless its service says otherwise: gRPC's own default, and 16 times the largest
/// list of 1000 elements with 256 bytes each.
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// The largest message of an import: a batch of rows with their source lines.
pub const IMPORT_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// All headers of a request together. Assertion, trace context and deadline need about 1 KiB.
pub const HEADER_BYTES: u32 = 16 * 1024;

/// Streams that one connection may have open. A sibling opens several connections; more in one only queues behind its one
/// task.
pub const STREAMS_PER_CONNECTION: u32 = 1024;

/// How long an assertion lives: longer than the longest call may take to reach the last service of its chain, short enough
/// that a revoked credential is out of use within a minute.
pub const ASSERTION_LIFE: TimeDelta = TimeDelta::seconds(60);

/// How far apart the clocks of two machines may be.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// The shortest key for HS256: the size of its hash (RFC 7518 §3.2).
pub const ASSERTION_KEY_BYTES: usize = 32;

/// The longest token that is looked at: ours have 300 bytes with a dozen scopes.
pub const ASSERTION_BYTES: usize = 4096;

/// How many assertions are remembered, each for signing and for verifying: a few MiB, and more callers than are active in a
/// minute.
pub const ASSERTIONS_REMEMBERED: usize = 4096;

/// What a server keeps back of a caller's time, so that its answer arrives before the caller stops waiting: a tenth, within
/// these bounds.
pub const ANSWER_TIME: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// The shortest wait that a refused client is told to keep before it repeats.
pub const RETRY_AFTER: Duration = Duration::from_millis(500);

/// How long a client waits for a peer when neither it nor its own caller says otherwise.
pub const PEER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a call to a peer that is not there is tried in all, and the first wait between two tries, which doubles: some 350
/// ms together, a little longer than it takes to be sent to another replica.
pub const PEER_TRIES: u32 = 4;
/// See [`PEER_TRIES`].
pub const PEER_WAIT: Duration = Duration::from_millis(50);

/// How many reasons and keys of peers' faults are kept as constants. Contracts name a few hundred; the bound is for a peer
/// that makes them up.
pub const FOREIGN_WORDS: usize = 2048;

/// How long a new connection may take to say that it speaks HTTP/2: a round trip on a bad line, many times over.
pub const PREFACE_TIME: Duration = Duration::from_secs(10);

/// How long to wait before connections are taken again when the system refused to hand one over.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a call waits for a service of the same process that is still being built: building all of them takes less.
pub const START_WAIT: Duration = Duration::from_secs(5);
