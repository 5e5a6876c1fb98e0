//! Scores 1 to 5 with equal values kept equal.

use super::RfmRow;

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// As for recency: fewer days.
    Smaller,
    /// As for frequency and money.
    Larger,
}

/// The score of each value among all: `min(5, 1 + floor(5 × (number of strictly worse values) / n))`.
#[must_use]
pub fn scores(values: &[i64], better: Better) -> Vec<u8> {
    let bounds = Bounds::of(values.to_vec(), better);
    values.iter().map(|&value| bounds.score(value)).collect()
}

/// Fills the scores of all rows.
pub(super) fn fill(rows: &mut [RfmRow]) {
    let bounds = |better, value: fn(&RfmRow) -> i64| {
        (value, Bounds::of(rows.iter().map(value).collect(), better))
    };
    let three = [
        bounds(Better::Smaller, |row| row.recency_days.into()),
        bounds(Better::Larger, |row| row.frequency_days.into()),
        bounds(Better::Larger, |row| row.monetary_minor),
    ];
    for row in rows {
        row.scores = three.each_ref().map(|(value, bounds)| bounds.score(value(row)));
    }
}

/// The worst value that still gets each score: since equal values score equally and better values not less, four bounds
/// say everything.
struct Bounds {
    /// The worst value of the scores 2, 3, 4 and 5; `None` where no value reaches the score.
    worst: [Option<i64>; 4],
    better: Better,
}

impl Bounds {
    fn of(mut values: Vec<i64>, better: Better) -> Self {
        // From the worst to the best.
        match better {
            Better::Larger => values.sort_unstable(),
            Better::Smaller => values.sort_unstable_by_key(|&value| std::cmp::Reverse(value)),
        }
        let n = values.len();
        // A score of s needs 5 × worse ≥ (s − 1) × n. Equal values share the number of worse ones, so the first place that
        // satisfies it counts only if its value begins there; otherwise the next greater value is the bound.
        let bound = |score: usize| {
            let needed = ((score - 1) * n).div_ceil(5);
            let at = *values.get(needed)?;
            let starts = needed == 0 || values[needed - 1] != at;
            let next = || values[needed..].iter().find(|&&value| value != at).copied();
            if starts { Some(at) } else { next() }
        };
        Self { worst: [bound(2), bound(3), bound(4), bound(5)], better }
    }

    fn score(&self, value: i64) -> u8 {
        let reached = |&&bound: &&Option<i64>| {
            bound.is_some_and(|bound| match self.better {
                Better::Larger => value >= bound,
                Better::Smaller => value <= bound,
            })
        };
        1 + u8::try_from(self.worst.iter().filter(reached).count()).expect("at most four")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_scores_come_out() {
        let recency = [3, 10, 10, 40, 200, 400, 400, 7, 90, 30];
        assert_eq!(scores(&recency, Better::Smaller), [5, 4, 4, 3, 2, 1, 1, 5, 2, 3]);
        let frequency = [9, 4, 4, 2, 1, 1, 1, 7, 2, 3];
        assert_eq!(scores(&frequency, Better::Larger), [5, 4, 4, 2, 1, 1, 1, 5, 2, 3]);
        assert_eq!(scores(&[], Better::Larger), Vec::<u8>::new());
    }

    proptest! {
        #[test]
        fn a_score_counts_the_strictly_worse(
            values in prop::collection::vec(-3..12_i64, 1..40),
            smaller_is_better: bool,
        ) {
            let expected: Vec<u8> = values
                .iter()
                .map(|&own| {
                    let worse = |&&other: &&i64| {
                        if smaller_is_better { other > own } else { other < own }
                    };
                    let worse = values.iter().filter(worse).count();
                    u8::try_from(1 + 5 * worse / values.len()).unwrap().min(5)
                })
                .collect();
            let better = if smaller_is_better { Better::Smaller } else { Better::Larger };
            prop_assert_eq!(scores(&values, better), expected);
        }
    }
}
