//! The event log against a real PostgreSQL and a real NATS server.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic, in its helpers too")]

mod broker;
mod contract;
mod crash;
mod log;
mod nats;
mod parking;
mod rewind;
mod sequencer;
mod speed;
mod support;
mod trace;
mod unruly;
