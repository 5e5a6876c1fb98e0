//! Bindings (客户绑定): which promoter a customer belongs to, at most one at any instant (rules 65–67).

pub mod domain;
pub mod rpc;
pub mod store;
