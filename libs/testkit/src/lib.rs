#![doc = include_str!("../README.md")]
// Dev only: a failure here is a failed test, and says so by a panic.
#![expect(clippy::missing_panics_doc, reason = "everything here panics on failure, as tests do")]

mod cut;
mod database;
mod fixed;
mod scratch;
mod server;
mod sibling;

pub use cut::cut_after;
pub use database::Database;
pub use fixed::{FixedClock, SeededIds, id, merchant};
pub use scratch::{Scratch, pristine_cache};
pub use server::postgres;
pub use sibling::{Sibling, told};
