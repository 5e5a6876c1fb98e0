//! Regions (区域): how a merchant divides its stores, a tree of bounded depth. A region is known by the merchant's own code.

pub mod domain;
pub mod rpc;
pub mod store;

pub use domain::RegionId;
