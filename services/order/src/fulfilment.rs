//! Fulfilment (履约, reference §3.1, §3.7, rules 24, 25): which store an order goes to, what was sent of it, and the code that
//! picks it up. What this means for the order is for its life cycle to say: the functions here tell what happened, and the
//! methods let it happen to the order in the same transaction.
//!
//! Locks are taken in one order: the order, then what is fulfilled of it.

pub mod assignment;
pub(crate) mod job;
pub mod parcel;
pub mod pickup;
pub mod policy;
pub(crate) mod receipt;
pub mod route;
pub(crate) mod routing;
pub mod rpc;
pub mod site;

use siyu_kernel::{Id, kind};

/// The id of a store.
pub type StoreId = Id<kind::Store>;
/// The id of a parcel.
pub type ParcelId = Id<kind::Parcel>;
