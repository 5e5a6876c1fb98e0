//! Who waits for stock: what orders ask for, what they hold, and what they are told when there is too little. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault};

use super::domain::Key;
use crate::order::domain::OrderId;

/// What a reservation is known by. Sorted: everybody locks in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReservationKey {
    /// The order.
    pub order_id: OrderId,
    /// Its line.
    pub line_no: i32,
    /// What was reserved.
    pub key: Key,
    /// The channel that it was sold by; may be empty.
    pub channel: String,
}

/// What a line of an order reserved of a stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// What it is known by.
    pub key: ReservationKey,
    /// Pieces that were ever reserved.
    pub quantity: i64,
    /// Pieces of them that are held now.
    pub held: i64,
    /// Pieces of those held that were set aside for the channel.
    pub from_bucket: i64,
    /// Pieces that were handed over.
    pub committed: i64,
    /// Pieces of those handed over that came back.
    pub returned: i64,
    /// Until when the pieces are held; none: as long as the order wants them.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What an order wants to reserve: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The order.
    pub order_id: OrderId,
    /// What it wants. Several may share a SKU, and several may belong to one line: a bundle, or a line from two locations.
    pub demands: Vec<Demand>,
    /// Until when the pieces are held; none: as long as the order wants them.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Request {
    /// Whether reservations of the order hold exactly what it wants.
    pub fn is_held_by(&self, reservations: &[Reservation]) -> bool {
        let (mut wanted, mut held) = (BTreeMap::new(), BTreeMap::new());
        for demand in &self.demands {
            let key = (demand.line_no, &demand.key, demand.channel.as_str());
            *wanted.entry(key).or_insert(0) += demand.quantity;
        }
        for Reservation { key, held: pieces, .. } in reservations.iter().filter(|one| one.held > 0)
        {
            *held.entry((key.line_no, &key.key, key.channel.as_str())).or_insert(0) += pieces;
        }
        wanted == held
    }
}

/// Pieces that a line wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The line.
    pub line_no: i32,
    /// What from where.
    pub key: Key,
    /// The channel that it is sold by; empty: none.
    pub channel: String,
    /// Pieces, at least 1.
    pub quantity: i64,
}

/// A line that cannot have what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The line.
    pub line_no: i32,
    /// What it asks for.
    pub key: Key,
    /// Pieces that it asks for.
    pub asked: i64,
    /// Pieces that it could have, after what the lines before it ask for.
    pub available: i64,
}

/// Pieces of a line that has reserved before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The line.
    pub line_no: i32,
    /// The SKU; of a bundle there is a part for each.
    pub sku: String,
    /// The location; none: wherever the line has reserved, by location.
    pub location: Option<String>,
    /// Pieces, at least 1.
    pub quantity: i64,
}

/// Where pieces go that come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restock {
    /// To where they were handed over from.
    Origin,
    /// To this location.
    At(String),
    /// Nowhere: they cannot be sold again.
    Nowhere,
}

/// Why reservations are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseCause {
    /// The order was cancelled.
    Cancelled,
    /// Nobody paid in time.
    Expired,
    /// It was refunded before it was handed over.
    Refunded,
    /// It goes to another location.
    Rerouted,
}

impl ReleaseCause {
    /// The note of the movement.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::Rerouted => "rerouted",
        }
    }
}

/// The answer to a caller who asked for more than there is: names every line.
///
/// # Panics
/// When nothing is short.
pub fn refusal(short: &[Shortage]) -> Fault {
    let first = short.first().expect("a refusal has a line that is short");
    let more =
        if short.len() > 1 { format!(" (and {} more)", short.len() - 1) } else { String::new() };
    let Shortage { line_no, key, asked, available } = first;
    let message = format!(
        "line {line_no}: {asked} of \"{}\" at \"{}\" were asked for, {available} are available{more}",
        key.sku, key.location
    );
    let lines: Vec<String> = short.iter().map(|short| short.line_no.to_string()).collect();
    Fault::new(Code::FailedPrecondition, "STOCK_SHORT", message).with("lines", lines.join(","))
}
