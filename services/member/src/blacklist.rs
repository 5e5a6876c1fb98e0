//! The blacklist (黑名单): persons and keys that a merchant does not want to deal with, each with a scope, a reason and an end.

pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use crate::{
    App,
    person::{Merge, PersonId, Unmerge, domain::Identity, store::moving},
};

/// The id of an entry.
pub type EntryId = Id<kind::BlacklistEntry>;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry.
    pub id: EntryId,
    /// Who.
    pub target: Target,
    /// Out of what.
    pub scope: Scope,
    /// Why, sealed; none: erased.
    pub reason: Option<Vec<u8>>,
    /// Until when; none: until it is deleted.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Who is shut out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A person.
    Person(PersonId),
    /// Whoever comes with a key.
    Key(Identity),
}

/// What somebody is shut out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Scope {
    /// Messages that advertise.
    Marketing,
    /// Coupons, gifts, campaigns with a prize.
    Promotion,
    /// Buying.
    Purchase,
    /// All of them.
    All,
}

/// The survivor is on every list that one of the two was on.
pub(crate) async fn on_merge(_app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    moving::move_over(tx, &store::ENTRIES, merge).await?;
    Ok(())
}

/// Entries go back to whom they were made for.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    moving::move_back(tx, &store::ENTRIES, unmerge).await?;
    Ok(())
}

impl Scope {
    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        Some(match proto::BlacklistScope::try_from(value).ok()? {
            proto::BlacklistScope::Unspecified => return None,
            proto::BlacklistScope::Marketing => Self::Marketing,
            proto::BlacklistScope::Promotion => Self::Promotion,
            proto::BlacklistScope::Purchase => Self::Purchase,
            proto::BlacklistScope::All => Self::All,
        })
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Promotion => "promotion",
            Self::Purchase => "purchase",
            Self::All => "all",
        }
    }
}

impl From<Scope> for proto::BlacklistScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Marketing => Self::Marketing,
            Scope::Promotion => Self::Promotion,
            Scope::Purchase => Self::Purchase,
            Scope::All => Self::All,
        }
    }
}
