//! What persons bought (消费事实): each order as the order service told it last, by person, and the sums of each person. Every
//! sum is computed anew from the person's purchases, so it is exact whatever order revisions arrive in.

pub mod domain;
pub mod events;
pub mod store;

use chrono::{DateTime, Utc};
pub(crate) use events::{on_merge, on_unmerge};
use siyu_kernel::{Id, kind};

use crate::person::PersonId;

/// What a person bought in all, of the orders that count: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Totals {
    /// Who.
    pub person_id: PersonId,
    /// How many orders.
    pub orders: i64,
    /// What was paid, in minor units of the merchant's currency.
    pub paid_minor: i64,
    /// When the first was paid.
    pub first_paid_at: DateTime<Utc>,
    /// When the last was paid.
    pub last_paid_at: DateTime<Utc>,
    /// On how many days of the merchant's zone.
    pub purchase_days: i64,
}

/// One order of a person, without its lines: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Brief {
    /// The order.
    pub order_id: Id<kind::Order>,
    /// The store; none without one.
    pub store_id: Option<Id<kind::Store>>,
    /// The platform.
    pub platform: String,
    /// When it was paid.
    pub paid_at: DateTime<Utc>,
    /// What was paid, in minor units of the merchant's currency.
    pub paid_minor: i64,
}
