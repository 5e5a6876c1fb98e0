//! How long the pages of a list take, from the first to the last.

use std::time::Duration;

use crate::say;

/// The last pages may take so many times as long as the first, for other work on the machine comes and goes between them: a
/// list that reads from the start for each page takes hundreds of times as long.
const MOST_TIMES: u32 = 20;
/// Below that, times of single pages say nothing.
const ENOUGH_PAGES: usize = 100;

/// Asserts that pages far behind take no longer than pages in front, and says how long both take.
pub(crate) fn assert_even(what: &str, pages: &[Duration]) {
    let part = (pages.len() / 10).max(1);
    let (first, last) = (median(&pages[..part]), median(&pages[pages.len() - part..]));
    say(&format!("{what}: {} pages, first {first:?}, last {last:?}", pages.len()));
    if pages.len() >= ENOUGH_PAGES {
        assert!(last <= first * MOST_TIMES, "{what}: {first:?} at first, {last:?} at last");
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}
