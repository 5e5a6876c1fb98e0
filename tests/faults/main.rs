//! What the suite survives: processes that are killed in the middle of an import, and asked to end in the middle of it. After
//! each, the figures and the books are those of an import that nothing disturbed.
#![expect(clippy::unwrap_used, reason = "a failure in a helper is a failed test")]

mod database;
mod import;
mod importer;
mod process;
mod services;
