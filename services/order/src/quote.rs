//! Quotes (算价): what a cart would cost now.

pub mod rpc;
