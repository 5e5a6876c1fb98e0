//! Accounts: who holds how much of what, and how far it may go.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{AccountId, Asset, TransferCode};

/// What kind of account it is, in the numbering of the owning service: 1 = points of a member, 2 = points issued, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct AccountCode(i16);

/// How far an account may go and how it is kept; combined by `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, sqlx::Type)]
#[sqlx(transparent)]
pub struct Flags(i16);

/// What an account is found by: at most one account of a merchant has the same three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::FromRow)]
pub struct AccountKey {
    /// Whose account it is: a person, an order, a promoter; nil for what the merchant has once.
    #[sqlx(rename = "owner_id")]
    pub owner: Uuid,
    /// What kind of account it is.
    pub code: AccountCode,
    /// What it counts.
    #[sqlx(try_from = "String")]
    pub asset: Asset,
}

/// Where the units of an account go that is joined to another: all three, or none for an account of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Joined {
    /// The other account.
    #[sqlx(rename = "joined_to")]
    pub to: Option<AccountId>,
    /// Why: the reference of the transfers between the two.
    #[sqlx(rename = "joined_by")]
    pub by: Option<Uuid>,
    /// The reason on the transfers between the two.
    #[sqlx(rename = "joined_code")]
    pub code: Option<TransferCode>,
}

/// An account to open, or to find if it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAccount {
    /// The id it gets if it is new.
    pub id: AccountId,
    /// What it is found by.
    pub key: AccountKey,
    /// Its limits; they never change.
    pub flags: Flags,
}

/// An account with its four counters. All are 0 or more, and grow only, but for the pending ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What it is found by.
    #[sqlx(flatten)]
    pub key: AccountKey,
    /// Its limits.
    pub flags: Flags,
    /// The sum of what was taken from it.
    pub debits_posted: i64,
    /// The sum of what was put into it.
    pub credits_posted: i64,
    /// What open holds may still take.
    pub debits_pending: i64,
    /// What open holds may still put in.
    pub credits_pending: i64,
    /// How many transfers have touched it: the number of the newest entry.
    pub entries: i64,
    /// The account that is to have what it has, if it is joined to one.
    #[sqlx(flatten)]
    pub joined: Joined,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl AccountCode {
    /// Numbers a kind of account.
    ///
    /// # Panics
    /// When the number is not positive, so a bad constant does not compile.
    #[must_use]
    pub const fn new(number: i16) -> Self {
        assert!(number > 0, "codes are positive");
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }
}

impl Flags {
    /// No limit and no lots.
    pub const NONE: Self = Self(0);
    /// The account never owes: posted and pending debits stay within posted credits. For what is owed to somebody.
    pub const DEBITS_MUST_NOT_EXCEED_CREDITS: Self = Self(1);
    /// The mirror image, for what somebody owes: posted and pending credits stay within posted debits.
    pub const CREDITS_MUST_NOT_EXCEED_DEBITS: Self = Self(2);
    /// Each credit is a lot with its own time of availability and expiry, and debits draw on lots.
    pub const LOTS: Self = Self(4);

    /// Both. In constants, where `|` does not go.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all flags of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl NewAccount {
    /// An account without limits.
    #[must_use]
    pub const fn new(id: AccountId, owner: Uuid, code: AccountCode, asset: Asset) -> Self {
        Self { id, key: AccountKey { owner, code, asset }, flags: Flags::NONE }
    }

    /// Sets the limits.
    #[must_use]
    pub const fn flags(self, flags: Flags) -> Self {
        Self { flags, ..self }
    }
}

impl Account {
    /// Posted credits less posted debits: what the owner has (or, if negative, owes). Accounts of what others owe, such
    /// as issued points or money received, are negative by nature.
    #[must_use]
    pub const fn balance(&self) -> i64 {
        // Both are 0 or more, so the difference always fits.
        self.credits_posted - self.debits_posted
    }

    /// The balance less what open holds may still take.
    #[must_use]
    pub const fn unheld(&self) -> i64 {
        // Posted and pending debits together fit into 64 bits, and this is not below their negative.
        self.credits_posted - self.debits_posted - self.debits_pending
    }
}
