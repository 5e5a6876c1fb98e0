//! Where the pieces of a merchant lie: its stores and its warehouses (仓库), each known by the merchant's own key.

pub mod domain;
pub mod rpc;
pub mod store;
