#![doc = include_str!("../README.md")]

mod db;
mod error;
mod lock;
mod migrate;
mod settings;
mod tx;

pub mod catalogue;
pub mod coalesce;
pub mod embedded;
pub mod idempotency;
pub mod page;
pub mod replay;

pub use db::Db;
pub use error::{Error, OnConstraint};
pub use lock::Lock;
pub use migrate::{Applied, Migration, MigrationError, base_migrations, migrate, pending};
pub use settings::Settings;
pub use tx::{SystemTx, Tx};
