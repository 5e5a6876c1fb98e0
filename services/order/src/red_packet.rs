//! Red packets (红包): money for persons, within limits (reference §3.5, rule 87).
//!
//! | state | what is done | then |
//! | --- | --- | --- |
//! | created | send | sent, failed, or unknown |
//! | sending, unknown | ask; send again under the same number if the provider has none | sent, failed, or unknown still |
//! | sent | ask | received, or refunded after 72 hours |
//! | received, refunded, failed, stopped | nothing | |
//!
//! One that is created and that no provider was ever asked to send is stopped when a refund leaves nothing of its order. The
//! step that sends it and the refund both hold its row lock: it ends as one or the other.
//!
//! Budget and limits are reserved in the transaction that creates a packet, before anything is sent. The provider is asked
//! outside of any transaction, under a number that follows from the packet, so that a repeat sends once.
//!
//! Locks are taken in this order: the order, its packets by id, budgets by code, counts by kind, key and day.

pub mod domain;
pub(crate) mod job;
pub mod provider;
pub mod rpc;
mod send;
pub(crate) mod stop;
pub mod store;
