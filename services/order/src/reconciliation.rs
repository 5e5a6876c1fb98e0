//! Reconciliation (对账, rule 9): our books against the statements of payment companies. A movement that both have with one
//! amount is matched, whatever its day; every other one stands in suspense until somebody has looked at it.

mod compare;
pub mod domain;
pub mod rpc;
mod show;
pub mod store;
