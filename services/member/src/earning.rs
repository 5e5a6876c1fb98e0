//! What orders earn their buyers: points and growth, from the facts of the order service. An order's earning is always the
//! one of its latest revision; a change takes the earlier one back and gives the new one, so the sum of all postings of an
//! order is what it earns now, whatever order revisions arrive in.

pub mod domain;
pub mod events;
pub mod store;

pub use events::subscription;
