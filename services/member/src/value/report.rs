//! What issuers owe, what must be in custody, and what stores owe each other (rules 61 to 63). Every figure is a sum over what
//! changed cards, cut by the merchant's days, so that it comes out the same whenever somebody asks.

pub mod domain;
pub mod rpc;
pub mod store;
