//! Every bound of the service, with its reason.

use siyu_pg::page::Sizes;

/// Pages of every list: 50 fill a screen, 1000 keep a reply far below the message limit.
pub const PAGE: Sizes = Sizes { default: 50, max: 1000 };

/// What all levels of an order may earn together, in basis points of the base (reference §4.4).
pub const PAYOUT_BP_MAX: i32 = 5_000;

/// Levels that can be paid, the one who brought the customer included: WeChat's limit, and the law's (reference §4.3). The
/// table of commissions holds it too.
pub const LEVELS_MAX: usize = 2;

/// How often a click is tried when another click of the same customer is stored at the same moment.
pub const RACE_ATTEMPTS_MAX: usize = 8;
