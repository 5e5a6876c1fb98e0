//! Orders of every platform, as they are read, and the life of those that were placed here.

pub mod advance;
pub mod domain;
pub mod events;
pub mod history;
pub mod lifecycle;
pub mod rpc;
pub mod store;
