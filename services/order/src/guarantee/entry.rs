//! What moved in the ledger, in words: one entry for each transfer, at the instant and in the transaction of it.

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_ledger::TransferCode;
use siyu_proto::order::v1 as proto;
use uuid::Uuid;

use super::books;
use crate::order::domain::OrderId;

/// What moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A tender paid.
    Paid,
    /// What is held became the merchant's.
    Released,
    /// A release set commission aside.
    Commission,
    /// A release paid the platform.
    Fee,
    /// A release settled what was advanced.
    Recovered,
    /// A refund took of what is held.
    Refunded,
    /// A refund took of what was the merchant's.
    Charged,
    /// A refund was advanced.
    Advanced,
    /// A refund reached the buyer.
    RefundPaid,
    /// A refund failed.
    RefundReturned,
    /// A dispute froze.
    Frozen,
    /// It freezes no more.
    Unfrozen,
    /// Money that belongs to no order was put aside.
    Suspended,
    /// It found where it belongs.
    Unsuspended,
}

/// An entry: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// The entry.
    pub id: Uuid,
    /// The order, if there is one.
    pub order_id: Option<OrderId>,
    /// What moved.
    pub kind: Kind,
    /// How much.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What it was for.
    pub subject: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Kind {
    /// All of them.
    const ALL: [(Self, TransferCode, &'static str); 14] = [
        (Self::Paid, books::PAID, "paid"),
        (Self::Released, books::RELEASED, "released"),
        (Self::Commission, books::COMMISSION, "commission"),
        (Self::Fee, books::FEE, "fee"),
        (Self::Recovered, books::RECOVERED, "recovered"),
        (Self::Refunded, books::REFUNDED, "refunded"),
        (Self::Charged, books::CHARGED, "charged"),
        (Self::Advanced, books::ADVANCED, "advanced"),
        (Self::RefundPaid, books::REFUND_PAID, "refund_paid"),
        (Self::RefundReturned, books::REFUND_RETURNED, "refund_returned"),
        (Self::Frozen, books::FROZEN, "frozen"),
        (Self::Unfrozen, books::UNFROZEN, "unfrozen"),
        (Self::Suspended, books::SUSPENDED, "suspended"),
        (Self::Unsuspended, books::UNSUSPENDED, "unsuspended"),
    ];

    /// What a transfer of the order ledger is.
    ///
    /// # Panics
    /// When the code is none of the order ledger.
    pub fn of(code: TransferCode) -> Self {
        let found = Self::ALL.iter().find(|(_, of, _)| *of == code);
        found.expect("every code of the order ledger has a kind").0
    }

    /// The word in columns.
    ///
    /// # Panics
    /// Never: every kind stands in the table.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).expect("every kind has a word").2
    }
}

impl From<Kind> for proto::GuaranteeEntryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Paid => Self::Paid,
            Kind::Released => Self::Released,
            Kind::Commission => Self::Commission,
            Kind::Fee => Self::Fee,
            Kind::Recovered => Self::Recovered,
            Kind::Refunded => Self::Refunded,
            Kind::Charged => Self::Charged,
            Kind::Advanced => Self::Advanced,
            Kind::RefundPaid => Self::RefundPaid,
            Kind::RefundReturned => Self::RefundReturned,
            Kind::Frozen => Self::Frozen,
            Kind::Unfrozen => Self::Unfrozen,
            Kind::Suspended => Self::Suspended,
            Kind::Unsuspended => Self::Unsuspended,
        }
    }
}

impl From<Entry> for proto::GuaranteeEntry {
    fn from(entry: Entry) -> Self {
        Self {
            kind: proto::GuaranteeEntryKind::from(entry.kind).into(),
            order_id: entry.order_id.map(|id| id.to_string()).unwrap_or_default(),
            currency_code: entry.currency,
            amount_minor: entry.amount_minor,
            subject: entry.subject,
            create_time: Some(timestamp(entry.created_at)),
        }
    }
}
