//! Promotions that apply without being asked for (促销), as the merchant defines them.

pub mod domain;
pub mod rpc;
pub mod store;
