//! Every bound of the service, with its reason.

use std::time::Duration;

use chrono::TimeDelta;
use siyu_pg::{coalesce, page::Sizes};

use crate::import::domain::Bounds;

/// Pages of every list: 50 fill a screen, 1000 keep a reply far below the message limit.
pub const PAGE: Sizes = Sizes { default: 50, max: 1000 };

/// How many persons the member service is asked for at once when a call names many.
pub const PERSONS_ASKED_AT_ONCE: usize = 16;

/// The largest amount of one line in minor units: 90 billion yuan, as much as a whole order may have.
pub const LINE_MINOR_MAX: i64 = ORDER.amount_minor;

/// How large an order can be over all its imports; beyond it the order is a mistake in the file. Sums over millions of such
/// orders stay below 2^63.
pub const ORDER: Bounds =
    Bounds { lines: 5_000, amount_minor: 9_000_000_000_000, quantity: 1_000_000_000 };

/// How far in the future a payment may lie: clocks of platforms differ by minutes, not by days.
pub const PAY_TIME_AHEAD_MAX: Duration = Duration::from_mins(10);

/// How long the merchant and the stores are remembered between imports. A store that is not known is always looked up anew.
pub const DIRECTORY_TTL: Duration = Duration::from_secs(10);

/// How many merchants are remembered at most; beyond it all are forgotten and looked up anew.
pub const DIRECTORY_MERCHANTS_MAX: usize = 10_000;

/// How often a batch is tried when another import creates the same orders at the same moment.
pub const RACE_ATTEMPTS_MAX: usize = 8;

/// How many orders leave the quarantine in one transaction.
pub const RELEASE_BATCH: i64 = 500;

/// What a step of a job takes up at most, so that it ends soon when the process stops.
pub const JOB_BATCH: i64 = 100;

/// How many payments, refunds, tenders or notifications a job has under way at once: half of the connections of a process, so
/// that callers find one.
pub const CALLS_AT_ONCE: usize = 8;

/// How long a job without work waits before it looks again.
pub const IDLE_PAUSE: Duration = Duration::from_millis(500);

/// How old a rate may be at which an order is placed in another currency: a weekend with a holiday.
pub const FX_RATE_AGE_MAX: TimeDelta = TimeDelta::days(3);

/// How many blind boxes one order may be for: each is a row that is drawn in one transaction and shown in one reply.
pub const BOX_PIECES_MAX: i64 = 1_000;

/// How long the job of tenders leaves those of a new order to the call that placed it.
pub const TENDER_HEAD_START: TimeDelta = TimeDelta::seconds(10);

/// How long what is held for an order stays held after the order's time to be paid: within it a payment that came in the
/// last second is taken, however long the member service was away.
pub const HOLD_GRACE: TimeDelta = TimeDelta::days(1);

/// Pieces of a SKU at a location at most: beyond it the number is a mistake, and sums over millions of stocks stay below 2^63.
pub const STOCK_PIECES_MAX: i64 = 1_000_000_000;

/// Reservations that share a commit: a batch of 256 takes some milliseconds. As many may wait as come at the first second of a
/// flash sale; who would wait longer than a buyer does is refused at once.
pub const RESERVATIONS: coalesce::Limits =
    coalesce::Limits { max_batch: 256, queue: 4_096, wait: Duration::from_secs(5) };

/// How many batches of reservations may be under way at once: a merchant whose stock is locked for long holds up those of its
/// own lane only.
pub const RESERVATION_LANES: usize = 4;

/// How long pieces are reserved for an order that is not stored yet: its transaction takes milliseconds.
pub const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// Stocks whose movements one call adds up: some hundred thousand rows are read in well below a second.
pub const STOCKS_CHECKED: i64 = 1_000;

/// In how many counter accounts the ledger keeps what a merchant has: a release waits for one in sixteen others, and a refund
/// after the release reads sixteen rows.
pub const SHARDS: u8 = 16;

/// How long after a pick-up what is held is released (reference §3.8).
pub const PICKED_UP_RELEASE_HOURS: i64 = 24;

/// How many orders one step of the job releases: some seconds of work, so that a process that stops is not waited for.
pub const RELEASES_BATCH: i64 = 200;

/// Pages of notifications: their bodies are some KiB each.
pub const NOTIFICATION_PAGE: Sizes = Sizes { default: 50, max: 200 };

/// How many refused notifications of an account are kept within [`REFUSED_WINDOW`]: enough to see what is wrong with its keys.
/// Anybody may post some, 16 KiB each: in the week that they are kept, an account has 52 MiB of them at most.
pub const REFUSED_KEPT_MAX: i32 = 20;

/// After which time refused notifications are counted anew.
pub const REFUSED_WINDOW: TimeDelta = TimeDelta::hours(1);

/// How long refused notifications are kept, for somebody to add a key and replay them.
pub const REFUSED_KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// Attempts to pay for one order: more than any buyer makes, and their number fits what payment companies take.
pub const ATTEMPTS_MAX: i32 = 50;

/// How long a payment company is waited for. The longest that WeChat Pay takes is some seconds.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// For how long a process has an attempt, a refund or a notification for itself: longer than all calls of one round take.
pub const CALL_LEASE: TimeDelta = TimeDelta::seconds(60);

/// When a payment company is asked for the first time how an attempt stands: buyers take some seconds, and most are told.
pub const FIRST_QUERY: TimeDelta = TimeDelta::seconds(30);

/// How long after the claim's time the payment company itself closes an attempt: after we have.
pub const EXPIRY_GRACE: TimeDelta = TimeDelta::minutes(1);

/// How far the time of a signature may be from ours (WeChat Pay: five minutes).
pub const SIGNATURE_WINDOW: Duration = Duration::from_mins(5);

/// The longest answer of a payment company that is read.
pub const ANSWER_MAX: usize = 1024 * 1024;

/// The longest statement of a day that is read: some hundred thousand lines.
pub const BILL_MAX: usize = 256 * 1024 * 1024;

/// Rows of a statement that one statement of SQL stores.
pub const STATEMENT_CHUNK: usize = 5_000;

/// How long is waited before something that did not come off is tried again: 5 seconds, then twice as long each time, at most
/// ten minutes.
pub fn backoff(tries: i32) -> TimeDelta {
    let doubled = 5_i64 << tries.clamp(0, 7);
    TimeDelta::seconds(doubled.min(600))
}

/// How often a pick-up code is drawn again when the store has the very same: with a thousand codes waiting, the second draw is
/// needed once in a hundred thousand.
pub const CODE_DRAWS_MAX: usize = 16;

/// How many wrong pick-up codes a store may try within [`PICKUP_FAILURES_WINDOW`]: more than clerks mistype, and at this pace a
/// thousand waiting codes are guessed once in a hundred days by somebody who never stops.
pub const PICKUP_FAILURES_MAX: i32 = 40;

/// After which time wrong pick-up codes are forgotten.
pub const PICKUP_FAILURES_WINDOW: TimeDelta = TimeDelta::hours(1);

/// For how many minutes a store may answer an offer unless the merchant says so (reference §3.7).
pub const ACCEPT_MINUTES: i32 = 10;

/// How many stores are asked before headquarters decide, unless the merchant says so (reference §3.7).
pub const STORES_ASKED: i32 = 3;

/// For how many days a pick-up code is good unless the merchant says so.
pub const PICKUP_DAYS: i32 = 7;

/// How many sites are compared when an order is routed: each costs a look at its stock for each SKU, so that an order of ten
/// is routed in some milliseconds.
pub const SITES_COMPARED: i64 = 500;

/// So many hours after it is routed somebody is to have an order in hand, unless the merchant says so: on the next day every
/// store opens that opens daily.
pub const PROMISE_HOURS: i32 = 24;

/// How far from today exceptions of opening hours are remembered: a week, which is the longest promise, and a day on either
/// side, whatever the zone of the store.
pub const EXCEPTIONS_NEAR: TimeDelta = TimeDelta::days(9);

/// How long an order waits to be routed while the member service, which knows the hours of stores, is away.
pub const ROUTE_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// Pages of parcels: each is shown with what is in it.
pub const PARCEL_PAGE: Sizes = Sizes { default: 50, max: 200 };

/// How long an order whose after-sale window is over waits for a refund or a dispute of it that is open.
pub const OPEN_REFUND_PAUSE: TimeDelta = TimeDelta::hours(1);

/// How long an order can be refunded after a dispute in which its buyer was right, whatever its after-sale window: a week for
/// staff to ask for what was decided.
pub const AFTER_DISPUTE: TimeDelta = TimeDelta::days(7);

/// How long a seat of a group waits whose order cannot be given back yet: for the decision on a refund of it that somebody has
/// asked for, for the money to arrive, or for what went wrong.
pub const SEAT_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// How long a claimed parcel card waits until the member service is asked about it once more.
pub const PARCEL_CARD_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The longest time for which a parcel card can be claimed: ten years.
pub const PARCEL_CARD_LIFE_MAX: TimeDelta = TimeDelta::days(3_653);

/// How many offers that nobody answered one step of the job passes on.
pub const ASSIGNMENTS_BATCH: i64 = 200;

/// How many red packets, and how many coupons, one order can give: more is a mistake, and a refund that leaves nothing of the
/// order takes them back in one transaction.
pub const ORDER_REWARDS_MAX: i32 = 100;
