//! Every bound of the door, with its reason. What an operator may want to change stands in [`crate::config`].

use std::time::Duration;

use chrono::TimeDelta;
use siyu_pg::{coalesce, page};

/// How long a credential that was looked up is believed: so long can a token live on in another process after it was revoked,
/// and so rarely does a busy caller cost a look-up.
pub const TOKEN_REMEMBERED: TimeDelta = TimeDelta::seconds(5);

/// How many credentials are remembered: more than are used within five seconds; about 6 MiB.
pub const TOKENS_REMEMBERED: usize = 10_000;

/// Look-ups of tokens share statements. A flood of made-up tokens fills the queue, waits and is refused, and takes one
/// connection of the database, not all.
pub const LOOKUPS: coalesce::Limits =
    coalesce::Limits { max_batch: 200, queue: 2000, wait: Duration::from_secs(2) };

/// Pages of lists, as the contract says.
pub const PAGE: page::Sizes = page::Sizes { default: 50, max: 1000 };

/// All headers of a request: a token, a trace context, a key, and what proxies add.
pub const HEADER_BYTES: u32 = 16 * 1024;

/// The number of headers of an HTTP/1 request.
pub const HEADERS: usize = 100;

/// Streams that one HTTP/2 connection may have open: a client with more calls at once opens another connection.
pub const STREAMS_PER_CONNECTION: u32 = 256;

/// How long a client may be silent on an HTTP/2 connection before it is asked whether it is there, and to answer that.
pub const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// Calls of health and reflection at once: they need no credential, so they must not take the places of those who have one.
pub const OPEN_CALLS: usize = 64;

/// The largest reply that is turned into JSON: a page of 1000 rows has some 500 KiB.
pub const REPLY_BYTES: usize = 32 * 1024 * 1024;

/// The largest notification of a payment company: as much as the order service keeps; theirs have 2 KiB.
pub const HOOK_BYTES: usize = 16 * 1024;

/// The headers of a signature: theirs has five.
pub const HOOK_HEADERS: usize = 16;

/// How long a notification may take: the companies wait five seconds, then send it again.
pub const HOOK_TIME: Duration = Duration::from_millis(4_500);

/// Notifications at once: they need no credential, so they must not take the places of those who have one.
pub const HOOK_CALLS: usize = 64;

/// How often one address may be posted to, in microseconds from one to the next: 50 a second, more than a busy shop is paid.
pub const HOOK_EACH_MICROS: i64 = 20_000;

/// What an address may use up in advance: 200 notifications, as when a company catches up.
pub const HOOK_BURST_MICROS: i64 = 200 * HOOK_EACH_MICROS;

/// Addresses that are told apart: 32 KiB for their calls, and as much for the keys that were believed.
pub const HOOK_SLOTS: usize = 4096;

/// How long the door waits after the system refused it a connection, for instance for want of file descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
