//! How long the pages of a list take, the first and one at the end by turns, so that both meet the same machine.

use std::time::{Duration, Instant};

use crate::say;

/// A page at the end may take so many times as long as the first. A list that reads from the start for each page takes hundreds
/// of times as long.
const MOST_TIMES: u32 = 4;
/// With fewer pages there is no end far from the start.
const ENOUGH_PAGES: usize = 100;
/// How often each of the two is asked for.
const TURNS: usize = 25;

/// Asserts that a page at the end takes no longer than the first, and says how long both take. `tokens` lead to the pages, the
/// first to the last.
pub(crate) async fn assert_even(what: &str, tokens: &[String], page: impl AsyncFn(&str)) {
    // The last page may be short; the one before is whole.
    let ends = [&tokens[0], &tokens[tokens.len().saturating_sub(2)]];
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (token, took) in ends.iter().zip(&mut took) {
            let start = Instant::now();
            page(token).await;
            took.push(start.elapsed());
        }
    }
    let [first, last] = took.map(median);
    say(&format!("{what}: {} pages, first {first:?}, at the end {last:?}", tokens.len()));
    if tokens.len() >= ENOUGH_PAGES {
        assert!(last <= first * MOST_TIMES, "{what}: {first:?} at first, {last:?} at the end");
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
