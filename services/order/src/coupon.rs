//! Coupons (优惠券): templates of a merchant, and what persons claimed of them. A coupon keeps what its template promised at
//! the claim.

pub mod domain;
pub mod rpc;
pub mod store;
