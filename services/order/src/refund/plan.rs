//! What a refund gives back (reference §3.1, rules 6, 23, 31, 33–36, 42, 48–50, 56). Pure: what was sold, what went back
//! before and what is asked come in, a plan comes out. Nothing is priced again: the plan divides what each line cost when it
//! was sold.
//!
//! | what | how |
//! | --- | --- |
//! | pieces of a line | piece k of n brings `floor(P·k/n) − floor(P·(k−1)/n)`: 1000 over 3 is 333, 333, 334 |
//! | points of a line | the same floors over the points that the line took |
//! | an amount of a line | itself, never more than is left of the line |
//! | the last piece, the last minor unit | all that is left of the line, points too |
//! | shipping | the whole fee, once |
//! | a threshold that what remains no longer meets | as the order was sold: kept, or deducted |
//! | tenders | in proportion to what is left of each, by largest remainder, ties to the earlier tender |
//! | coupons | with the refund that leaves nothing |
//! | rewards that nobody has received or used | taken back with the refund that leaves nothing |
//!
//! Always: no bucket (a line's money, its points, the shipping, a tender) falls below zero; the rows of a plan sum to its
//! total, so do its tenders; after "the whole order" every bucket is empty, whatever went before. Where nothing is deducted,
//! pieces bring the same, however their refunds are split.
//!
//! What is deducted is withheld, not lost: a line keeps it until what it was withheld for has come back as well.

mod ask;
mod line;
mod reward;
mod row;
mod sold;
mod threshold;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use siyu_kernel::allocate;

pub use ask::{Ask, AskLine, PlanError, Share, Shipping, Wrong};
pub use reward::{Action, Given, Kept, Reward, RewardKind, unwind};
pub use row::{Row, Why};
pub use sold::{
    Enjoyed, Sold, SoldLine, SoldTender, TenderKind, Threshold, ThresholdPolicy, Unsound,
};

use line::Standing;

/// What a refund gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPlan {
    /// The lines that it touches, by line number.
    pub lines: Vec<LineRefund>,
    /// Of the shipping.
    pub shipping_minor: i64,
    /// All money: of the lines and of the shipping.
    pub total_minor: i64,
    /// All points.
    pub points: i64,
    /// The part of the total on which points, growth and commission had been earned.
    pub earned_on_minor: i64,
    /// Where the money goes, in the order of the tenders; those that get nothing are left out.
    pub tenders: Vec<TenderRefund>,
    /// The coupons that the buyer gets back once nothing is left. Whether one is still good is for the coupon to say (rule 42).
    pub coupons: Vec<String>,
    /// Nothing is left of the order after it, if everything that went before it comes back; see [`is_all_back`].
    pub fully: bool,
    /// Why, for the operator; the amounts sum to the total.
    pub rows: Vec<Row>,
    /// What becomes of what the order gave.
    pub rewards: Vec<Reward>,
}

/// What a refund gives back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineRefund {
    /// The line.
    pub line_no: i32,
    /// Pieces that count as given back.
    pub quantity: i64,
    /// Money, in minor units: never negative.
    pub goods_minor: i64,
    /// What a lost threshold keeps of the line's money; negative: what it kept before and gives now.
    pub withheld_minor: i64,
    /// Points that the line had taken.
    pub points: i64,
}

/// What a refund gives to a tender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenderRefund {
    /// The tender.
    pub key: String,
    /// What kind of tender it is.
    pub kind: TenderKind,
    /// In minor units, more than zero.
    pub amount_minor: i64,
}

/// Everything that went back before or is about to: refunds that are done, under way, or asked for and not decided (rule 31).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Before {
    /// By line number; lines of which nothing went back need not stand here.
    pub lines: BTreeMap<i32, LineRefund>,
    /// Of the shipping.
    pub shipping_minor: i64,
    /// By the key of the tender.
    pub tenders: BTreeMap<String, i64>,
}

/// Plans a refund.
///
/// # Errors
/// [`PlanError`] with the field of what was asked and what is wrong with it.
pub fn plan(sold: &Sold, before: &Before, ask: &Ask) -> Result<RefundPlan, PlanError> {
    sold.check()?;
    let standings = line::standings(sold, before)?;
    let (takes, shipping_minor) = ask.takes(sold, before, &standings)?;
    let mut rows: Vec<Row> =
        standings.iter().zip(&takes).filter_map(|(line, take)| take.row(line)).collect();
    let lines = threshold::settle(sold, &standings, &takes, &mut rows);
    if shipping_minor > 0 {
        rows.push(Row { line_no: 0, why: Why::Shipping, amount_minor: shipping_minor });
    }
    let goods: i64 = lines.iter().map(|line| line.goods_minor).sum();
    let total_minor = goods + shipping_minor;
    let tenders = split(sold, before, total_minor)?;
    let fully = leaves_nothing(sold, &standings, &lines, before.shipping_minor + shipping_minor);
    let earned_on_minor =
        lines.iter().zip(&sold.lines).filter(|(_, sold)| sold.earns).map(|(l, _)| l.goods_minor);
    let coupons = if fully { sold.coupons.clone() } else { Vec::new() };
    Ok(RefundPlan {
        shipping_minor,
        total_minor,
        points: lines.iter().map(|line| line.points).sum(),
        earned_on_minor: earned_on_minor.sum(),
        tenders,
        coupons,
        rewards: unwind(&sold.given, fully),
        fully,
        rows,
        lines: lines.into_iter().filter(LineRefund::is_any).collect(),
    })
}

/// Whether what went back is all that was sold. Refunds that were not decided when a later one was planned may be rejected: who
/// gives back the last of an order shows only when it is back.
///
/// # Errors
/// [`PlanError::Unsound`] when more went back than was sold.
pub fn is_all_back(sold: &Sold, back: &Before) -> Result<bool, PlanError> {
    let standings = line::standings(sold, back)?;
    let nothing = vec![LineRefund::default(); standings.len()];
    Ok(leaves_nothing(sold, &standings, &nothing, back.shipping_minor))
}

/// Money goes back where it came from, in proportion to what is left there (rule 56).
fn split(sold: &Sold, before: &Before, total_minor: i64) -> Result<Vec<TenderRefund>, PlanError> {
    if total_minor == 0 {
        return Ok(Vec::new());
    }
    let back = |tender: &SoldTender| before.tenders.get(&tender.key).copied().unwrap_or(0);
    let left: Vec<i64> = sold.tenders.iter().map(|t| t.amount_minor - back(t)).collect();
    if left.iter().any(|&left| left < 0) || left.iter().sum::<i64>() < total_minor {
        return Err(Unsound("the tenders hold less than is left of the order").into());
    }
    let parts = sold.tenders.iter().zip(allocate(total_minor, &left));
    Ok(parts
        .filter(|(_, amount_minor)| *amount_minor > 0)
        .map(|(tender, amount_minor)| TenderRefund {
            key: tender.key.clone(),
            kind: tender.kind,
            amount_minor,
        })
        .collect())
}

/// Whether every minor unit and every point is back. Where there were none, the pieces tell.
fn leaves_nothing(
    sold: &Sold,
    standings: &[Standing<'_>],
    lines: &[LineRefund],
    shipping_back: i64,
) -> bool {
    let all = |of: &dyn Fn(&Standing<'_>, &LineRefund) -> bool| {
        standings.iter().zip(lines).all(|(before, now)| of(before, now))
    };
    let was_free = sold.shipping_minor == 0
        && sold.lines.iter().all(|line| line.paid_minor == 0 && line.points == 0);
    if was_free {
        return all(&|before, now| before.pieces() == now.quantity);
    }
    shipping_back == sold.shipping_minor
        && all(&|before, now| {
            let back = before.back.goods_minor + now.goods_minor;
            back == before.sold.paid_minor && before.points() == now.points
        })
}

impl LineRefund {
    const fn is_any(&self) -> bool {
        self.quantity != 0 || self.goods_minor != 0 || self.withheld_minor != 0 || self.points != 0
    }
}

impl Before {
    /// What went back, with one more refund.
    pub fn add(&mut self, plan: &RefundPlan) {
        for now in &plan.lines {
            let line = self.lines.entry(now.line_no).or_default();
            line.line_no = now.line_no;
            line.quantity += now.quantity;
            line.goods_minor += now.goods_minor;
            line.withheld_minor += now.withheld_minor;
            line.points += now.points;
        }
        self.shipping_minor += plan.shipping_minor;
        for tender in &plan.tenders {
            *self.tenders.entry(tender.key.clone()).or_default() += tender.amount_minor;
        }
    }
}
