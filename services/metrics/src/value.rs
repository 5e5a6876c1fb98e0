//! What customers are worth (reference §1.7, §1.25, §1.27).

pub mod rpc;
