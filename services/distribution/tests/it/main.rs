//! The distribution service over its methods and its events, with a real database and an order service that a test plays.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]

mod bindings;
mod bindings_race;
mod bindings_random;
mod buyers;
mod buyers_race;
mod commissions;
mod commissions_random;
mod disputes;
mod levels;
mod orders;
mod promoters;
mod revisions;
mod rules;
mod world;
