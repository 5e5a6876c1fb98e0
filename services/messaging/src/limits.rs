//! Every bound of the service, with its reason.

use std::time::Duration;

use chrono::TimeDelta;
use siyu_pg::page::Sizes;

/// Pages of messages: 50 fill a screen, 1000 keep a reply far below the message limit.
pub const PAGE: Sizes = Sizes { default: 50, max: 1000 };

/// Pages of campaigns, each of which may hold a text of 4000 bytes: 200 make less than 1 MiB.
pub const CAMPAIGN_PAGE: Sizes = Sizes { default: 50, max: 200 };

/// Persons of an audience that are asked for and stored in one step: with 20 keys each their page stays below the message
/// limit, and a step takes a fraction of a second.
pub const AUDIENCE_PAGE: u16 = 500;

/// Persons of a list that are looked up at the same time: enough to hide a round trip, too few to crowd the member service.
pub const LOOKUPS_IN_FLIGHT: usize = 16;

/// How long the member service may take for one page of an audience, all its look-ups together.
pub const AUDIENCE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a worker owns a page of an audience: longer than it may take, with room for the database.
pub const AUDIENCE_LEASE: TimeDelta = TimeDelta::seconds(60);

/// Messages that are handed to a provider in one call.
pub const SUBMIT_BATCH: i64 = 500;

/// How long a provider may take for one call. What comes of it later is not known.
pub const SUBMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a worker owns messages: many times what the call may take, so that nobody else looks at messages that a slow
/// worker is still handing over.
pub const SUBMIT_LEASE: TimeDelta = TimeDelta::seconds(60);

/// How long to wait before a peer or a provider that failed is asked again for the same rows.
pub const RETRY_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// Messages of a cancelled campaign that are withdrawn in one transaction: some 50 ms of work.
pub const WITHDRAW_BATCH: i64 = 5000;

/// Campaigns that are found done in one transaction.
pub const FINISH_BATCH: i64 = 100;

/// Messages whose receipts the sandbox makes in one step.
pub const SANDBOX_BATCH: i64 = 500;

/// The longest that a job sleeps when it has nothing to do: what another process left is found then. What this process
/// leaves wakes it at once.
pub const IDLE_PAUSE: Duration = Duration::from_millis(500);

/// The longest reason of a failure, in bytes: the contract's bound of receipts, kept for what providers answer.
pub const FAILURE_BYTES_MAX: usize = 200;
