//! How much an order earns. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Currency, Fault, Id, kind};
use siyu_proto::order::v1::{OrderFacts, OrderState};

use crate::person::PersonId;

/// Whole points for each whole unit of the currency that the buyer paid (reference §2.5).
const POINTS_PER_MAJOR: i64 = 1;
/// Growth for each whole unit of the currency (reference §2.4).
const GROWTH_PER_MAJOR: i64 = 1;
/// Points cannot be spent before the usual after-sale window is over (rule 46).
const VEST_DAYS: i64 = 7;
/// The growth at which the tiers from the second on begin (reference §2.4).
const TIER_THRESHOLDS: [i64; 3] = [1_000, 5_000, 20_000];

/// The id of an order of the order service.
pub type OrderId = Id<kind::Order>;

/// What an order earns as of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// The order.
    pub order_id: OrderId,
    /// Who earns it.
    pub person_id: PersonId,
    /// The revision of the order.
    pub revision: i64,
    /// Points.
    pub points: i64,
    /// Growth value.
    pub growth: i64,
    /// When the order was paid.
    pub paid_at: DateTime<Utc>,
}

impl Earning {
    /// What the facts of an order earn.
    pub fn of(facts: &OrderFacts) -> Result<Self, Fault> {
        let currency = Currency::parse(&facts.currency_code)
            .map_err(|error| Fault::field("currency_code", error))?;
        let pay_time = facts.pay_time.ok_or_else(|| Fault::field("pay_time", "is required"))?;
        let whole = if counts(facts.state()) {
            facts.paid_minor.max(0) / currency.minor_per_major()
        } else {
            0
        };
        Ok(Self {
            order_id: parse::id("order_id", &facts.order_id)?,
            person_id: parse::id("person_id", &facts.person_id)?,
            revision: facts.revision,
            points: whole * POINTS_PER_MAJOR,
            growth: whole * GROWTH_PER_MAJOR,
            paid_at: parse::instant("pay_time", pay_time)?,
        })
    }

    /// From when on the points can be spent.
    pub fn available_at(&self) -> DateTime<Utc> {
        self.paid_at + TimeDelta::days(VEST_DAYS)
    }
}

/// The tier that a growth reaches: 1 is the lowest.
pub fn tier(growth: i64) -> i32 {
    let reached = TIER_THRESHOLDS.iter().filter(|&&threshold| growth >= threshold).count();
    1 + i32::try_from(reached).expect("there are few tiers")
}

fn counts(state: OrderState) -> bool {
    match state {
        OrderState::Paid | OrderState::Shipped | OrderState::Completed | OrderState::Closed => true,
        OrderState::Unspecified
        | OrderState::Created
        | OrderState::Cancelled
        | OrderState::Refunded => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn facts(paid_minor: i64, state: OrderState, currency: &str) -> OrderFacts {
        OrderFacts {
            order_id: OrderId::from_uuid(Uuid::from_u128(1)).to_string(),
            person_id: PersonId::from_uuid(Uuid::from_u128(2)).to_string(),
            revision: 3,
            state: state.into(),
            pay_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            currency_code: currency.into(),
            paid_minor,
            ..Default::default()
        }
    }

    #[test]
    fn an_order_earns_whole_units_and_nothing_when_it_does_not_count() {
        let points =
            |minor, state, currency| Earning::of(&facts(minor, state, currency)).unwrap().points;
        assert_eq!(points(1_999, OrderState::Paid, "CNY"), 19);
        assert_eq!(points(99, OrderState::Paid, "CNY"), 0);
        assert_eq!(points(1_999, OrderState::Completed, "JPY"), 1_999);
        assert_eq!(points(1_999, OrderState::Refunded, "CNY"), 0);
    }

    #[test]
    fn a_tier_begins_exactly_at_its_threshold() {
        let tiers = [(0, 1), (999, 1), (1_000, 2), (4_999, 2), (5_000, 3), (20_000, 4)];
        for (growth, expected) in tiers {
            assert_eq!(tier(growth), expected, "{growth}");
        }
    }
}
