//! Every bound of the service, with its reason.

use std::time::Duration;

/// How many merchants' figures are kept in memory. One with a million orders takes about 20 MB, one of everyday size far
/// below one; who was not asked for longest goes first.
pub const CUBES_MAX: usize = 256;

/// The least time between two folds of one merchant: what a dashboard may lag behind without being asked.
pub const FOLD_PAUSE: Duration = Duration::from_millis(250);

/// After a fold that took long, the next one waits so many times as long: folding takes at most a sixth of the time while
/// orders stream in.
pub const FOLD_REST: u32 = 5;

/// How many merchants one look for changed days finds.
pub const FOLD_MERCHANTS: i64 = 100;

/// How many days are read and built at once in a fold: bounds its memory.
pub const FOLD_DAYS: usize = 64;

/// How many rows one statement writes.
pub const WRITE_ROWS: usize = 2_000;

/// Purchases are predicted this far where nothing else is asked for.
pub const HORIZON_DAYS: i32 = 365;

/// How many facts are taken from the database at once when orders are counted one by one.
pub const FACTS_PAGE: i64 = 10_000;

/// The longest window, about twenty years: a reply has a line for each of its weeks and months.
pub const WINDOW_DAYS_MAX: i32 = 7_310;
