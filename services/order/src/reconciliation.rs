//! Reconciliation (对账, rule 9): our books against the statements of payment companies.

pub mod domain;
