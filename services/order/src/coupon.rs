//! Coupons (优惠券): templates of a merchant, and what persons claimed of them. A coupon keeps what its template promised at
//! the claim.

pub mod code;
pub mod domain;
pub mod history;
pub mod many;
pub mod merge;
pub(crate) mod pass;
pub(crate) mod redeem;
pub mod rpc;
pub mod store;
