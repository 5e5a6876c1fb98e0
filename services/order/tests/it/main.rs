//! The order service over its methods, with a real database and a member service that a test plays.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]

mod buyers;
mod catalogue;
mod checkouts;
mod coupons;
mod fulfilment;
mod fulfilment_race;
mod guarantees;
mod guarantees_race;
mod held;
mod import;
mod import_race;
mod import_random;
mod import_versions;
mod locations;
mod member;
mod orders;
mod pages;
mod payment_jobs;
mod payment_race;
mod payment_refunds;
mod payments;
mod price_lists;
mod quarantine;
mod quotes;
mod refunds;
mod refusals;
mod siblings;
mod stock;
mod stock_lists;
mod stock_orders;
mod stock_race;
mod stream;
mod till;
mod visibility;
mod world;
