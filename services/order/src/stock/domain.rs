//! What stock is: pieces of a SKU at a location, and why they change. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_proto::order::v1 as proto;

use crate::order::domain::OrderId;

/// What stock is counted by. Sorted: everybody locks in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The SKU.
    pub sku: String,
    /// The location.
    pub location: String,
}

/// How many pieces there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// Pieces that lie there.
    pub on_hand: i64,
    /// Pieces of them that orders wait for.
    pub reserved: i64,
    /// Pieces that are not sold; may be more than there are.
    pub safety: i64,
    /// Pieces that are set aside and not reserved yet, by channel.
    pub buckets: BTreeMap<String, i64>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is known of a SKU at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether pieces of the SKU are counted; none: the SKU is not in the catalogue.
    pub kept: Option<bool>,
    /// The stock, if there ever was any.
    pub stock: Option<Stock>,
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Cause {
    /// Pieces came from a supplier.
    Received,
    /// Somebody put it right.
    Adjusted,
    /// A count found so many.
    Counted,
    /// An order waits for the pieces.
    Reserved,
    /// An order does not wait for them any more.
    Released,
    /// Pieces were handed over.
    Committed,
    /// Pieces of an order came back.
    Returned,
    /// Pieces went to another location.
    TransferredOut,
    /// Pieces came from another location.
    TransferredIn,
}

/// What a movement is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Of {
    /// The order and its line.
    pub line: Option<(OrderId, i32)>,
    /// The document; may be empty.
    pub document_no: String,
    /// The row of a document that was imported.
    pub row_no: Option<i32>,
    /// What is said besides; may be empty.
    pub note: String,
}

/// A change of a stock, with the balances after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// What changed.
    pub key: Key,
    /// Why.
    pub cause: Cause,
    /// Pieces that came or, below zero, went.
    pub on_hand_delta: i64,
    /// Pieces that were reserved or, below zero, are no longer.
    pub reserved_delta: i64,
    /// Pieces on hand after it.
    pub on_hand: i64,
    /// Reserved pieces after it.
    pub reserved: i64,
    /// What it is for.
    pub of: Of,
}

impl Stock {
    /// No pieces.
    pub const fn none(now: DateTime<Utc>) -> Self {
        Self { on_hand: 0, reserved: 0, safety: 0, buckets: BTreeMap::new(), updated_at: now }
    }

    /// Pieces that can be sold: `on_hand − reserved − safety`, at least 0 (reference §3.6).
    pub fn available(&self) -> i64 {
        (self.on_hand - self.reserved - self.safety).max(0)
    }

    /// Pieces that can be sold and are in no bucket, at least 0.
    pub fn unassigned(&self) -> i64 {
        (self.on_hand - self.reserved - self.safety - self.set_aside()).max(0)
    }

    /// Pieces that a channel can sell: those of its bucket, or where it has none, those in no bucket.
    pub fn available_to(&self, channel: &str) -> i64 {
        match self.buckets.get(channel) {
            Some(&left) => left.min(self.available()),
            None => self.unassigned(),
        }
    }

    /// Pieces that are neither reserved nor set aside, at least 0: those that may be moved to another location.
    pub fn movable(&self) -> i64 {
        (self.on_hand - self.reserved - self.set_aside()).max(0)
    }

    /// Pieces in buckets.
    pub fn set_aside(&self) -> i64 {
        self.buckets.values().sum()
    }
}

impl Place {
    /// Whether orders need not reserve it: a service or a virtual good.
    pub const fn is_not_counted(&self) -> bool {
        matches!(self.kept, Some(false))
    }

    /// Pieces that a channel can sell.
    pub fn available_to(&self, channel: &str) -> i64 {
        self.stock.as_ref().map_or(0, |stock| stock.available_to(channel))
    }
}

impl Cause {
    const ALL: [Self; 9] = [
        Self::Received,
        Self::Adjusted,
        Self::Counted,
        Self::Reserved,
        Self::Released,
        Self::Committed,
        Self::Returned,
        Self::TransferredOut,
        Self::TransferredIn,
    ];

    /// The word of the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Adjusted => "adjusted",
            Self::Counted => "counted",
            Self::Reserved => "reserved",
            Self::Released => "released",
            Self::Committed => "committed",
            Self::Returned => "returned",
            Self::TransferredOut => "transferred_out",
            Self::TransferredIn => "transferred_in",
        }
    }

    /// The cause that a request names; none where it names none.
    pub fn of_proto(cause: proto::StockCause) -> Option<Self> {
        Self::ALL.into_iter().find(|own| proto::StockCause::from(*own) == cause)
    }
}

impl From<Cause> for proto::StockCause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Received => Self::Received,
            Cause::Adjusted => Self::Adjusted,
            Cause::Counted => Self::Counted,
            Cause::Reserved => Self::Reserved,
            Cause::Released => Self::Released,
            Cause::Committed => Self::Committed,
            Cause::Returned => Self::Returned,
            Cause::TransferredOut => Self::TransferredOut,
            Cause::TransferredIn => Self::TransferredIn,
        }
    }
}
