//! Sets of whole numbers: what a number, a day or an instant (in microseconds) may be.

/// Spans of numbers, both ends included, in order and apart; `i64::MIN` and `i64::MAX` are open ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans(Vec<(i64, i64)>);

impl Spans {
    /// Every number.
    pub fn all() -> Self {
        Self(vec![(i64::MIN, i64::MAX)])
    }

    /// The numbers from one to another, both included; none when they are the wrong way round.
    pub fn between(min: i64, max: i64) -> Self {
        Self::of(vec![(min, max)])
    }

    /// This number or more.
    pub fn at_least(min: i64) -> Self {
        Self::between(min, i64::MAX)
    }

    /// This number or less.
    pub fn at_most(max: i64) -> Self {
        Self::between(i64::MIN, max)
    }

    /// Exactly these numbers.
    pub fn points(points: impl IntoIterator<Item = i64>) -> Self {
        Self::of(points.into_iter().map(|point| (point, point)).collect())
    }

    /// The numbers of any of the spans.
    pub fn of(mut spans: Vec<(i64, i64)>) -> Self {
        spans.retain(|(min, max)| min <= max);
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (min, max) in spans {
            match joined.last_mut() {
                Some(last) if min <= last.1.saturating_add(1) => last.1 = last.1.max(max),
                Some(_) | None => joined.push((min, max)),
            }
        }
        Self(joined)
    }

    /// Every other number.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(i64::MIN);
        for &(min, max) in &self.0 {
            if let Some(start) = next.filter(|&start| start < min) {
                gaps.push((start, min - 1));
            }
            next = max.checked_add(1);
        }
        gaps.extend(next.map(|start| (start, i64::MAX)));
        Self(gaps)
    }

    /// Whether a number is among them.
    pub fn contains(&self, number: i64) -> bool {
        self.0.iter().any(|&(min, max)| min <= number && number <= max)
    }

    /// The spans, in order.
    pub fn ranges(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Spans of something else, each made of one of these.
    #[must_use]
    pub fn map(&self, make: impl Fn((i64, i64)) -> (i64, i64)) -> Self {
        Self::of(self.0.iter().map(|&span| make(span)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neighbours_are_one_span_and_ends_are_open() {
        let spans = Spans::of(vec![(5, 7), (1, 2), (3, 3), (9, 8), (10, i64::MAX)]);
        assert_eq!(spans.ranges(), [(1, 3), (5, 7), (10, i64::MAX)]);
        assert_eq!(spans.complement().ranges(), [(i64::MIN, 0), (4, 4), (8, 9)]);
        assert_eq!(Spans::all().complement().ranges(), []);
        assert_eq!(Spans::of(Vec::new()).complement(), Spans::all());
    }

    proptest! {
        #[test]
        fn a_number_is_in_a_set_or_in_its_complement(
            spans in prop::collection::vec((-20_i64..20, -20_i64..20), 0..6), number in -30_i64..30,
        ) {
            let expected = spans.iter().any(|&(min, max)| min <= number && number <= max);
            let set = Spans::of(spans);
            prop_assert_eq!(set.contains(number), expected);
            prop_assert_eq!(set.complement().contains(number), !expected);
            prop_assert_eq!(set.complement().complement(), set);
        }
    }
}
