//! The metrics service over its methods and its events, with a real database and siblings that a test plays.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]

mod audience;
mod crash;
mod facts;
mod figures;
mod hours;
mod maintenance;
mod merges;
mod naive;
mod processes;
mod random;
mod tenants;
mod waiting;
mod windows;
mod world;
