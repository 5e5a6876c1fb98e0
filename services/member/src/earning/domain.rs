//! How much an order earns. Pure.

use chrono::{DateTime, Utc};
use siyu_events::is_sale;
use siyu_grpc::parse;
use siyu_kernel::{Currency, Fault, Id, Zone, kind};
use siyu_ledger::LotTerms;
use siyu_proto::order::v1::{OrderFacts, OrderState};

use super::{
    store::Row,
    wait::{Objection, Wait},
};
use crate::{
    person::PersonId,
    points::domain::{NOT_YET, Policy, in_force},
    tier,
};

/// The id of an order of the order service.
pub type OrderId = Id<kind::Order>;

/// What counts of an order as of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub person_id: PersonId,
    /// The revision of the order.
    pub revision: i64,
    /// When the order was paid.
    pub paid_at: DateTime<Utc>,
    /// What was paid and counts, in minor units.
    pub paid_minor: i64,
    /// How many of them make a whole unit.
    pub minor_per_major: i64,
    /// The buyer has what was bought.
    pub is_completed: bool,
}

/// What an order earns as of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// The order.
    pub order_id: OrderId,
    /// Who earns it.
    pub person_id: PersonId,
    /// The revision of the order.
    pub revision: i64,
    /// By what the points are multiplied, in basis points.
    pub multiplier_bp: i64,
    /// Points.
    pub points: i64,
    /// When the points can be used.
    pub terms: LotTerms,
    /// The buyer has what was bought.
    pub is_completed: bool,
    /// What was given before can be spent at another time from now on: the order is completed, a dispute was opened or closed.
    pub ripens: bool,
    /// Growth value.
    pub growth: i64,
    /// When the growth counts; none when that is over: then it stays as it was.
    pub growth_terms: Option<LotTerms>,
}

/// The rules of a merchant, as they are when an order is looked at.
#[derive(Debug)]
pub struct Rules {
    /// Every version of those for points.
    pub points: Vec<Policy>,
    /// Those for growth.
    pub tiers: tier::domain::Policy,
    /// The zone in which days are cut.
    pub zone: Zone,
}

impl Purchase {
    /// What counts of the facts of an order.
    pub fn of(facts: &OrderFacts) -> Result<Self, Fault> {
        let currency = Currency::parse(&facts.currency_code)
            .map_err(|error| Fault::field("currency_code", error))?;
        let pay_time = facts.pay_time.ok_or_else(|| Fault::field("pay_time", "is required"))?;
        let state = facts.state();
        Ok(Self {
            order_id: parse::id("order_id", &facts.order_id)?,
            person_id: parse::id("person_id", &facts.person_id)?,
            revision: facts.revision,
            paid_at: parse::instant("pay_time", pay_time)?,
            paid_minor: if is_sale(state) { facts.paid_minor.max(0) } else { 0 },
            minor_per_major: currency.minor_per_major(),
            is_completed: matches!(state, OrderState::Completed | OrderState::Closed),
        })
    }

    /// Whether its multiplier is to be found out: that of an order stays, unless it turns out to be somebody else's.
    pub fn is_new(&self, known: Option<&Row>) -> bool {
        known.is_none_or(|row| row.person_id != self.person_id)
    }

    /// What it earns by the rules in force when it was paid, after what an earlier revision has settled. The multiplier is
    /// that of a new order.
    pub fn earns(
        &self,
        rules: &Rules,
        known: Option<&Row>,
        multiplier_bp: i64,
        disputes: &[Objection],
        now: DateTime<Utc>,
    ) -> Earning {
        let settled = known.filter(|_| !self.is_new(known));
        let multiplier_bp = settled.map_or(multiplier_bp, |row| row.multiplier_bp);
        let policy = in_force(&rules.points, self.paid_at);
        let available_at = known.and_then(|row| row.available_at);
        let wait = Wait { paid_at: self.paid_at, is_completed: self.is_completed, disputes };
        let terms = wait.terms(&policy, available_at, rules.zone, now);
        let growth_terms = self.growth_terms(&rules.tiers, now);
        Earning {
            order_id: self.order_id,
            person_id: self.person_id,
            revision: self.revision,
            multiplier_bp,
            points: policy.earned_with(self.paid_minor, self.minor_per_major, multiplier_bp),
            terms,
            is_completed: self.is_completed,
            ripens: known.is_some() && wait.moves(&policy, available_at, &terms),
            growth: if growth_terms.is_some() {
                rules.tiers.earned(self.paid_minor, self.minor_per_major)
            } else {
                known.map_or(0, |row| row.growth)
            },
            growth_terms,
        }
    }

    /// When the growth counts: from the payment on for the window, which may be over already.
    fn growth_terms(&self, tiers: &tier::domain::Policy, now: DateTime<Utc>) -> Option<LotTerms> {
        let end = self.paid_at + tiers.window();
        let terms = LotTerms::from(self.paid_at).available_at(self.paid_at.min(now));
        (end > now).then(|| terms.expires_at(end))
    }
}

impl Earning {
    /// What an order earns of which only the disputes are others than before: the same, at another time. Nothing where it is not
    /// known when the order was paid.
    pub fn again(
        row: &Row,
        rules: &Rules,
        disputes: &[Objection],
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let paid_at = row.paid_at?;
        let policy = in_force(&rules.points, paid_at);
        let wait = Wait { paid_at, is_completed: row.is_completed, disputes };
        let terms = wait.terms(&policy, row.available_at, rules.zone, now);
        Some(Self {
            order_id: row.order_id,
            person_id: row.person_id,
            revision: row.revision,
            multiplier_bp: row.multiplier_bp,
            points: row.points,
            is_completed: row.is_completed,
            ripens: wait.moves(&policy, row.available_at, &terms),
            terms,
            growth: row.growth,
            growth_terms: None,
        })
    }

    /// Since when the points can be spent; none while that waits for the completion of the order.
    pub fn available_at(&self) -> Option<DateTime<Utc>> {
        (self.terms.available_at < NOT_YET).then_some(self.terms.available_at)
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
        let points = |minor, state, currency| {
            let purchase = Purchase::of(&facts(minor, state, currency)).unwrap();
            let (points, tiers) = (Vec::new(), tier::domain::Policy::default());
            let rules = Rules { points, tiers, zone: Zone::SHANGHAI };
            let earns = |bp| purchase.earns(&rules, None, bp, &[], DateTime::UNIX_EPOCH).points;
            (earns(10_000), earns(15_000))
        };
        assert_eq!(points(1_999, OrderState::Paid, "CNY"), (19, 29), "rounded once");
        assert_eq!(points(99, OrderState::Paid, "CNY"), (0, 1));
        assert_eq!(points(1_999, OrderState::Completed, "JPY"), (1_999, 2_998));
        assert_eq!(points(1_999, OrderState::Refunded, "CNY"), (0, 0));
    }
}
