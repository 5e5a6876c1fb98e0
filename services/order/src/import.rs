//! Imported orders (reference §3.10): orders of other platforms, taken in as often and in whatever order they come, counted
//! once. They never touch stock or payment.

pub mod batch;
pub mod domain;
pub mod keep;
pub mod parse;
pub mod refund;
pub mod release;
pub mod rpc;
pub mod store;
