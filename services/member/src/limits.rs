//! Every bound of the service, with its reason.

use std::time::Duration;

use chrono::TimeDelta;
use siyu_pg::{coalesce, page::Sizes};

/// Pages of every list: 50 fill a screen, 1000 keep a reply far below the message limit.
pub const PAGE: Sizes = Sizes { default: 50, max: 1000 };

/// How often a resolution is tried when another one stores the same keys at the same moment.
pub const RACE_ATTEMPTS_MAX: usize = 8;

/// How long a job that found nothing waits: what falls due is worked off by the second, and idle processes stay quiet.
pub const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// Levels of regions: country, province, city and some more; whoever goes up the tree stops after so many.
pub const REGION_DEPTH_MAX: usize = 8;

/// Regions of a merchant: the whole tree is read and checked for each change.
pub const REGIONS_MAX: usize = 2_000;

/// Hand-overs that one step ends: their persons are locked for so long.
pub const HANDOVER_BATCH: i64 = 100;

/// How many things whose time is over one step of a job works off: some dozens of milliseconds of locks.
pub const EXPIRED_AT_ONCE: u16 = 500;

/// Cards of a person that are looked at for what they entitle to, the newest: nobody has more that hold.
pub const CARDS_MAX: i64 = 1000;

/// How many gifts one step posts: each locks a wallet.
pub const GIFTS_AT_ONCE: i64 = 200;

/// Changes of points that share a commit: a batch of 256 takes some milliseconds; what would wait longer than a caller is
/// likely to, is refused at once.
pub const POINTS: coalesce::Limits =
    coalesce::Limits { max_batch: 256, queue: 1024, wait: Duration::from_secs(5) };

/// How many shares of changes of points may be under way at once: a merchant whose wallet is locked for long holds up those of
/// its own lane only.
pub const POINT_LANES: usize = 4;

/// How long points are frozen where the caller does not say: the longest a payment is waited for.
pub const FREEZE: TimeDelta = TimeDelta::days(1);

/// How long points may be frozen at most: longer than any pre-sale.
pub const FREEZE_LONGEST: TimeDelta = TimeDelta::days(90);

/// For how many days points come back whose lot expired while they were spent (reference §2.5).
pub const RESTORED_DAYS: u16 = 30;

/// How many months ahead a look at what expires goes where the caller does not say.
pub const EXPIRING_MONTHS: i32 = 3;

/// Holds of stored value that one step of the job frees, each in a transaction of its own: a fraction of a second.
pub const HOLDS_BATCH: i64 = 100;

/// Lots of bonus that one step of the job ends, by merchant in one transaction each: well below what a call of the ledger takes.
pub const BONUS_BATCH: u16 = 500;

/// For how many days back changes of stored value may still be written: a transaction that began before midnight, and clocks
/// that do not agree, are done with long before.
pub const OPEN_DAYS: i32 = 2;

/// How far ahead of ours the clock may be by which a person decided, or an edge began or ended.
pub const CLOCK_AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// Rows of one part of an export: at most a few hundred kilobytes.
pub const EXPORT_PAGE: u16 = 500;

/// Connections, relations and cards that the view of a person shows: more are listed by their own methods.
pub const VIEW_ROWS_MAX: i64 = 50;

/// Orders that the view of a person shows.
pub const VIEW_ORDERS_MAX: i64 = 5;

/// Attributes of a merchant: more than a form can ask for, few enough to be read whole.
pub const ATTRIBUTES_MAX: i64 = 200;

/// Choices of one attribute.
pub const CHOICES_MAX: usize = 200;

/// Tags of a merchant and tags of a person (reference §2.3).
pub const TAGS_MAX: i64 = 3_000;
/// See [`TAGS_MAX`].
pub const PERSON_TAGS_MAX: i64 = 200;

/// Groups of tags of a merchant: as many as there are tags, with a few in each.
pub const TAG_GROUPS_MAX: i64 = 1_000;

/// How many persons a filter is asked for at once where its persons are wanted and not their number: a few hundred
/// milliseconds of work, and some MiB.
pub const CHUNK: i64 = 65_536;

/// How many persons a rule is computed for in one transaction, so that its locks stay short.
pub const RULE_CHUNK: i64 = 16_384;

/// How many persons of whom something changed the rules are computed for in one transaction: some milliseconds for each rule.
pub const RULE_MARKS: i64 = 500;

/// How many persons one message of a stream and one row of a snapshot holds: some 100 KiB.
pub const STREAM_PAGE: usize = 4_096;

/// How often the rules of tags are computed by themselves.
pub const RULE_PERIOD: chrono::TimeDelta = chrono::TimeDelta::hours(24);
