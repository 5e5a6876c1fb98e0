//! What a price list is, and which of its prices a sale gets. Pure.

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::Violation;
use siyu_proto::order::v1 as proto;

use crate::condition::{self, Condition, Sale};

/// A price list without its prices: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PriceList {
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// Of lists with the same price the smaller one is named.
    pub priority: i32,
    /// The sales that it is for.
    #[sqlx(flatten)]
    pub condition: Condition,
    /// From when on it is in force.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when, exclusive.
    pub valid_to: Option<DateTime<Utc>>,
    /// Whether it is switched off.
    pub paused: bool,
    /// When it was created here.
    pub created_at: DateTime<Utc>,
    /// When it was last changed here.
    pub updated_at: DateTime<Utc>,
}

/// The price of a SKU on a list: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedPrice {
    /// The SKU.
    pub sku: String,
    /// One piece, in minor units.
    pub unit_minor: i64,
}

/// The price of a SKU on a list that is in force.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Offer {
    /// The list.
    pub list_code: String,
    /// Of lists with the same price the smaller one is named.
    pub priority: i32,
    /// The sales that the list is for.
    #[sqlx(flatten)]
    pub condition: Condition,
    /// The SKU.
    pub sku: String,
    /// One piece, in minor units.
    pub unit_minor: i64,
}

/// Reads a price list, or says what is wrong with it.
pub fn read(
    field: &str,
    list: &proto::PriceList,
    now: DateTime<Utc>,
) -> Result<PriceList, Vec<Violation>> {
    let none = proto::SaleCondition::default();
    let wire = list.condition.as_ref().unwrap_or(&none);
    let condition = Condition::read(&format!("{field}.condition"), wire);
    let ends = (list.valid_time_from, list.valid_time_to);
    let span = condition::read_span(field, "valid_time", ends);
    match (condition, span) {
        (Ok(condition), Ok((valid_from, valid_to))) => Ok(PriceList {
            code: list.code.clone(),
            name: list.name.clone(),
            priority: list.priority,
            condition,
            valid_from,
            valid_to,
            paused: list.paused,
            created_at: now,
            updated_at: now,
        }),
        (condition, span) => {
            Err([condition.err(), span.err()].into_iter().flatten().flatten().collect())
        }
    }
}

/// The price of a SKU that a sale gets: the lowest, of equals the one of the list with the smaller priority, then code.
pub fn best<'a>(offers: &'a [Offer], sku: &str, sale: &Sale) -> Option<&'a Offer> {
    let is_for = |offer: &&Offer| offer.sku == sku && offer.condition.holds(sale);
    let offers = offers.iter().filter(is_for);
    offers.min_by_key(|offer| (offer.unit_minor, offer.priority, &offer.list_code))
}

impl PriceList {
    /// As callers see it.
    pub fn show(self) -> proto::PriceList {
        proto::PriceList {
            code: self.code,
            name: self.name,
            priority: self.priority,
            condition: self.condition.show(),
            valid_time_from: self.valid_from.map(parse::timestamp),
            valid_time_to: self.valid_to.map(parse::timestamp),
            paused: self.paused,
            create_time: Some(parse::timestamp(self.created_at)),
            update_time: Some(parse::timestamp(self.updated_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_price_wins_and_of_equals_the_smaller_priority_then_code() {
        let offer = |list_code: &str, priority, tier, unit_minor| Offer {
            list_code: list_code.into(),
            priority,
            condition: Condition { for_tiers: vec![tier], ..Condition::default() },
            sku: "s".into(),
            unit_minor,
        };
        let offers =
            [offer("d", 2, 1, 90), offer("c", 1, 1, 90), offer("b", 1, 1, 90), offer("a", 0, 2, 1)];
        let of = |tier| {
            let sale = Sale { tier: Some(tier), ..Sale::default() };
            best(&offers, "s", &sale).map(|offer| offer.list_code.as_str())
        };
        assert_eq!((of(1), of(2), of(3)), (Some("b"), Some("a"), None));
        assert_eq!(best(&offers, "other", &Sale { tier: Some(1), ..Sale::default() }), None);
    }
}
