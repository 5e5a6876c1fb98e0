//! The ledger's SQL and nothing else. Every function is one statement, whatever the number of rows.
//!
//! A statement reads the rows it is about, however old the statistics of a table that has just grown. Rows are looked up one
//! by one through a lateral sub-select and changed by `on conflict`, and secondary indexes are partial, with a predicate
//! that their queries name (the reason stands in the first migration): so there is one plan for each. `id = any(…)`,
//! `update … from` and plain indexes leave a choice, and the choice is to read all rows of the merchant.

pub(crate) mod accounts;
pub(crate) mod check;
pub(crate) mod due;
pub(crate) mod load;
pub(crate) mod read;
mod rows;
pub(crate) mod write;
