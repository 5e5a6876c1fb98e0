//! Every bound of the service, with its reason.

use siyu_pg::page::Sizes;

/// Pages of every list: 50 fill a screen, 1000 keep a reply far below the message limit.
pub const PAGE: Sizes = Sizes { default: 50, max: 1000 };

/// How often a resolution is tried when another one stores the same keys at the same moment.
pub const RACE_ATTEMPTS_MAX: usize = 8;
