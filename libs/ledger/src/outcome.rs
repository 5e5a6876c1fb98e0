//! What became of a transfer, and why it may have been refused.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};

use crate::{Record, TransferId};

/// What became of one transfer of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It took effect now.
    Created(Posted),
    /// It took effect earlier; this time nothing changed.
    Exists(Posted),
    /// It was refused and left no trace.
    Failed(Failure),
}

/// A transfer that took effect, now or earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Its id.
    pub id: TransferId,
    /// Units moved, reserved or released.
    pub amount: i64,
    /// The balance of the debit account after it.
    pub debit_balance: i64,
    /// The balance of the credit account after it.
    pub credit_balance: i64,
    /// When.
    pub posted_at: DateTime<Utc>,
}

/// Why a transfer was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Another transfer of its chain was refused.
    #[error("another transfer of its chain was refused")]
    LinkedFailed,
    /// The last transfer of a slice is bound to a next one.
    #[error("the chain has no end")]
    LinkedChainOpen,
    /// A transfer of this id exists with other content.
    #[error("the id is taken by a transfer with another {field}")]
    ExistsWithDifferent {
        /// The first field that differs.
        field: &'static str,
    },
    /// The amount is 0 or negative.
    #[error("the amount must be positive")]
    AmountNotPositive,
    /// Debit and credit account are the same.
    #[error("an account cannot transfer to itself")]
    SameAccount,
    /// There is no such account to debit.
    #[error("the debit account does not exist")]
    DebitAccountNotFound,
    /// There is no such account to credit.
    #[error("the credit account does not exist")]
    CreditAccountNotFound,
    /// The accounts count different assets.
    #[error("the accounts count different assets")]
    AssetsDiffer,
    /// The debit account would owe, and must not.
    #[error("the debit exceeds the balance")]
    ExceedsCredits,
    /// The credit account would be owed, and must not.
    #[error("the credit exceeds what is owed")]
    ExceedsDebits,
    /// The lots that may be drawn on do not hold so much.
    #[error("the debit exceeds the available lots")]
    ExceedsLots,
    /// A counter would leave 64 bits.
    #[error("a balance would leave 64 bits")]
    Overflow,
    /// Times or a lot were given for an account that keeps no lots.
    #[error("the account keeps no lots")]
    NoLots,
    /// The account has no such lot.
    #[error("the lot does not exist")]
    LotNotFound,
    /// A hold on lots reserves what is there: it cannot draw on what is not.
    #[error("a hold cannot overdraw")]
    HoldOverdraws,
    /// The hold would expire before it begins.
    #[error("the hold has expired already")]
    HoldTooShort,
    /// There is no such transfer to end or to reverse.
    #[error("the transfer it is about does not exist")]
    TargetNotFound,
    /// The transfer to end is no hold, or the one to reverse moved nothing or is a reversal.
    #[error("the transfer it is about is of another kind")]
    TargetOfOtherKind,
    /// The hold was posted already.
    #[error("the hold is posted already")]
    AlreadyPosted,
    /// The hold was voided already.
    #[error("the hold is voided already")]
    AlreadyVoided,
    /// The time of the hold is over.
    #[error("the hold has expired")]
    HoldExpired,
    /// The time of the hold is not over.
    #[error("the hold has not expired yet")]
    HoldNotExpired,
    /// More than the hold reserved.
    #[error("the amount exceeds the hold")]
    ExceedsHold,
    /// More than is left of the transfer to reverse.
    #[error("the reversals exceed the transfer")]
    ExceedsOriginal,
}

impl Outcome {
    /// What took effect, now or earlier.
    ///
    /// # Errors
    /// The [`Failure`].
    pub const fn posted(self) -> Result<Posted, Failure> {
        match self {
            Self::Created(posted) | Self::Exists(posted) => Ok(posted),
            Self::Failed(failure) => Err(failure),
        }
    }
}

impl From<&Record> for Posted {
    fn from(record: &Record) -> Self {
        Self {
            id: record.id,
            amount: record.amount,
            debit_balance: record.debit_balance,
            credit_balance: record.credit_balance,
            posted_at: record.posted_at,
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let precondition =
            |reason| Self::new(Code::FailedPrecondition, reason, failure.to_string());
        match failure {
            Failure::ExceedsCredits | Failure::ExceedsLots => precondition("INSUFFICIENT_BALANCE"),
            Failure::ExceedsDebits => precondition("EXCEEDS_WHAT_IS_OWED"),
            Failure::AlreadyPosted => precondition("HOLD_POSTED"),
            Failure::AlreadyVoided => precondition("HOLD_VOIDED"),
            Failure::HoldExpired => precondition("HOLD_EXPIRED"),
            Failure::HoldNotExpired => precondition("HOLD_NOT_EXPIRED"),
            Failure::HoldTooShort => precondition("HOLD_TOO_SHORT"),
            Failure::ExceedsHold => precondition("EXCEEDS_HOLD"),
            Failure::ExceedsOriginal => precondition("EXCEEDS_ORIGINAL"),
            Failure::Overflow => precondition("BALANCE_OVERFLOW"),
            Failure::TargetOfOtherKind => precondition("TRANSFER_OF_OTHER_KIND"),
            Failure::ExistsWithDifferent { .. } => {
                Self::new(Code::AlreadyExists, "TRANSFER_ID_REUSED", failure.to_string())
            }
            Failure::AmountNotPositive => Self::field("amount", "must be positive"),
            Failure::DebitAccountNotFound | Failure::CreditAccountNotFound => {
                Self::not_found("account")
            }
            Failure::TargetNotFound => Self::not_found("transfer"),
            Failure::LotNotFound => Self::not_found("lot"),
            // The caller inside the suite composed a transfer that no input of a client explains.
            Failure::LinkedFailed
            | Failure::LinkedChainOpen
            | Failure::SameAccount
            | Failure::AssetsDiffer
            | Failure::NoLots
            | Failure::HoldOverdraws => Self::internal(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_learns_what_it_can_act_on_and_nothing_of_our_own_mistakes() {
        let cases = [
            (Failure::ExceedsCredits, Code::FailedPrecondition, "INSUFFICIENT_BALANCE"),
            (Failure::ExceedsLots, Code::FailedPrecondition, "INSUFFICIENT_BALANCE"),
            (Failure::HoldExpired, Code::FailedPrecondition, "HOLD_EXPIRED"),
            (Failure::DebitAccountNotFound, Code::NotFound, "NOT_FOUND"),
            (
                Failure::ExistsWithDifferent { field: "amount" },
                Code::AlreadyExists,
                "TRANSFER_ID_REUSED",
            ),
            (Failure::AmountNotPositive, Code::InvalidArgument, "INVALID_FIELD"),
            (Failure::AssetsDiffer, Code::Internal, "INTERNAL"),
        ];
        for (failure, code, reason) in cases {
            let fault = Fault::from(failure);
            assert_eq!((fault.code(), fault.reason()), (code, reason), "{failure:?}");
        }
    }
}
