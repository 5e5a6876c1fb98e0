//! Tenders: what an order is paid with that the member service keeps (储值, 积分). Each is a two-phase hold there: reserved when
//! the order is placed, taken when it is paid, freed when it ends (rule 5). Every call has a request id that follows from the
//! order, so that a repeat, whoever makes it, has its effect once; an answer that never came is not a refusal (rule 7).

pub mod domain;
pub(crate) mod holds;
pub(crate) mod job;
pub mod store;
