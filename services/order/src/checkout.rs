//! Checkout (下单): a cart becomes an order, and the order is paid or ends.
//!
//! Placing is one transaction: price, order, coupons, what is to be held. Only then the member service is asked to hold
//! stored value and points, by request ids that follow from the order, so that whatever a crash leaves behind is taken up
//! again by a job and has its effect once.

mod ahead;
pub(crate) mod cancel;
mod draft;
pub(crate) mod expire;
pub(crate) mod finish;
mod keep;
pub mod place;
pub(crate) mod policy;
pub(crate) mod revive;
pub(crate) mod ripen;
pub mod rpc;
pub(crate) mod settle;
pub mod store;
