//! Promotions over pieces. A piece takes part in one: the first by priority that can use it.

use std::cmp::Reverse;

use siyu_kernel::allocate;

use super::{Line, LinePromotion, LineRule, Step, rules::share, working::Working};

/// The pieces of each line that no promotion has used yet, and what one costs: before the first promotion all pieces of a
/// line cost the same.
struct Pieces {
    free: Vec<i64>,
    unit: Vec<i64>,
}

pub(super) fn apply(working: &mut Working<'_>, promotions: &[LinePromotion]) {
    let free: Vec<i64> = working.cart.lines.iter().map(|line| line.quantity).collect();
    let unit = working.amounts().iter().zip(&free).map(|(amount, n)| amount / n).collect();
    let mut pieces = Pieces { free, unit };
    let mut sorted: Vec<&LinePromotion> = promotions.iter().collect();
    sorted.sort_by_key(|promotion| (promotion.priority, &promotion.rule));
    for LinePromotion { rule, does, .. } in sorted {
        let offs = match does {
            LineRule::NthPiece { scope, n, rate_bp } => {
                let lines = working.cart.lines.iter().enumerate();
                let places = lines.filter(|(_, line)| scope.includes(line)).map(|(i, _)| i);
                pieces.nth(places.collect(), (*n).max(2), *rate_bp)
            }
            LineRule::Bundle { parts, price_minor } => {
                pieces.bundle(&working.cart.lines, parts, *price_minor)
            }
        };
        for (place, off) in offs {
            working.take(Step::LinePromotion, rule, place, off);
        }
    }
}

impl Pieces {
    /// Pieces dearest first, in groups of n: the last of each whole group is the cheap one. Pieces that fill no group stay
    /// free. Gives what is taken off each place.
    fn nth(&mut self, mut places: Vec<usize>, n: i64, rate_bp: i64) -> Vec<(usize, i64)> {
        places.sort_by_key(|&place| (Reverse(self.unit[place]), place));
        let all: i64 = places.iter().map(|&place| self.free[place]).sum();
        let (mut before, mut left) = (0, all - all % n);
        let mut offs = Vec::new();
        for place in places {
            let pieces = self.free[place].min(left);
            // Every n-th of all pieces so far is cheap; this line has those between its first and its last.
            let cheap = (before + pieces) / n - before / n;
            offs.push((place, share(self.unit[place], 10_000 - rate_bp.clamp(0, 10_000)) * cheap));
            before += pieces;
            left -= pieces;
            self.free[place] -= pieces;
        }
        offs
    }

    /// As many sets as the free pieces make. A SKU may stand on several lines: the first lines give first. Gives what is
    /// taken off each place.
    fn bundle(
        &mut self,
        lines: &[Line],
        parts: &[(String, i64)],
        price_minor: i64,
    ) -> Vec<(usize, i64)> {
        let of = |sku: &str| -> Vec<usize> {
            lines.iter().enumerate().filter(|(_, line)| line.sku == sku).map(|(i, _)| i).collect()
        };
        let have = |sku: &str| of(sku).into_iter().map(|place| self.free[place]).sum::<i64>();
        let sets = parts.iter().map(|(sku, need)| have(sku) / need.max(&1)).min().unwrap_or(0);
        let (mut weights, mut used) = (vec![0; lines.len()], vec![0; lines.len()]);
        for (sku, need) in parts {
            let mut wanted = need * sets;
            for place in of(sku) {
                let pieces = wanted.min(self.free[place]);
                used[place] += pieces;
                weights[place] += pieces * self.unit[place];
                wanted -= pieces;
            }
        }
        let off = weights.iter().sum::<i64>() - price_minor * sets;
        // Where the set costs more than its pieces, nobody wants it.
        if off <= 0 {
            return Vec::new();
        }
        for (free, used) in self.free.iter_mut().zip(used) {
            *free -= used;
        }
        allocate(off, &weights).into_iter().enumerate().collect()
    }
}
