//! Orders of a special kind (营销订单): group-buys, bargains, flash sales, blind boxes (reference §3.5). What is the same for
//! all stands here: activities as data, what a person has taken of one, and the place where checkout asks.
//!
//! Locks are taken in one order: the order, then the group, bargain or box, then what a person has taken, then coupons. Whoever
//! holds one of the latter never waits for an order that somebody else can see.

pub mod activity;
pub(crate) mod deal;
pub mod entry;
pub mod fair;
pub mod store;
