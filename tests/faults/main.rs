//! What the suite survives: processes that are killed in the middle of an import, and asked to end in the middle of it: after
//! each, the figures and the books are those of an import that nothing disturbed. Processes that are killed again and again
//! under payments and checkouts, lines that break at any byte, and crowds: every book says what clients were told, no money
//! is lost, none is made, and everybody is answered.
#![expect(clippy::unwrap_used, reason = "a failure in a helper is a failed test")]

mod bank;
mod checkout;
mod crowd;
mod cuts;
mod database;
mod import;
mod importer;
mod order_cuts;
mod process;
mod services;
mod wallet;

use std::time::Duration;

/// How long the faults that go on for a while go on, where `SIYU_CHAOS_SECS` says so. Without it they are short.
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment how long to last")]
fn chaos_time() -> Option<Duration> {
    let secs = std::env::var("SIYU_CHAOS_SECS").ok()?;
    Some(Duration::from_secs(secs.parse().expect("SIYU_CHAOS_SECS is a number of seconds")))
}
