//! Quotes (算价): what a cart would cost now, and what everything that it follows from was at an instant.

pub mod rpc;
pub mod snapshot;
