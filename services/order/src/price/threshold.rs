//! Promotions over the order: from an amount or from so many pieces on.

use std::collections::BTreeMap;

use super::{
    OrderPromotion, Reach, Step,
    working::{Eligible, Working},
};

pub(super) fn apply(working: &mut Working<'_>, promotions: &[OrderPromotion]) {
    for promotion in chosen(working, promotions) {
        let eligible = working.eligible(&promotion.scope);
        let off = off(promotion, &eligible);
        working.spread(Step::OrderPromotion, &promotion.rule, &eligible.places, off);
    }
}

/// Of each group the promotion that takes most off, all in the order of their priority.
fn chosen<'r>(working: &Working<'_>, promotions: &'r [OrderPromotion]) -> Vec<&'r OrderPromotion> {
    let mut alone: Vec<&OrderPromotion> = Vec::new();
    let mut best: BTreeMap<&str, (i64, &OrderPromotion)> = BTreeMap::new();
    let mut sorted: Vec<&OrderPromotion> = promotions.iter().collect();
    sorted.sort_by_key(|promotion| (promotion.priority, &promotion.rule));
    for promotion in sorted {
        if promotion.group.is_empty() {
            alone.push(promotion);
            continue;
        }
        let off = off(promotion, &working.eligible(&promotion.scope));
        let group = best.entry(&promotion.group).or_insert((off, promotion));
        if off > group.0 {
            *group = (off, promotion);
        }
    }
    alone.extend(best.into_values().map(|(_, promotion)| promotion));
    alone.sort_by_key(|promotion| (promotion.priority, &promotion.rule));
    alone
}

/// What a promotion takes off its eligible lines.
fn off(promotion: &OrderPromotion, eligible: &Eligible) -> i64 {
    let reached = promotion.tiers.iter().rev().find_map(|tier| {
        let (value, need) = match tier.reach {
            Reach::Minor(need) => (eligible.base, need),
            Reach::Pieces(need) => (eligible.pieces, need),
        };
        (value >= need && !eligible.places.is_empty()).then_some((tier, value / need.max(1)))
    });
    let Some((tier, fits)) = reached else { return 0 };
    let times = if promotion.repeats { fits.max(1) } else { 1 };
    let once = match tier.off {
        super::Off::Minor(minor) => minor.saturating_mul(times),
        super::Off::RateBp(_) => tier.off.of(eligible.left),
    };
    once.clamp(0, promotion.max_minor.unwrap_or(i64::MAX)).min(eligible.left)
}
