//! Customers and promoters who turn out to be one person, or not after all: bindings and promoters follow. Of two bindings the
//! earliest that has not expired stays (reference §2.1, item 4).

pub mod events;
pub mod store;

pub use events::subscription;
