//! The ledger's SQL and nothing else. Every function is one statement, whatever the number of rows.
//!
//! Rows are looked up one by one through a lateral sub-select, and changed by `on conflict`: for such statements there is
//! one plan, by the key. `id = any(…)` and `update … from` leave a choice, and while the statistics of a table that has
//! just grown are old, the choice is to read all rows of the merchant.

pub(crate) mod accounts;
pub(crate) mod check;
pub(crate) mod due;
pub(crate) mod load;
pub(crate) mod read;
mod rows;
pub(crate) mod write;
