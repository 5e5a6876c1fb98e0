//! The ledger against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "tests spawn and wait on their own")]

mod books;
mod checking;
mod expiring;
mod holds;
mod joining;
mod joining_random;
mod lots;
mod model;
mod model_moves;
mod parallel;
mod posting;
mod random;
mod reading;
mod replay;
mod reversing;
mod sharing;
mod walls;
