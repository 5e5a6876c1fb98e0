//! The event log against a real PostgreSQL and a real NATS server.

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
mod unruly;
