//! Why something cannot be done with what is held.

use siyu_kernel::{Code, Fault};

/// Why something cannot be done with what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A dispute of the order is open.
    #[error("a dispute of the order is open")]
    DisputeOpen,
    /// The dispute was closed before.
    #[error("the dispute is closed")]
    DisputeClosed,
    /// Less is left of what was paid.
    #[error("the amount exceeds what is left of the payment")]
    ExceedsPaid,
    /// Nothing is left that could be disputed.
    #[error("nothing is left that could be disputed")]
    NothingToDispute,
    /// Less of the refund is under way.
    #[error("the amount exceeds what is left of the refund")]
    ExceedsRefund,
    /// The rates take more than there is.
    #[error("commission and fee take more than everything")]
    Rates,
}

impl Error {
    /// The reason that clients act on.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::DisputeOpen => "DISPUTE_OPEN",
            Self::DisputeClosed => "DISPUTE_CLOSED",
            Self::ExceedsPaid => "EXCEEDS_PAYMENT",
            Self::NothingToDispute => "NOTHING_TO_DISPUTE",
            Self::ExceedsRefund => "EXCEEDS_REFUND",
            Self::Rates => "GUARANTEE_RATES",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(Code::FailedPrecondition, error.reason(), error.to_string())
    }
}
