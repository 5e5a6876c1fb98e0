//! What holds for the whole project, whoever works on it: style, edges between crates, SQL, schema, and every method of the
//! contracts. A new file, table or method is checked the moment it exists; nothing here lists them.
#![expect(clippy::unwrap_used, reason = "a check that cannot look has failed")]

// What stands in the files.
mod edges;
mod files;
mod migrations;
mod modules;
mod rust;
mod sql;
mod statements;
mod tidy;
mod words;
// What stands in the databases.
mod catalogue;
mod database;
// What stands in the contracts, and whether the suite keeps it.
mod admission;
mod foreign;
mod furniture;
mod methods;
mod raw;
mod shapes;
mod wording;
// What changes only on purpose.
mod golden;
mod reasons;
mod schema;
