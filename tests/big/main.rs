//! What is said of millions of rows, shown with millions of rows: `make big`. Without `SIYU_BIG_ROWS` it is the same with a few
//! thousand, as every other test.
#![expect(clippy::unwrap_used, reason = "a failure in a helper is a failed test")]

mod events;
mod pages;
mod persons;

/// How many persons there are in the end, at least.
const FEW: usize = 6_000;

/// How many rows the environment asks for.
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment how large to be")]
fn rows() -> usize {
    let rows = std::env::var("SIYU_BIG_ROWS").ok();
    rows.map_or(FEW, |rows| rows.parse().expect("SIYU_BIG_ROWS is a number"))
}

/// Says what was measured, with the machine's noise in it: for people, not for a verdict.
#[expect(clippy::print_stderr, reason = "figures are the product of a large run")]
fn say(what: &str) {
    eprintln!("{what}");
}
