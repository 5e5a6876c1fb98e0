//! Every bound of the service, with its reason.

use std::time::Duration;

use siyu_pg::page::Sizes;

/// Pages of every list: 50 fill a screen, 1000 keep a reply far below the message limit.
pub const PAGE: Sizes = Sizes { default: 50, max: 1000 };

/// How often a resolution is tried when another one stores the same keys at the same moment.
pub const RACE_ATTEMPTS_MAX: usize = 8;

/// How long a job that found nothing waits: what falls due is worked off by the second, and idle processes stay quiet.
pub const IDLE_PAUSE: Duration = Duration::from_secs(1);

/// The merchants whose keys are kept opened: a few hundred bytes each, and drawing them again is one look-up.
pub const VAULT_MERCHANTS_MAX: usize = 10_000;

/// Levels of regions: country, province, city and some more; whoever goes up the tree stops after so many.
pub const REGION_DEPTH_MAX: usize = 8;

/// Regions of a merchant: the whole tree is read and checked for each change.
pub const REGIONS_MAX: usize = 2_000;

/// Hand-overs that one step ends: their persons are locked for so long.
pub const HANDOVER_BATCH: i64 = 100;
