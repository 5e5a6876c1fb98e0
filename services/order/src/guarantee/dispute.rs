//! Disputes (维权): a buyer objects, and what is disputed is frozen until somebody decides.

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Currency, Id, kind};
use siyu_proto::order::v1 as proto;

use crate::order::domain::OrderId;

/// The id of a dispute.
pub type DisputeId = Id<kind::Dispute>;

/// A dispute: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Dispute {
    /// The dispute.
    pub id: DisputeId,
    /// The order.
    pub order_id: OrderId,
    /// What is disputed.
    pub amount_minor: i64,
    /// What of it is frozen.
    pub frozen_minor: i64,
    /// Why.
    pub reason: String,
    /// Who was right; nothing while it is open.
    pub outcome: Option<Outcome>,
    /// Why so.
    pub note: String,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Who was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Outcome {
    /// The buyer: a refund follows.
    Buyer,
    /// The merchant.
    Merchant,
    /// The buyer took it back.
    Withdrawn,
}

impl Outcome {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Merchant => "merchant",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The outcome that a contract's value names; `None` for "not given".
    pub const fn of_proto(outcome: proto::DisputeOutcome) -> Option<Self> {
        Some(match outcome {
            proto::DisputeOutcome::Unspecified => return None,
            proto::DisputeOutcome::Buyer => Self::Buyer,
            proto::DisputeOutcome::Merchant => Self::Merchant,
            proto::DisputeOutcome::Withdrawn => Self::Withdrawn,
        })
    }
}

impl From<Outcome> for proto::DisputeOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Buyer => Self::Buyer,
            Outcome::Merchant => Self::Merchant,
            Outcome::Withdrawn => Self::Withdrawn,
        }
    }
}

impl Dispute {
    /// In the contract.
    pub fn show(&self, currency: Currency) -> proto::Dispute {
        let outcome = self.outcome.map_or(proto::DisputeOutcome::Unspecified, Into::into);
        proto::Dispute {
            id: self.id.to_string(),
            order_id: self.order_id.to_string(),
            currency_code: currency.code().to_owned(),
            amount_minor: self.amount_minor,
            frozen_minor: self.frozen_minor,
            reason: self.reason.clone(),
            outcome: outcome.into(),
            note: self.note.clone(),
            open_time: Some(timestamp(self.opened_at)),
            close_time: self.closed_at.map(timestamp),
        }
    }
}
