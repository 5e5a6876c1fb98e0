//! Orders of every platform, as they are read.

pub mod domain;
pub mod rpc;
pub mod store;
