//! Where, for whom and by what something is sold: a condition, and the sale that it is held against. Pure.

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Id, Violation, kind::Region};
use siyu_proto::order::v1 as proto;

/// The tiers that the member service knows: a policy has at most 20.
const TIERS: std::ops::RangeInclusive<i32> = 1..=20;

/// What a sale must be like. A part that is empty always holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Condition {
    /// The stores, by code.
    pub for_stores: Vec<String>,
    /// The regions, with the smaller ones in them.
    pub for_regions: Vec<Id<Region>>,
    /// The tiers of the buyer.
    pub for_tiers: Vec<i32>,
    /// The channels.
    pub for_channels: Vec<String>,
}

/// What a sale is like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sale {
    /// The store, by code; none: no store.
    pub store_code: Option<String>,
    /// The region of the store and all that it is part of.
    pub regions: Vec<Id<Region>>,
    /// The tier of the buyer, 1 the lowest; none: the buyer is nobody.
    pub tier: Option<i32>,
    /// The channel; none: no channel.
    pub channel: Option<String>,
}

impl Condition {
    /// Reads a condition, or says what is wrong with it. Stores and regions are not looked for: one
    /// may open later, and a foreign one is like one that nobody has.
    pub fn read(field: &str, wire: &proto::SaleCondition) -> Result<Self, Vec<Violation>> {
        let mut wrong = Vec::new();
        let mut for_regions = Vec::new();
        for (i, text) in wire.region_ids.iter().enumerate() {
            match parse::id(&format!("{field}.region_ids[{i}]"), text) {
                Ok(id) => for_regions.push(id),
                Err(fault) => wrong.extend(fault.violations().to_vec()),
            }
        }
        for (i, tier) in wire.tiers.iter().enumerate().filter(|(_, tier)| !TIERS.contains(tier)) {
            let description = format!("is {tier}; a tier is {} to {}", TIERS.start(), TIERS.end());
            wrong.push(Violation { field: format!("{field}.tiers[{i}]"), description });
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            for_stores: wire.store_codes.clone(),
            for_regions,
            for_tiers: wire.tiers.clone(),
            for_channels: wire.channels.clone(),
        })
    }

    /// Whether a sale is like that.
    pub fn holds(&self, sale: &Sale) -> bool {
        among(&self.for_stores, sale.store_code.as_ref())
            && among(&self.for_tiers, sale.tier.as_ref())
            && among(&self.for_channels, sale.channel.as_ref())
            && (self.for_regions.is_empty()
                || sale.regions.iter().any(|region| self.for_regions.contains(region)))
    }

    /// As callers see it; none where every sale is like that.
    pub fn show(self) -> Option<proto::SaleCondition> {
        (self != Self::default()).then(|| proto::SaleCondition {
            store_codes: self.for_stores,
            region_ids: self.for_regions.iter().map(ToString::to_string).collect(),
            tiers: self.for_tiers,
            channels: self.for_channels,
        })
    }
}

fn among<T: PartialEq>(wanted: &[T], is: Option<&T>) -> bool {
    wanted.is_empty() || is.is_some_and(|is| wanted.contains(is))
}

/// A span of time, half-open; an end that is absent is open (rule 43).
pub type Span = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Reads a span from the fields `<name>_from` and `<name>_to`, or says what is wrong with it.
pub fn read_span(
    field: &str,
    name: &str,
    (from, to): (Option<prost_types::Timestamp>, Option<prost_types::Timestamp>),
) -> Result<Span, Vec<Violation>> {
    let from = parse::optional_instant(&format!("{field}.{name}_from"), from);
    let to = parse::optional_instant(&format!("{field}.{name}_to"), to);
    match (from, to) {
        (Ok(Some(from)), Ok(Some(to))) if from >= to => Err(vec![Violation {
            field: format!("{field}.{name}_to"),
            description: format!("must come after {name}_from"),
        }]),
        (Ok(from), Ok(to)) => Ok((from, to)),
        (from, to) => {
            let faults = [from.err(), to.err()];
            Err(faults.iter().flatten().flat_map(|f| f.violations().to_vec()).collect())
        }
    }
}

/// Whether an instant lies in a span.
pub fn is_within((from, to): Span, now: DateTime<Utc>) -> bool {
    from.is_none_or(|from| from <= now) && to.is_none_or(|to| now < to)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn region(n: u128) -> Id<Region> {
        Id::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn every_part_that_is_given_must_hold_and_what_is_not_known_holds_none() {
        let nobody = Sale::default();
        let sale = Sale {
            store_code: Some("north".into()),
            regions: vec![region(1), region(2)],
            tier: Some(3),
            channel: Some("live".into()),
        };
        let of = |stores: &[&str], regions: &[u128], tiers: &[i32], channels: &[&str]| Condition {
            for_stores: stores.iter().map(|&s| s.to_owned()).collect(),
            for_regions: regions.iter().map(|&n| region(n)).collect(),
            for_tiers: tiers.to_vec(),
            for_channels: channels.iter().map(|&s| s.to_owned()).collect(),
        };
        let table = [
            (of(&[], &[], &[], &[]), true, true),
            (of(&["north"], &[], &[], &[]), true, false),
            (of(&["south"], &[], &[], &[]), false, false),
            (of(&[], &[2, 9], &[], &[]), true, false),
            (of(&[], &[9], &[], &[]), false, false),
            (of(&[], &[], &[2, 3], &[]), true, false),
            (of(&[], &[], &[2], &[]), false, false),
            (of(&[], &[], &[], &["live"]), true, false),
            (of(&["north"], &[1], &[3], &["shop"]), false, false),
            (of(&["north"], &[1], &[3], &["live"]), true, false),
        ];
        for (condition, here, nowhere) in table {
            assert_eq!((condition.holds(&sale), condition.holds(&nobody)), (here, nowhere));
        }
    }
}
