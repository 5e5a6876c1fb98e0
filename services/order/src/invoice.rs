//! What an invoice of an order needs (开票数据): to whom it is made out, what was sold at which tax rates, and what went back since.
//! It follows from what is kept with the order and its refunds, so that it says the same whenever it is asked for.

pub mod domain;
pub mod rpc;
pub mod store;
