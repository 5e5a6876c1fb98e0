//! What a merchant sells (商品): items and their SKUs, each known by the merchant's own key.

pub mod domain;
pub mod rpc;
pub mod store;
