//! What a lost threshold keeps of a refund (rule 35).
//!
//! The kept goods had a share of each promotion over the order. What they would have of it alone is theirs; the rest is
//! withheld as long as they are kept. So what is withheld depends on the kept pieces only, not on the way there: when they
//! come back, too, it is given, and after a full return nothing is withheld.

use std::cmp::Ordering;

use siyu_kernel::allocate;

use super::{
    LineRefund, Row, Sold, Threshold, ThresholdPolicy, Why,
    line::{Standing, Take, floor},
};
use crate::price::{Goods, Off};

/// What each line gives back in the end, in the order of the lines; says so in rows.
pub(super) fn settle(
    sold: &Sold,
    standings: &[Standing<'_>],
    takes: &[Take],
    rows: &mut Vec<Row>,
) -> Vec<LineRefund> {
    let mut lines: Vec<LineRefund> = standings
        .iter()
        .zip(takes)
        .map(|(line, take)| LineRefund {
            line_no: line.sold.line_no,
            quantity: take.quantity,
            goods_minor: take.gross_minor,
            withheld_minor: 0,
            points: take.points,
        })
        .collect();
    let held: Vec<i64> = standings.iter().map(|line| line.back.withheld_minor).collect();
    let gross: Vec<i64> = takes.iter().map(|take| take.gross_minor).collect();
    let (held_before, given) = (held.iter().sum::<i64>(), gross.iter().sum::<i64>());
    let (wanted, rules) = wanted(sold, standings, takes);
    // A refund is not negative: what it does not cover is not withheld.
    let hold = wanted.min(held_before + given);
    let (why, parts, sign) = match hold.cmp(&held_before) {
        Ordering::Greater => (Why::ThresholdLost(rules), allocate(hold - held_before, &gross), 1),
        Ordering::Less => (Why::ThresholdReleased, allocate(held_before - hold, &held), -1),
        Ordering::Equal => return lines,
    };
    for (line, part) in lines.iter_mut().zip(parts).filter(|(_, part)| *part > 0) {
        line.withheld_minor = sign * part;
        line.goods_minor -= sign * part;
        let amount_minor = -sign * part;
        rows.push(Row { line_no: line.line_no, why: why.clone(), amount_minor });
    }
    lines
}

/// What is to be withheld after the refund, and for the sake of which rules.
fn wanted(sold: &Sold, standings: &[Standing<'_>], takes: &[Take]) -> (i64, Vec<String>) {
    match sold.threshold_policy {
        ThresholdPolicy::Keep => return (0, Vec::new()),
        ThresholdPolicy::Deduct => {}
    }
    let (mut sum, mut rules) = (0, Vec::new());
    for threshold in &sold.thresholds {
        let too_much = undeserved(threshold, standings, takes);
        if too_much > 0 {
            sum += too_much;
            rules.push(threshold.promotion.rule.clone());
        }
    }
    (sum, rules)
}

/// What the kept goods had of a promotion and would not have alone.
fn undeserved(threshold: &Threshold, standings: &[Standing<'_>], takes: &[Take]) -> i64 {
    let (mut sold, mut kept, mut had) = (Goods::default(), Goods::default(), 0);
    for line in &threshold.lines {
        let Ok(place) = standings.binary_search_by_key(&line.line_no, |s| s.sold.line_no) else {
            continue;
        };
        let of = standings[place].sold.quantity;
        let back = standings[place].back.quantity + takes[place].quantity;
        let keeps = |whole: i64| whole - floor(whole, back, of);
        sold = sold.with(line.base_minor, line.left_minor, of);
        kept = kept.with(keeps(line.base_minor), keeps(line.left_minor), of - back);
        had += keeps(line.off_minor);
    }
    let promotion = &threshold.promotion;
    let tier = |goods: Goods| promotion.reached(goods).map(|(tier, _)| tier);
    match tier(kept) {
        // A rate that is still reached is still the rate: the kept goods had their share of it, to the rounding.
        Some(now) if Some(now) == tier(sold) && matches!(now.off, Off::RateBp(_)) => 0,
        Some(_) | None => (had - promotion.off(kept)).max(0),
    }
}
