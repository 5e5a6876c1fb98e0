//! Transfers as they stand in the journal: append-only, with the running balances of both accounts (rule 51).

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use crate::{
    AccountId, Action, Draw, Expired, LotTerms, Movement, Transfer, TransferCode, TransferId,
};

/// What kind of transfer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Single-phase.
    Post,
    /// A hold.
    Pending,
    /// The end of a hold: units moved.
    PostPending,
    /// The end of a hold: released by whoever held.
    VoidPending,
    /// The end of a hold: released by time.
    ExpirePending,
    /// A correction of an earlier transfer.
    Reverse,
}

/// A transfer in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: TransferId,
    /// What kind it is.
    pub kind: Kind,
    /// The account debited.
    pub debit: AccountId,
    /// The account credited.
    pub credit: AccountId,
    /// Units moved, reserved or released.
    pub amount: i64,
    /// The pending transfer that it ends, or the transfer that it reverses.
    pub target: Option<TransferId>,
    /// Why.
    pub code: TransferCode,
    /// What it is about.
    pub reference: Option<Uuid>,
    /// A number of the owning service.
    pub user_data: i64,
    /// What it was allowed to draw on.
    pub draw: Draw,
    /// The times of the lot that it creates, as asked for.
    pub lot: Option<LotTerms>,
    /// When a hold ends by itself; or until when a reversal restores expired units.
    pub until: Option<DateTime<Utc>>,
    /// Its number among the entries of the debit account, from 1 without gaps.
    pub debit_entry: i64,
    /// Its number among the entries of the credit account.
    pub credit_entry: i64,
    /// The balance of the debit account after it.
    pub debit_balance: i64,
    /// The balance of the credit account after it.
    pub credit_balance: i64,
    /// The instant that the poster was given.
    pub posted_at: DateTime<Utc>,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Post,
        Self::Pending,
        Self::PostPending,
        Self::VoidPending,
        Self::ExpirePending,
        Self::Reverse,
    ];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Pending => "pending",
            Self::PostPending => "post_pending",
            Self::VoidPending => "void_pending",
            Self::ExpirePending => "expire_pending",
            Self::Reverse => "reverse",
        }
    }

    /// Whether it changes posted balances.
    #[must_use]
    pub const fn moves_units(self) -> bool {
        matches!(self, Self::Post | Self::PostPending | Self::Reverse)
    }

    /// Whether it ends a hold.
    #[must_use]
    pub const fn ends_hold(self) -> bool {
        matches!(self, Self::PostPending | Self::VoidPending | Self::ExpirePending)
    }
}

/// A word in the database that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not a word of the ledger")]
pub struct UnknownWord(pub(crate) String);

impl TryFrom<String> for Kind {
    type Error = UnknownWord;
    fn try_from(word: String) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(UnknownWord(word))
    }
}

/// Instants as PostgreSQL keeps them: whole microseconds.
pub(crate) fn micros(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}

pub(crate) fn micros_of(terms: LotTerms) -> LotTerms {
    LotTerms {
        earned_at: micros(terms.earned_at),
        available_at: micros(terms.available_at),
        expires_at: terms.expires_at.map(micros),
    }
}

impl Expired {
    pub(crate) fn until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Forfeit => None,
            Self::Restore { until } => Some(micros(until)),
        }
    }
}

impl Record {
    /// The first field in which a transfer asked for differs from this one of the same id.
    pub(crate) fn difference(&self, asked: &Transfer) -> Option<&'static str> {
        let common = [
            ("code", self.code == asked.code),
            ("reference", self.reference == asked.reference),
            ("user_data", self.user_data == asked.user_data),
        ];
        let specific = match asked.action {
            Action::Post(movement) => self.compare(Kind::Post, &movement, None),
            Action::Pending { movement, expires_at } => {
                self.compare(Kind::Pending, &movement, expires_at.map(micros))
            }
            Action::PostPending { pending, amount } => {
                self.compare_target(Kind::PostPending, pending, amount)
            }
            Action::VoidPending { pending } => {
                self.compare_target(Kind::VoidPending, pending, None)
            }
            Action::ExpirePending { pending } => {
                self.compare_target(Kind::ExpirePending, pending, None)
            }
            Action::Reverse { of, amount, draw, expired } => self
                .compare_target(Kind::Reverse, of, amount)
                .or_else(|| (self.draw != draw).then_some("draw"))
                .or_else(|| (self.until != expired.until()).then_some("expired")),
        };
        let other = common.into_iter().find_map(|(field, same)| (!same).then_some(field));
        specific.or(other)
    }

    fn compare(
        &self,
        kind: Kind,
        movement: &Movement,
        expires_at: Option<DateTime<Utc>>,
    ) -> Option<&'static str> {
        let fields = [
            ("action", self.kind == kind),
            ("debit", self.debit == movement.debit),
            ("credit", self.credit == movement.credit),
            ("amount", self.amount == movement.amount),
            ("draw", self.draw == movement.draw),
            ("lot", self.lot == movement.lot.map(micros_of)),
            ("expires_at", self.until == expires_at),
        ];
        fields.into_iter().find_map(|(field, same)| (!same).then_some(field))
    }

    /// "All of it" was settled when the transfer was created; a repeat does not ask again how much that was.
    fn compare_target(
        &self,
        kind: Kind,
        target: TransferId,
        amount: Option<i64>,
    ) -> Option<&'static str> {
        let fields = [
            ("action", self.kind == kind),
            ("target", self.target == Some(target)),
            ("amount", amount.is_none_or(|amount| self.amount == amount)),
        ];
        fields.into_iter().find_map(|(field, same)| (!same).then_some(field))
    }
}
