//! What was done with coupons by hand: given on, redeemed in a store, reversed, taken back.

pub mod store;
