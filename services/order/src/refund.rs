//! Refunds (退款, reference §3.1): what of an order goes back, planned from what each line cost, in any number of parts.
//!
//! A refund counts from the moment it is asked for (rule 31), is decided, and then gives back way by way: cash through its
//! payment, then stored value and points in the member service, each by a request id that follows from the refund. When
//! everything is back, the order's lines are less, what it had of the stock is free or back, and followers hear of the order
//! as it is then, so that points, growth, commission and figures follow by themselves.
//!
//! Locks are taken in this order: the claim and its payments, the order, its refunds, the coupons that it has or gave, the red
//! packets that it gave with their budgets and counts, its stock.

pub(crate) mod apply;
pub(crate) mod cash;
pub mod domain;
pub mod plan;
pub(crate) mod request;
pub(crate) mod rewards;
pub mod rpc;
pub(crate) mod run;
pub(crate) mod sold;
pub mod store;
