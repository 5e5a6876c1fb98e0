//! What an order is. Pure: no IO, no clock. How an order of our own goes from state to state: [`super::lifecycle`].
//!
//! | state | counts as a sale | reached from an import by the words |
//! | --- | --- | --- |
//! | created | no | created, pending, unpaid |
//! | paid | yes | paid |
//! | shipped | yes | shipped |
//! | completed | yes | completed, finished |
//! | closed | yes | closed |
//! | cancelled | no | cancelled, canceled |
//! | refunded | no | refunded |
//! | group_pending | no | |
//! | accepted, ready_for_pickup, picked_up, delivering, delivered, signed | yes | |

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Currency, Id,
    kind::{Order as OrderKind, Person, Store},
};
use siyu_proto::order::v1 as proto;

/// The id of an order.
pub type OrderId = Id<OrderKind>;

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Submitted, not paid.
    Created,
    /// Paid.
    Paid,
    /// On its way.
    Shipped,
    /// Received.
    Completed,
    /// Past the after-sale window.
    Closed,
    /// Ended before payment.
    Cancelled,
    /// Paid and wholly refunded.
    Refunded,
    /// Paid, and waiting for the others of a group-buy.
    GroupPending,
    /// Taken on by the merchant or by a store.
    Accepted,
    /// Waiting in a store for the buyer.
    ReadyForPickup,
    /// Fetched by the buyer.
    PickedUp,
    /// On its way with a courier of the town.
    Delivering,
    /// Brought by the courier.
    Delivered,
    /// Received as a parcel.
    Signed,
}

/// Who owns the traffic that an order came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Domain {
    /// The merchant's own field (私域).
    Private,
    /// A marketplace (公域).
    Public,
    /// The till of a store.
    Pos,
}

/// An order without its lines: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Order {
    /// The order here.
    pub id: OrderId,
    /// Where it was placed.
    pub platform: String,
    /// The shop on the platform.
    pub shop_id: String,
    /// The number that the platform gave it.
    pub platform_order_no: String,
    /// The buyer.
    pub person_id: Id<Person>,
    /// Where it is in its life.
    pub state: State,
    /// Who owns the traffic.
    pub domain: Domain,
    /// The channel within the domain.
    pub channel: String,
    /// The store.
    pub store_id: Option<Id<Store>>,
    /// When the buyer paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// The platform's version that said so; `None` in rows that are older than the column: that of the head.
    pub paid_version: Option<DateTime<Utc>>,
    /// The currency of every amount.
    #[sqlx(try_from = "String")]
    pub currency: CurrencyColumn,
    /// The sum of the lines, in minor units.
    pub paid_minor: i64,
    /// What the platform paid towards it, in minor units.
    pub subsidy_minor: i64,
    /// The pieces of all lines.
    pub quantity: i64,
    /// Counts the changes here, from 1.
    pub revision: i64,
    /// The platform's version of everything but the lines.
    pub version: DateTime<Utc>,
    /// The fact that it is paid was published.
    pub told: bool,
    /// When it was stored here.
    pub created_at: DateTime<Utc>,
}

/// What is told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// It became a sale; told once.
    Paid,
    /// A sale changed.
    Revised,
    /// It no longer counts.
    Voided,
}

/// A currency as a text column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyColumn(pub Currency);

/// One position of an order: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Line {
    /// The number on the platform, from 1.
    pub line_no: i32,
    /// The article.
    pub sku: String,
    /// The top-level category.
    pub category: String,
    /// Pieces.
    pub quantity: i64,
    /// What the buyer paid for the line, in minor units.
    pub paid_minor: i64,
    /// The platform's version of the line.
    pub version: DateTime<Utc>,
}

impl TryFrom<String> for CurrencyColumn {
    type Error = siyu_kernel::CurrencyError;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Currency::parse(&code).map(Self)
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Completed => "completed",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::GroupPending => "group_pending",
            Self::Accepted => "accepted",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::PickedUp => "picked_up",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::Signed => "signed",
        }
    }

    /// An order in this state is a sale.
    pub const fn counts(self) -> bool {
        match self {
            Self::Paid
            | Self::Accepted
            | Self::ReadyForPickup
            | Self::PickedUp
            | Self::Delivering
            | Self::Delivered
            | Self::Shipped
            | Self::Signed
            | Self::Completed
            | Self::Closed => true,
            Self::Created | Self::GroupPending | Self::Cancelled | Self::Refunded => false,
        }
    }

    /// What a platform's word means without a mapping of the merchant.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "" | "paid" => Self::Paid,
            "created" | "pending" | "unpaid" => Self::Created,
            "shipped" => Self::Shipped,
            "completed" | "finished" => Self::Completed,
            "closed" => Self::Closed,
            "cancelled" | "canceled" => Self::Cancelled,
            "refunded" => Self::Refunded,
            _ => return None,
        })
    }

    /// The state that a contract's value names; `None` for "not given".
    pub const fn of_proto(state: proto::OrderState) -> Option<Self> {
        Some(match state {
            proto::OrderState::Unspecified => return None,
            proto::OrderState::Created => Self::Created,
            proto::OrderState::Paid => Self::Paid,
            proto::OrderState::Shipped => Self::Shipped,
            proto::OrderState::Completed => Self::Completed,
            proto::OrderState::Closed => Self::Closed,
            proto::OrderState::Cancelled => Self::Cancelled,
            proto::OrderState::Refunded => Self::Refunded,
            proto::OrderState::GroupPending => Self::GroupPending,
            proto::OrderState::Accepted => Self::Accepted,
            proto::OrderState::ReadyForPickup => Self::ReadyForPickup,
            proto::OrderState::PickedUp => Self::PickedUp,
            proto::OrderState::Delivering => Self::Delivering,
            proto::OrderState::Delivered => Self::Delivered,
            proto::OrderState::Signed => Self::Signed,
        })
    }
}

impl From<State> for proto::OrderState {
    fn from(state: State) -> Self {
        match state {
            State::Created => Self::Created,
            State::Paid => Self::Paid,
            State::Shipped => Self::Shipped,
            State::Completed => Self::Completed,
            State::Closed => Self::Closed,
            State::Cancelled => Self::Cancelled,
            State::Refunded => Self::Refunded,
            State::GroupPending => Self::GroupPending,
            State::Accepted => Self::Accepted,
            State::ReadyForPickup => Self::ReadyForPickup,
            State::PickedUp => Self::PickedUp,
            State::Delivering => Self::Delivering,
            State::Delivered => Self::Delivered,
            State::Signed => Self::Signed,
        }
    }
}

impl Domain {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Pos => "pos",
        }
    }

    /// The domain that a contract's value names; `None` for "not given".
    pub const fn of_proto(domain: proto::Domain) -> Option<Self> {
        Some(match domain {
            proto::Domain::Unspecified => return None,
            proto::Domain::Private => Self::Private,
            proto::Domain::Public => Self::Public,
            proto::Domain::Pos => Self::Pos,
        })
    }
}

impl From<Domain> for proto::Domain {
    fn from(domain: Domain) -> Self {
        match domain {
            Domain::Private => Self::Private,
            Domain::Public => Self::Public,
            Domain::Pos => Self::Pos,
        }
    }
}

/// What orders that were placed here have for a platform; no import may use it.
pub const OWN_PLATFORM: &str = "siyu";

impl Order {
    /// The order was placed here, so it moves stock and money.
    pub fn is_own(&self) -> bool {
        self.platform == OWN_PLATFORM
    }

    /// The order is a sale: paid, and not given back.
    pub const fn counts(&self) -> bool {
        self.state.counts() && self.paid_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_spelled_alike_in_columns_and_in_the_contract() {
        for value in 1..=14 {
            let wire = proto::OrderState::try_from(value).unwrap();
            let state = State::of_proto(wire).unwrap();
            assert_eq!(proto::OrderState::from(state), wire);
            assert_eq!(
                wire.as_str_name(),
                format!("ORDER_STATE_{}", state.as_str().to_uppercase())
            );
            // Only the first seven are those of other platforms.
            assert_eq!(State::of_word(state.as_str()), (value <= 7).then_some(state));
        }
    }
}
