//! Stores (门店): where a merchant sells, when it is open, how large it is. A store is known by the merchant's own code.
//! The room is called `shop` because `store` means SQL in every room.

pub mod domain;
pub mod rpc;
pub mod store;

pub use domain::StoreId;
