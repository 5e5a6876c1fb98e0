//! The metrics service: every number that is shown.

pub mod engine;
