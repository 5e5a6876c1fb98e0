//! The ledger's SQL and nothing else. Every function is a few statements, whatever the number of rows.

pub(crate) mod accounts;
pub(crate) mod check;
pub(crate) mod due;
pub(crate) mod load;
pub(crate) mod read;
mod rows;
pub(crate) mod write;
