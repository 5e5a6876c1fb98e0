//! What a success means, for the attempt and for its claim. Pure.

use super::{Event, State};
use crate::claim::domain as claim;

/// What does not fit in what a payment company says (rule 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// The amount.
    Amount,
    /// The currency.
    Currency,
    /// The account that got the money.
    Payee,
}

/// Whether an order can be had again whose money came after its claim was closed (rule 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// It can: stock was taken again.
    Revive,
    /// It cannot: the money goes back.
    Refund,
}

/// What a success means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was known: nothing happens.
    Known,
    /// The claim is paid by it.
    Keep(claim::Event),
    /// It goes back whole.
    GiveBack,
    /// Somebody has to look at it.
    Hold(Mismatch),
}

impl Mismatch {
    /// What is said of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "another amount was paid than asked for",
            Self::Currency => "another currency was paid than asked for",
            Self::Payee => "another account got the money than was asked",
        }
    }
}

impl Settlement {
    /// What happens to the attempt.
    pub const fn event(self) -> Option<Event> {
        match self {
            Self::Known => None,
            Self::Keep(_) => Some(Event::Kept),
            Self::GiveBack => Some(Event::Surplus),
            Self::Hold(_) => Some(Event::Mismatched),
        }
    }
}

/// What a success of an attempt means for it and for its claim. One claim keeps one payment (rules 15, 16).
pub const fn settle(
    claim: claim::State,
    attempt: State,
    mismatch: Option<Mismatch>,
    late: Late,
) -> Settlement {
    if attempt.is_paid() {
        return Settlement::Known;
    }
    if let Some(mismatch) = mismatch {
        return Settlement::Hold(mismatch);
    }
    match (claim, late) {
        (claim::State::Open | claim::State::Closing, _) => Settlement::Keep(claim::Event::Success),
        (claim::State::Closed, Late::Revive) => Settlement::Keep(claim::Event::Revive),
        (claim::State::Closed, Late::Refund) | (claim::State::Paid, _) => Settlement::GiveBack,
    }
}
