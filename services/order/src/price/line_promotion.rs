//! Promotions over pieces. A piece takes part in one: the first by priority that can use it.

use std::cmp::Reverse;

use siyu_kernel::allocate;

use super::{LinePromotion, LineRule, Scope, Step, rules::share, working::Working};

/// The pieces of each line that no promotion has used yet.
type Free = Vec<i64>;

pub(super) fn apply(working: &mut Working<'_>, promotions: &[LinePromotion]) {
    let mut free: Free = working.cart.lines.iter().map(|line| line.quantity).collect();
    // Before the first promotion all pieces of a line cost the same.
    let unit: Vec<i64> = working.amounts().iter().zip(&free).map(|(a, n)| a / n).collect();
    let mut sorted: Vec<&LinePromotion> = promotions.iter().collect();
    sorted.sort_by_key(|promotion| (promotion.priority, &promotion.rule));
    for promotion in sorted {
        match &promotion.does {
            LineRule::NthPiece { scope, n, rate_bp } => {
                nth(working, &mut free, &unit, &promotion.rule, scope, *n, *rate_bp);
            }
            LineRule::Bundle { parts, price_minor } => {
                bundle(working, &mut free, &unit, &promotion.rule, parts, *price_minor);
            }
        }
    }
}

/// Pieces dearest first, in groups of n: the last of each whole group is the cheap one. Pieces that fill no group stay free.
fn nth(
    working: &mut Working<'_>,
    free: &mut Free,
    unit: &[i64],
    rule: &str,
    scope: &Scope,
    n: i64,
    rate_bp: i64,
) {
    let lines = working.cart.lines.iter().enumerate();
    let mut places: Vec<usize> =
        lines.filter(|(_, line)| scope.includes(line)).map(|(i, _)| i).collect();
    places.sort_by_key(|&i| (Reverse(unit[i]), i));
    let all: i64 = places.iter().map(|&i| free[i]).sum();
    let mut used = all - all % n.max(2);
    let mut before = 0;
    for place in places {
        let pieces = free[place].min(used);
        // Every n-th of all pieces so far is cheap; this line has those between its first and its last.
        let cheap = (before + pieces) / n.max(2) - before / n.max(2);
        let off = share(unit[place], 10_000 - rate_bp.clamp(0, 10_000));
        working.take(Step::LinePromotion, rule, place, off * cheap);
        before += pieces;
        used -= pieces;
        free[place] -= pieces;
    }
}

/// As many sets as the free pieces make. A SKU may stand on several lines: the first lines give first.
fn bundle(
    working: &mut Working<'_>,
    free: &mut Free,
    unit: &[i64],
    rule: &str,
    parts: &[(String, i64)],
    price_minor: i64,
) {
    let lines = &working.cart.lines;
    let have = |sku: &str| -> i64 {
        let of = lines.iter().zip(free.iter()).filter(|(line, _)| line.sku == sku);
        of.map(|(_, free)| *free).sum()
    };
    let sets = parts.iter().map(|(sku, need)| have(sku) / need.max(&1)).min().unwrap_or(0);
    let mut weights = vec![0; lines.len()];
    let mut used = vec![0; lines.len()];
    for (sku, need) in parts {
        let mut wanted = need * sets;
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| &line.sku == sku) {
            let pieces = wanted.min(free[place] - used[place]);
            used[place] += pieces;
            weights[place] += pieces * unit[place];
            wanted -= pieces;
            debug_assert!(line.quantity >= used[place]);
        }
    }
    let off = weights.iter().sum::<i64>() - price_minor * sets;
    // Where the set costs more than its pieces, nobody wants it.
    if off <= 0 {
        return;
    }
    for (place, part) in allocate(off, &weights).into_iter().enumerate() {
        free[place] -= used[place];
        working.take(Step::LinePromotion, rule, place, part);
    }
}
