//! The messaging service over its methods and its jobs, with a real database, a made-up member service and channels that
//! fail as a test wants it.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]

mod audiences;
mod campaigns;
mod cancel;
mod crash;
mod decisions;
mod dispatch;
mod erasures;
mod freeze;
mod jobs;
mod member;
mod messages;
mod permissions;
mod provider;
mod receipts;
mod schema;
mod world;
