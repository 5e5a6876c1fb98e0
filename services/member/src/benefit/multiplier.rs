//! By how much more points orders earn: what their buyers were entitled to when they paid, by cards that held then or by the
//! tier that they have when the order is first heard of.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::{Benefit, BenefitKind};

use super::store::terms;
use crate::{earning::domain::OrderId, person::PersonId, tier};

/// One to one, in basis points.
pub const ONE: i64 = 10_000;

/// An order that is heard of for the first time, its buyer, and when it was paid.
pub type New = (OrderId, PersonId, DateTime<Utc>);

/// The multipliers of orders, in basis points; those that earn one to one are not among them.
pub async fn of(
    tx: &mut Tx,
    tiers: &tier::domain::Policy,
    orders: &[New],
) -> Result<HashMap<OrderId, i64>, Fault> {
    let mut found: HashMap<OrderId, i64> = HashMap::new();
    if orders.is_empty() {
        return Ok(found);
    }
    let mut offer = |order: OrderId, multiplier: i64| {
        if multiplier > ONE {
            let best = found.entry(order).or_insert(multiplier);
            *best = multiplier.max(*best);
        }
    };
    for (order, plan) in terms::plans_at(tx, orders).await? {
        offer(order, multiplier(&plan.benefits));
    }
    if tiers.tiers.iter().any(|tier| multiplier(&tier.benefits) > ONE) {
        let persons: BTreeSet<PersonId> = orders.iter().map(|(_, person, _)| *person).collect();
        let levels = terms::levels(tx, &persons.into_iter().collect::<Vec<_>>()).await?;
        for (order, person, _) in orders {
            let tier = levels.get(person).and_then(|level| tiers.tier(*level));
            offer(*order, tier.map_or(ONE, |tier| multiplier(&tier.benefits)));
        }
    }
    Ok(found)
}

/// The multiplier among benefits; one to one where there is none, or one that would earn less.
fn multiplier(benefits: &[Benefit]) -> i64 {
    let of = benefits.iter().filter(|benefit| benefit.kind() == BenefitKind::PointsMultiplier);
    of.map(|benefit| benefit.amount).max().unwrap_or(ONE).max(ONE)
}
