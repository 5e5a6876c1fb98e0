//! Lots: the parts of a balance, each with its own times.

use chrono::{DateTime, Utc};

use crate::{AccountId, LotId, TransferId, record::UnknownWord};

/// When the units of a credit may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct LotTerms {
    /// When they were earned: decides between lots that expire at the same time.
    pub earned_at: DateTime<Utc>,
    /// From when on they can be spent.
    pub available_at: DateTime<Utc>,
    /// From when on they can no longer be spent, whether the expiry job has come round or not.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A part of a balance. A lot has the id of the transfer that created it; an account's overdraft, a lot whose remainder
/// is 0 or negative, has the id of the account. So the remainders of all lots sum to the balance at all times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// Whose part it is.
    #[sqlx(rename = "account_id")]
    pub account: AccountId,
    /// What it held at first; 0 for the overdraft.
    pub amount: i64,
    /// What is left.
    pub remaining: i64,
    /// How much of that is reserved by open holds.
    pub held: i64,
    /// When its units may be used.
    #[sqlx(flatten)]
    pub terms: LotTerms,
}

/// Why a transfer moved a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveKind {
    /// A credit created it.
    Feed,
    /// A debit took from it.
    Draw,
    /// A reversal gave back what had been drawn.
    Return,
    /// New or freed units went to what was owed.
    Settle,
    /// A pending transfer reserved units.
    Hold,
    /// The reservation ended without a draw.
    Release,
}

/// What one transfer did to one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Move {
    /// The transfer.
    #[sqlx(rename = "transfer_id")]
    pub transfer: TransferId,
    /// The position among the moves of the transfer, from 0.
    pub position: i32,
    /// Whose lot it is.
    #[sqlx(rename = "account_id")]
    pub account: AccountId,
    /// The lot.
    #[sqlx(rename = "lot_id")]
    pub lot: LotId,
    /// Why.
    #[sqlx(try_from = "String")]
    pub kind: MoveKind,
    /// The change of what is left.
    pub remaining: i64,
    /// The change of what is reserved.
    pub held: i64,
}

impl LotTerms {
    /// Units that can be spent at once and for ever.
    #[must_use]
    pub const fn from(earned_at: DateTime<Utc>) -> Self {
        Self { earned_at, available_at: earned_at, expires_at: None }
    }

    /// Units that can be spent only from then on.
    #[must_use]
    pub const fn available_at(self, available_at: DateTime<Utc>) -> Self {
        Self { available_at, ..self }
    }

    /// Units that can no longer be spent from then on.
    #[must_use]
    pub const fn expires_at(self, expires_at: DateTime<Utc>) -> Self {
        Self { expires_at: Some(expires_at), ..self }
    }
}

impl Lot {
    /// Whether it stands for what is owed.
    #[must_use]
    pub fn is_overdraft(&self) -> bool {
        self.id.uuid() == self.account.uuid()
    }

    /// What is left and not reserved.
    #[must_use]
    pub const fn free(&self) -> i64 {
        self.remaining - self.held
    }

    /// Whether its units can be spent at that instant.
    #[must_use]
    pub fn is_available(&self, now: DateTime<Utc>) -> bool {
        self.terms.available_at <= now && !self.is_expired(now)
    }

    /// Whether its time is over at that instant.
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.terms.expires_at.is_some_and(|end| end <= now)
    }

    /// The order in which lots are drawn: earliest expiry first, never-expiring last, then as earned (reference §2.5).
    pub(crate) fn draw_order(&self) -> impl Ord + use<> {
        let ends = self.terms.expires_at;
        (ends.is_none(), ends, self.terms.earned_at, self.id)
    }
}

impl MoveKind {
    const ALL: [Self; 6] =
        [Self::Feed, Self::Draw, Self::Return, Self::Settle, Self::Hold, Self::Release];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Draw => "draw",
            Self::Return => "return",
            Self::Settle => "settle",
            Self::Hold => "hold",
            Self::Release => "release",
        }
    }
}

impl TryFrom<String> for MoveKind {
    type Error = UnknownWord;
    fn try_from(word: String) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(UnknownWord(word))
    }
}
