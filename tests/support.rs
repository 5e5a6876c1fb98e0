//! A suite to tell stories about, in one process or as six, and what a story needs: callers, order files, processes, waits
//! on conditions, and the transcript and the event log when it fails.
//!
//! Invariants: no wait is a sleep, each is on a condition and bounded; no process outlives the test that started it.

mod alone;
mod books;
mod broker;
mod caller;
mod dice;
mod figures;
mod idle;
mod orders;
mod place;
mod program;
mod proxy;
mod reference;
mod rest;
mod shared;
mod sheet;
mod shop;
mod six;
mod store;
mod story;
mod tool;
mod up;

pub use alone::Alone;
pub use books::{Books, books};
pub use broker::Broker;
pub use caller::{Bearer, Caller, Merchant, ask, refused};
pub use dice::Dice;
pub use figures::{assert_same, report};
pub use idle::{heads, rewind, run_until_idle};
pub use orders::{order, timestamp};
pub use place::{Databases, Place};
pub use program::{Finished, Program, free_addr, postgres_under, run_siyu};
pub use proxy::{Cut, Proxy, Way};
pub use reference::{CUSTOMERS, Reference, reference};
pub use rest::{Reply, announce, request};
pub use shared::suite;
pub use sheet::{Sheet, shuffle};
pub use shop::{ACCOUNT, Buyer, COUPON, GOODS, LOCATION, Shop};
pub use six::Six;
pub use store::{lock_table, rows_with};
pub use story::{HEAVY, LIMIT, story, until};
pub use tool::tool;
pub use up::Up;
