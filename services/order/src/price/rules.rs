//! The merchant's promotions that apply without being asked for.

use super::Line;

/// The promotions in force, of one merchant at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Those that look at pieces.
    pub lines: Vec<LinePromotion>,
    /// Those that look at the order.
    pub orders: Vec<OrderPromotion>,
}

/// What a promotion or a coupon is good for. All lists empty: everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// SKUs.
    pub skus: Vec<String>,
    /// Items.
    pub items: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
    /// SKUs that are never included.
    pub except_skus: Vec<String>,
    /// It is good in other stores or channels only: for nothing here.
    pub elsewhere: bool,
}

/// A promotion over pieces. One piece takes part in one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePromotion {
    /// The rule.
    pub rule: String,
    /// Smaller comes first; of equals the smaller rule.
    pub priority: i32,
    /// What it does.
    pub does: LineRule,
}

/// What a promotion over pieces does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineRule {
    /// Of every `n` pieces, dearest first, the last one costs `rate_bp` of its price (第二件半价: 2, 5000).
    NthPiece {
        /// What is counted.
        scope: Scope,
        /// Every how many pieces: at least 2.
        n: i64,
        /// What the n-th piece still costs, in basis points.
        rate_bp: i64,
    },
    /// So many of these SKUs together cost this much; as often as the cart has them all.
    Bundle {
        /// SKUs with pieces.
        parts: Vec<(String, i64)>,
        /// What one set costs, in minor units.
        price_minor: i64,
    },
}

/// A promotion over the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPromotion {
    /// The rule.
    pub rule: String,
    /// Smaller comes first; of equals the smaller rule.
    pub priority: i32,
    /// Of the promotions of one group only the best applies; empty: it excludes nothing. So exclusion is always mutual.
    pub group: String,
    /// What it is good for.
    pub scope: Scope,
    /// From the lowest to the highest; the highest that is reached counts.
    pub tiers: Vec<Tier>,
    /// The highest tier applies as often as its amount fits (每满减).
    pub repeats: bool,
    /// The most that is taken off; nothing: no bound but the goods.
    pub max_minor: Option<i64>,
}

/// One step of a threshold promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// What must be reached.
    pub reach: Reach,
    /// What is then taken off.
    pub off: Off,
}

/// What must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// An amount of eligible goods.
    Minor(i64),
    /// Pieces of eligible goods.
    Pieces(i64),
}

/// What is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// An amount.
    Minor(i64),
    /// What is left to pay, in basis points: 8500 is 8.5 折, fifteen per cent off.
    RateBp(i64),
}

impl Scope {
    /// Whether a line is in it.
    pub fn includes(&self, line: &Line) -> bool {
        if self.elsewhere || self.except_skus.contains(&line.sku) {
            return false;
        }
        let is_open = self.skus.is_empty() && self.items.is_empty() && self.categories.is_empty();
        is_open
            || self.skus.contains(&line.sku)
            || self.items.contains(&line.item)
            || line.categories.iter().any(|category| self.categories.contains(category))
    }
}

impl Off {
    /// What is taken off an amount: never more than it, in whole minor units, rounded down.
    pub fn of(self, base: i64) -> i64 {
        match self {
            Self::Minor(off) => off.clamp(0, base),
            Self::RateBp(rate) => share(base, 10_000 - rate.clamp(0, 10_000)),
        }
    }
}

/// A share of an amount in basis points, rounded down.
pub(super) fn share(amount: i64, basis_points: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(basis_points) / 10_000;
    i64::try_from(exact).expect("a share is not larger than the amount")
}
