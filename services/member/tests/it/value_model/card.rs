//! One card of the model, and how amounts are cut.

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lot {
    pub(super) remaining: i64,
    pub(super) held: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Card {
    pub(super) principal: i64,
    pub(super) held: i64,
    pub(super) lots: Vec<Lot>,
}

/// Largest remainder, the slow way: one unit after the other to who is furthest behind the exact share.
pub(super) fn split(amount: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i64 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let mut parts: Vec<i64> = weights.iter().map(|w| amount * w / sum).collect();
    while parts.iter().sum::<i64>() < amount {
        let behind = |i: usize| amount * weights[i] - parts[i] * sum;
        let mut best = 0;
        for i in 1..weights.len() {
            if behind(i) > behind(best) {
                best = i;
            }
        }
        parts[best] += 1;
    }
    parts
}

pub(super) fn pairs(parts: &[i64]) -> Vec<(i64, i64)> {
    parts.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

impl Card {
    pub(super) fn available(&self) -> (i64, i64) {
        let bonus = self.lots.iter().map(|lot| lot.remaining - lot.held).sum();
        (self.principal - self.held, bonus)
    }

    /// Lots that give an amount of bonus, oldest first.
    pub(super) fn sources(&self, mut amount: i64) -> Vec<(usize, i64)> {
        let mut found = Vec::new();
        for (i, lot) in self.lots.iter().enumerate() {
            let part = amount.min(lot.remaining - lot.held);
            if part > 0 {
                found.push((i, part));
                amount -= part;
            }
        }
        found
    }
}
