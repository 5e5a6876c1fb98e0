//! What holds for the whole project, whoever works on it: style, edges between crates, SQL, schema, and every method of the
//! contracts. A new file, table or method is checked the moment it exists; nothing here lists them.
#![expect(clippy::unwrap_used, reason = "a check that cannot look has failed")]

mod catalogue;
mod database;
mod edges;
mod files;
mod migrations;
mod modules;
mod rust;
mod sql;
mod statements;
mod tidy;
mod words;
