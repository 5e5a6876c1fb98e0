//! What was sold: the snapshot that a refund divides.

use siyu_kernel::allocate;

use super::reward::Given;
use crate::price::{Cart, OrderPromotion, Quote, Row, Rules, Step};

/// What was sold, as it stands with the order since it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The lines, by line number.
    pub lines: Vec<SoldLine>,
    /// What shipping cost.
    pub shipping_minor: i64,
    /// What paid for it: together what all lines and the shipping cost.
    pub tenders: Vec<SoldTender>,
    /// The coupons that were used.
    pub coupons: Vec<String>,
    /// The promotions over the order that took something off.
    pub thresholds: Vec<Threshold>,
    /// What becomes of them after a partial return; the buyer was shown it before (rule 35).
    pub threshold_policy: ThresholdPolicy,
    /// What the order gave beside its goods, as it stands.
    pub given: Vec<Given>,
}

/// A line that was sold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SoldLine {
    /// The line; 1 is the first.
    pub line_no: i32,
    /// What it was.
    pub sku: String,
    /// Pieces.
    pub quantity: i64,
    /// What it cost after all rows of the price, points included.
    pub paid_minor: i64,
    /// What points took off it.
    pub points_minor: i64,
    /// The points that took it off.
    pub points: i64,
    /// Points, growth or commission were earned with it.
    pub earns: bool,
}

/// What paid for an order. Points that took something off the price are no tender: they stand with the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldTender {
    /// The tender.
    pub key: String,
    /// What kind of tender it is.
    pub kind: TenderKind,
    /// What it paid.
    pub amount_minor: i64,
}

/// What kind of tender it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenderKind {
    /// Money through a provider, or in hand.
    Cash,
    /// A stored-value card; its buckets are divided by the member service, each gets what it gave.
    StoredValue,
    /// Points that pay like money, after the price.
    Points,
}

/// A promotion over the order that took something off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// The promotion as it was.
    pub promotion: OrderPromotion,
    /// The lines that it looked at.
    pub lines: Vec<Enjoyed>,
}

/// What a promotion saw of a line and took off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enjoyed {
    /// The line.
    pub line_no: i32,
    /// What it cost where thresholds look.
    pub base_minor: i64,
    /// What it cost when the promotion's turn came.
    pub left_minor: i64,
    /// What the promotion took off it.
    pub off_minor: i64,
}

/// What becomes of a threshold promotion when what remains no longer meets it (rule 35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThresholdPolicy {
    /// The kept goods keep their share of it.
    #[default]
    Keep,
    /// What the kept goods had of it, and would not have alone, is withheld from the refund.
    Deduct,
}

/// A snapshot that contradicts itself: a fault of the suite, not of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sold and what went back do not agree: {0}")]
pub struct Unsound(pub(super) &'static str);

impl Sold {
    /// What a priced cart sold. Every line earns; the caller says which do not, and what was given for the order.
    pub fn of(
        cart: &Cart,
        rules: &Rules,
        quote: &Quote,
        tenders: Vec<SoldTender>,
        threshold_policy: ThresholdPolicy,
    ) -> Self {
        let off =
            |line_no, step: Step| sum(&quote.rows, |r| r.line_no == line_no && r.step == step);
        let by_points: Vec<i64> =
            quote.lines.iter().map(|line| off(line.line_no, Step::Points)).collect();
        let points = match quote.points {
            0 => vec![0; by_points.len()],
            points => allocate(points, &by_points),
        };
        let lines = cart.lines.iter().zip(&quote.lines).zip(by_points.iter().zip(points));
        Self {
            lines: lines
                .map(|((line, quoted), (&points_minor, points))| SoldLine {
                    line_no: line.line_no,
                    sku: line.sku.clone(),
                    quantity: line.quantity,
                    paid_minor: quoted.payable,
                    points_minor,
                    points,
                    earns: true,
                })
                .collect(),
            shipping_minor: quote.shipping,
            tenders,
            coupons: quote
                .coupons
                .iter()
                .filter(|c| c.used.is_some())
                .map(|c| c.id.clone())
                .collect(),
            thresholds: thresholds(cart, rules, quote),
            threshold_policy,
            given: Vec::new(),
        }
    }

    /// Refuses what no order can be.
    pub(super) fn check(&self) -> Result<(), Unsound> {
        let is_bad = |line: &SoldLine| {
            line.quantity < 1 || line.paid_minor < 0 || line.points < 0 || line.points_minor < 0
        };
        if self.lines.is_empty() || self.lines.iter().any(is_bad) {
            return Err(Unsound("a line without pieces or with a negative amount"));
        }
        if self.lines.windows(2).any(|two| two[0].line_no >= two[1].line_no) {
            return Err(Unsound("lines that are not in order"));
        }
        if self.shipping_minor < 0 || self.tenders.iter().any(|t| t.amount_minor < 0) {
            return Err(Unsound("a negative amount"));
        }
        let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.map(i128::from).sum::<i128>();
        let goods = sum(&mut self.lines.iter().map(|line| line.paid_minor));
        let cost = goods + i128::from(self.shipping_minor);
        let paid = sum(&mut self.tenders.iter().map(|tender| tender.amount_minor));
        if cost > i128::from(i64::MAX) {
            return Err(Unsound("more than 64 bits hold"));
        }
        if cost == paid { Ok(()) } else { Err(Unsound("tenders that do not pay the order")) }
    }
}

/// The promotions over the order that took something off, with what they saw: rows stand in the order of application.
fn thresholds(cart: &Cart, rules: &Rules, quote: &Quote) -> Vec<Threshold> {
    let is_of = |row: &&Row, rule: &str| row.step == Step::OrderPromotion && row.rule == rule;
    let used = rules.orders.iter().filter_map(|promotion| {
        let first = quote.rows.iter().position(|row| is_of(&row, &promotion.rule))?;
        Some((promotion, &quote.rows[..first]))
    });
    used.map(|(promotion, earlier)| {
        let eligible = cart.lines.iter().filter(|line| promotion.scope.includes(line));
        let lines = eligible.map(|line| {
            let taken =
                |until: Step| sum(earlier, |row| row.line_no == line.line_no && row.step <= until);
            Enjoyed {
                line_no: line.line_no,
                base_minor: line.list() - taken(Step::LinePromotion),
                left_minor: line.list() - taken(Step::OrderPromotion),
                off_minor: sum(&quote.rows, |row| {
                    row.line_no == line.line_no && is_of(&row, &promotion.rule)
                }),
            }
        });
        Threshold { lines: lines.collect(), promotion: promotion.clone() }
    })
    .collect()
}

fn sum(rows: &[Row], wanted: impl Fn(&Row) -> bool) -> i64 {
    rows.iter().filter(|row| wanted(row)).map(|row| row.amount).sum()
}
