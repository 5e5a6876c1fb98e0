//! What was sold, to whom, and when (reference §1.5, §1.6).

pub mod rpc;
