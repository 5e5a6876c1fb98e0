//! Fulfilment (履约, reference §3.1, §3.7, rules 24, 25): which store an order goes to, what was sent of it, and the code that
//! picks it up. What this means for the order is for its life cycle to say: the functions here tell what happened.
//!
//! Locks are taken in one order: the order, then what is fulfilled of it.

pub mod assignment;
pub mod parcel;
pub mod pickup;
pub mod route;

use siyu_kernel::{Id, kind};

/// The id of a store.
pub type StoreId = Id<kind::Store>;
/// The id of a parcel.
pub type ParcelId = Id<kind::Parcel>;
