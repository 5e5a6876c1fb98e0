//! Why something cannot be done with stored value.

use siyu_kernel::{Code, Fault};

/// Why something cannot be done with stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The card does not cover the amount.
    #[error("the card does not cover the amount")]
    InsufficientBalance,
    /// The card is frozen.
    #[error("the card is frozen")]
    CardFrozen,
    /// The card is closed, or waits for whom it was given to.
    #[error("the card is closed")]
    CardClosed,
    /// The card's time is over.
    #[error("the card has expired")]
    CardExpired,
    /// The card belongs to another person.
    #[error("the card belongs to another person")]
    CardOfAnother,
    /// Something is left on the card.
    #[error("the card is not empty")]
    CardNotEmpty,
    /// The card never expires.
    #[error("the card never expires")]
    CardWithoutExpiry,
    /// The plan is not offered, or not for this card.
    #[error("the plan is not offered for this card now")]
    PlanClosed,
    /// The person took the plan as often as it may be taken.
    #[error("the person has taken the plan as often as it may be taken")]
    PlanLimit,
    /// The recharge was given back before.
    #[error("the recharge was given back before")]
    RechargeRefunded,
    /// Nothing is left of it.
    #[error("nothing is left that could be given back")]
    NothingToRefund,
    /// The payment was taken.
    #[error("the hold is posted already")]
    HoldPosted,
    /// The hold was freed.
    #[error("the hold is voided already")]
    HoldVoided,
    /// The hold's time is over.
    #[error("the hold has expired")]
    HoldExpired,
    /// The hold is smaller.
    #[error("the amount exceeds the hold")]
    ExceedsHold,
    /// Less is left of the payment.
    #[error("the refunds exceed the payment")]
    ExceedsOriginal,
    /// Nothing was taken that could be given back.
    #[error("the payment was not taken")]
    NotPaid,
    /// Whoever asked must not approve.
    #[error("whoever asked for it must not approve it")]
    SameOperator,
    /// Somebody decided before.
    #[error("the redemption is decided already")]
    RedemptionDecided,
    /// The cards are of two issuers.
    #[error("the cards are of two issuers")]
    IssuersDiffer,
    /// The gift does not wait any more.
    #[error("the gift does not wait any more")]
    GiftEnded,
}

impl Error {
    /// The reason that clients act on.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::InsufficientBalance => "INSUFFICIENT_BALANCE",
            Self::CardFrozen => "VALUE_CARD_FROZEN",
            Self::CardClosed => "VALUE_CARD_CLOSED",
            Self::CardExpired => "VALUE_CARD_EXPIRED",
            Self::CardOfAnother => "VALUE_CARD_OF_ANOTHER",
            Self::CardNotEmpty => "VALUE_CARD_NOT_EMPTY",
            Self::CardWithoutExpiry => "VALUE_CARD_WITHOUT_EXPIRY",
            Self::PlanClosed => "RECHARGE_PLAN_CLOSED",
            Self::PlanLimit => "RECHARGE_PLAN_LIMIT",
            Self::RechargeRefunded => "RECHARGE_REFUNDED",
            Self::NothingToRefund => "NOTHING_TO_REFUND",
            Self::HoldPosted => "HOLD_POSTED",
            Self::HoldVoided => "HOLD_VOIDED",
            Self::HoldExpired => "HOLD_EXPIRED",
            Self::ExceedsHold => "EXCEEDS_HOLD",
            Self::ExceedsOriginal => "EXCEEDS_ORIGINAL",
            Self::NotPaid => "VALUE_NOT_PAID",
            Self::SameOperator => "SAME_OPERATOR",
            Self::RedemptionDecided => "REDEMPTION_DECIDED",
            Self::IssuersDiffer => "VALUE_ISSUERS_DIFFER",
            Self::GiftEnded => "GIFT_ENDED",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(Code::FailedPrecondition, error.reason(), error.to_string())
    }
}
