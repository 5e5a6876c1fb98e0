//! Promotions over the order: from an amount or from so many pieces on.

use std::collections::BTreeMap;

use super::{
    OrderPromotion, Reach, Step, Tier,
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
    promotion.off(Goods { base: eligible.base, left: eligible.left, pieces: eligible.pieces })
}

/// Goods as a promotion over the order sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Goods {
    /// What they cost where thresholds look.
    pub base: i64,
    /// What they cost when the promotion's turn comes.
    pub left: i64,
    /// How many they are.
    pub pieces: i64,
}

impl Goods {
    /// The goods and some more.
    #[must_use]
    pub const fn with(self, base: i64, left: i64, pieces: i64) -> Self {
        Self { base: self.base + base, left: self.left + left, pieces: self.pieces + pieces }
    }
}

impl OrderPromotion {
    /// The tier that goods reach, and how often they hold what it needs.
    pub fn reached(&self, goods: Goods) -> Option<(&Tier, i64)> {
        self.tiers.iter().rev().find_map(|tier| {
            let (value, need) = match tier.reach {
                Reach::Minor(need) => (goods.base, need),
                Reach::Pieces(need) => (goods.pieces, need),
            };
            (value >= need && goods.pieces > 0).then_some((tier, value / need.max(1)))
        })
    }

    /// What it takes off goods.
    pub fn off(&self, goods: Goods) -> i64 {
        let Some((tier, fits)) = self.reached(goods) else { return 0 };
        let times = if self.repeats { fits.max(1) } else { 1 };
        let once = match tier.off {
            super::Off::Minor(minor) => minor.saturating_mul(times),
            super::Off::RateBp(_) => tier.off.of(goods.left),
        };
        once.clamp(0, self.max_minor.unwrap_or(i64::MAX)).min(goods.left)
    }
}
