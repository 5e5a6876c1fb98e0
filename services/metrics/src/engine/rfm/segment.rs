//! The eight named segments: each of R, F and M at least as good as the merchant's own mean, or not.

use super::RfmRow;

/// A segment, named in the field's own terms; the digits say whether R, F and M are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// 重要价值, 111: recent, often, much.
    ImportantValue,
    /// 重要发展, 101: recent, seldom, much.
    ImportantDevelop,
    /// 重要保持, 011: long ago, often, much.
    ImportantKeep,
    /// 重要挽留, 001: long ago, seldom, much.
    ImportantWinBack,
    /// 一般价值, 110: recent, often, little.
    GeneralValue,
    /// 一般发展, 100: recent, seldom, little.
    GeneralDevelop,
    /// 一般保持, 010: long ago, often, little.
    GeneralKeep,
    /// 一般挽留, 000: long ago, seldom, little.
    GeneralWinBack,
}

impl Segment {
    /// All segments, the important ones first.
    pub const EVERY: [Self; 8] = [
        Self::ImportantValue,
        Self::ImportantDevelop,
        Self::ImportantKeep,
        Self::ImportantWinBack,
        Self::GeneralValue,
        Self::GeneralDevelop,
        Self::GeneralKeep,
        Self::GeneralWinBack,
    ];

    /// The Chinese term.
    #[must_use]
    pub const fn term(self) -> &'static str {
        match self {
            Self::ImportantValue => "重要价值",
            Self::ImportantDevelop => "重要发展",
            Self::ImportantKeep => "重要保持",
            Self::ImportantWinBack => "重要挽留",
            Self::GeneralValue => "一般价值",
            Self::GeneralDevelop => "一般发展",
            Self::GeneralKeep => "一般保持",
            Self::GeneralWinBack => "一般挽留",
        }
    }

    /// Its place in [`Segment::EVERY`].
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::ImportantValue => 0,
            Self::ImportantDevelop => 1,
            Self::ImportantKeep => 2,
            Self::ImportantWinBack => 3,
            Self::GeneralValue => 4,
            Self::GeneralDevelop => 5,
            Self::GeneralKeep => 6,
            Self::GeneralWinBack => 7,
        }
    }

    const fn of(recent: bool, often: bool, much: bool) -> Self {
        match (recent, often, much) {
            (true, true, true) => Self::ImportantValue,
            (true, false, true) => Self::ImportantDevelop,
            (false, true, true) => Self::ImportantKeep,
            (false, false, true) => Self::ImportantWinBack,
            (true, true, false) => Self::GeneralValue,
            (true, false, false) => Self::GeneralDevelop,
            (false, true, false) => Self::GeneralKeep,
            (false, false, false) => Self::GeneralWinBack,
        }
    }
}

/// The merchant's own means, as sums over all persons: compared by multiplication, so that nothing is rounded.
pub(super) struct Means {
    persons: i128,
    recency: i128,
    frequency: i128,
    monetary: i128,
}

impl Means {
    pub(super) fn of(rows: &[RfmRow]) -> Self {
        let mut means = Self { persons: 0, recency: 0, frequency: 0, monetary: 0 };
        for row in rows {
            means.persons += 1;
            means.recency += i128::from(row.recency_days);
            means.frequency += i128::from(row.frequency_days);
            means.monetary += i128::from(row.monetary_minor);
        }
        means
    }

    pub(super) fn sums(&self) -> [i64; 3] {
        [self.recency, self.frequency, self.monetary]
            .map(|sum| i64::try_from(sum).expect("a merchant's turnover fits 64 bits"))
    }

    /// "At least the mean" is meant in favour of the person: fewer or equally many days since the last purchase
    /// (`R × n ≤ ΣR`), as many or more purchase days (`F × n ≥ ΣF`), as much or more money (`M × n ≥ ΣM`).
    pub(super) fn segment(&self, row: &RfmRow) -> Segment {
        Segment::of(
            i128::from(row.recency_days) * self.persons <= self.recency,
            i128::from(row.frequency_days) * self.persons >= self.frequency,
            i128::from(row.monetary_minor) * self.persons >= self.monetary,
        )
    }
}
