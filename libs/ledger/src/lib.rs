#![doc = include_str!("../README.md")]

// The model of the tests says `siyu_ledger` in both places where it is compiled.
#[cfg(test)]
extern crate self as siyu_ledger;

mod account;
mod asset;
mod check;
mod error;
mod expire;
mod join;
mod lot;
mod open;
mod outcome;
mod plan;
mod post;
mod poster;
mod query;
mod record;
mod store;
mod transfer;

pub use account::{Account, AccountCode, AccountKey, Flags, Joined, NewAccount};
pub use asset::{Asset, AssetError};
pub use check::{CheckReport, Finding, Totals, TrialBalance, check, trial_balance};
pub use error::Error;
pub use expire::{Lapsed, LotExpiry, due_lots, expire_holds, expire_lots, lapse_lots};
pub use join::{Joint, join, part};
pub use lot::{Lot, LotTerms, Move, MoveKind};
pub use open::{open, open_and_post};
pub use outcome::{Failure, Outcome, Posted};
pub use post::{MAX_BATCH, post, post_all};
pub use poster::Poster;
pub use query::{
    Entry, EntryPage, Funds, about, accounts_of, available, balances, entries, find, funds, lots,
    moves, transfers,
};
pub use record::{Kind, Record, UnknownWord};
pub use store::due::DueLot;
pub use transfer::{Action, Draw, Expired, Movement, Transfer, TransferCode};

use siyu_kernel::{Id, kind};
use siyu_pg::Migration;

/// Names an account.
pub type AccountId = Id<kind::Account>;
/// Names a transfer, and makes it idempotent.
pub type TransferId = Id<kind::Transfer>;
/// Names a lot.
pub type LotId = Id<kind::Lot>;
/// Names a merchant, whose ledgers are its own.
pub type MerchantId = Id<kind::Merchant>;

/// The ledger's tables, for the database of a service that keeps one: behind the base migrations of `siyu-pg`.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 200,
        name: "create_ledger_accounts",
        sql: include_str!("../migrations/0200_create_ledger_accounts.sql"),
    },
    Migration {
        version: 201,
        name: "create_ledger_transfers",
        sql: include_str!("../migrations/0201_create_ledger_transfers.sql"),
    },
    Migration {
        version: 202,
        name: "create_ledger_holds",
        sql: include_str!("../migrations/0202_create_ledger_holds.sql"),
    },
    Migration {
        version: 203,
        name: "create_ledger_lots",
        sql: include_str!("../migrations/0203_create_ledger_lots.sql"),
    },
    Migration {
        version: 204,
        name: "add_ledger_joins",
        sql: include_str!("../migrations/0204_add_ledger_joins.sql"),
    },
];
