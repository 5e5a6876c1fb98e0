//! What a promotion is: read from the contract, checked, and turned into rules of a price. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::Violation;
use siyu_proto::{
    Path, Shape,
    order::v1::{self as proto, promotion::Does},
};

use crate::price::{Line, LinePromotion, LineRule, Off, OrderPromotion, Reach, Rules, Scope, Tier};

/// A promotion: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Promotion {
    /// The merchant's own key.
    pub code: String,
    /// From when on it is in force.
    pub valid_from: DateTime<Utc>,
    /// Until when, exclusive.
    pub valid_to: DateTime<Utc>,
    /// Whether it is switched off.
    pub paused: bool,
    /// The encoded promotion.
    pub definition: Vec<u8>,
    /// The SKU whose price it is, if it is that.
    pub line_sku: Option<String>,
}

/// Where something is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// The store, by code; empty: headquarters.
    pub store_code: &'a str,
    /// The channel within the private domain.
    pub channel: &'a str,
}

/// Another price for a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Special {
    /// The promotion.
    pub rule: String,
    /// The SKU.
    pub sku: String,
    /// One piece.
    pub unit_minor: i64,
}

/// Says what is wrong with a promotion beyond the shape of its fields; gives when it is in force.
pub fn check(
    field: &str,
    promotion: &proto::Promotion,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Vec<Violation>> {
    let mut wrong = Vec::new();
    let mut say = |name: &str, description: &str| {
        let field = format!("{field}.{name}");
        wrong.push(Violation { field, description: description.to_owned() });
    };
    let instant =
        |time: Option<prost_types::Timestamp>| time.and_then(|time| parse::instant("", time).ok());
    let (from, to) = (instant(promotion.valid_time_from), instant(promotion.valid_time_to));
    if from.is_none() {
        say("valid_time_from", "is no instant");
    }
    if to.is_none() {
        say("valid_time_to", "is no instant");
    }
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        say("valid_time_to", "must come after valid_time_from");
    }
    match &promotion.does {
        None => say("does", "one of line_price, nth_piece, bundle and threshold is required"),
        Some(Does::LinePrice(_) | Does::NthPiece(_)) => {}
        Some(Does::Bundle(bundle)) => {
            let skus: BTreeSet<&str> = bundle.parts.iter().map(|part| part.sku.as_str()).collect();
            if skus.len() < bundle.parts.len() {
                say("bundle.parts", "a SKU stands twice");
            }
        }
        Some(Does::Threshold(threshold)) => check_threshold(threshold, &mut say),
    }
    wrong.extend(
        bounds(promotion).into_iter().map(|violation| Violation {
            field: format!("{field}.{}", violation.field),
            ..violation
        }),
    );
    match (from, to) {
        (Some(from), Some(to)) if wrong.is_empty() => Ok((from, to)),
        _ => Err(wrong),
    }
}

/// What the contract bounds: members of a oneof are checked by the method.
fn bounds(promotion: &proto::Promotion) -> Vec<Violation> {
    let (root, mut wrong) = (Path::Root, Vec::new());
    match &promotion.does {
        Some(Does::LinePrice(price)) => price.violations(&root.child("line_price"), &mut wrong),
        Some(Does::NthPiece(nth)) => nth.violations(&root.child("nth_piece"), &mut wrong),
        Some(Does::Bundle(bundle)) => bundle.violations(&root.child("bundle"), &mut wrong),
        Some(Does::Threshold(tiers)) => tiers.violations(&root.child("threshold"), &mut wrong),
        None => {}
    }
    wrong
}

fn check_threshold(threshold: &proto::Threshold, say: &mut impl FnMut(&str, &str)) {
    for (i, tier) in threshold.tiers.iter().enumerate() {
        let name = format!("threshold.tiers[{i}]");
        if (tier.from_minor > 0) == (tier.from_pieces > 0) {
            say(&name, "needs one of from_minor and from_pieces");
        }
        if (tier.off_minor > 0) == (tier.rate_bp > 0) {
            say(&name, "needs one of off_minor and rate_bp");
        }
        if threshold.repeats && tier.rate_bp > 0 {
            say(&name, "a rate cannot repeat");
        }
        let before = i.checked_sub(1).map(|before| threshold.tiers[before]);
        let is_higher = |before: proto::Tier| {
            (before.from_minor > 0) == (tier.from_minor > 0)
                && before.from_minor + before.from_pieces < tier.from_minor + tier.from_pieces
        };
        if before.is_some_and(|before| !is_higher(before)) {
            say(&name, "must begin higher than the tier before, counted alike");
        }
    }
}

/// The SKU whose price a promotion is, if it is that.
pub fn line_sku(promotion: &proto::Promotion) -> Option<String> {
    match &promotion.does {
        Some(Does::LinePrice(price)) => Some(price.sku.clone()),
        Some(Does::NthPiece(_) | Does::Bundle(_) | Does::Threshold(_)) | None => None,
    }
}

/// Whether a promotion that is in force may change what lines cost together at a place. A price of one SKU does not: it stands
/// with its line.
pub fn concerns(promotion: &proto::Promotion, lines: &[Line], place: Place<'_>) -> bool {
    let scope = scope(promotion.scope.clone().unwrap_or_default(), place);
    match &promotion.does {
        Some(Does::NthPiece(_) | Does::Threshold(_)) => {
            !scope.elsewhere && lines.iter().any(|line| scope.includes(line))
        }
        Some(Does::Bundle(bundle)) => {
            let is_there = |part: &proto::BundlePart| lines.iter().any(|l| l.sku == part.sku);
            !scope.elsewhere && bundle.parts.iter().all(is_there)
        }
        Some(Does::LinePrice(_)) | None => false,
    }
}

/// The rules of promotions that are in force at a place, and the special prices that they offer.
pub fn rules(promotions: Vec<proto::Promotion>, place: Place<'_>) -> (Rules, Vec<Special>) {
    let (mut rules, mut specials) = (Rules::default(), Vec::new());
    for promotion in promotions {
        let (rule, priority) = (promotion.code, promotion.priority);
        let scope = scope(promotion.scope.unwrap_or_default(), place);
        if scope.elsewhere {
            continue;
        }
        let mut line =
            |does| rules.lines.push(LinePromotion { rule: rule.clone(), priority, does });
        match promotion.does {
            Some(Does::LinePrice(price)) => {
                specials.push(Special { rule, sku: price.sku, unit_minor: price.unit_minor });
            }
            Some(Does::NthPiece(nth)) => {
                line(LineRule::NthPiece { scope, n: nth.n.into(), rate_bp: nth.rate_bp.into() });
            }
            Some(Does::Bundle(bundle)) => {
                let parts = bundle.parts.into_iter().map(|part| (part.sku, part.quantity));
                line(LineRule::Bundle { parts: parts.collect(), price_minor: bundle.price_minor });
            }
            Some(Does::Threshold(threshold)) => rules.orders.push(OrderPromotion {
                rule,
                priority,
                group: promotion.group,
                scope,
                tiers: threshold.tiers.into_iter().map(tier).collect(),
                repeats: threshold.repeats,
                max_minor: (threshold.max_minor > 0).then_some(threshold.max_minor),
            }),
            None => {}
        }
    }
    (rules, specials)
}

/// What a promotion or a coupon is good for, at a place.
pub fn scope(scope: proto::Scope, place: Place<'_>) -> Scope {
    let is_in = |list: &[String], here: &str| list.is_empty() || list.iter().any(|it| it == here);
    Scope {
        elsewhere: !is_in(&scope.stores, place.store_code)
            || !is_in(&scope.channels, place.channel),
        skus: scope.skus,
        items: scope.items,
        categories: scope.categories,
        except_skus: scope.except_skus,
    }
}

fn tier(tier: proto::Tier) -> Tier {
    Tier {
        reach: if tier.from_pieces > 0 {
            Reach::Pieces(tier.from_pieces)
        } else {
            Reach::Minor(tier.from_minor)
        },
        off: if tier.rate_bp > 0 {
            Off::RateBp(tier.rate_bp.into())
        } else {
            Off::Minor(tier.off_minor)
        },
    }
}
