//! What happened to orders that were placed here: append-only.

pub mod store;
