//! Repurchase within a fixed time (复购): of those who bought first in a window, who bought again soon enough (rule 111).

use std::cell::LazyCell;

use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;

use super::{Cube, Ratio, Window, cube::union};

/// Repurchase within so many days of the first purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The time allowed, in days.
    pub within_days: i32,
    /// Persons whose first purchase day lies in the window, up to the day of the figures.
    pub persons: u64,
    /// Those whose second purchase day is at most `within_days` later, and not after the day of the figures.
    pub repeated: u64,
    /// Persons of the cohort who have had the whole time: first purchase at least `within_days` before the figures' day.
    pub observed: u64,
    /// Those of them who repeated: the rate over `observed` is not biased by who is still in time.
    pub observed_repeated: u64,
    /// Whether the window is over and everyone of it has had the whole time. If not, `repeated` can still grow.
    pub complete: bool,
}

impl Repeat {
    /// Repeated per person of the cohort.
    #[must_use]
    pub fn rate(&self) -> Ratio {
        Ratio::of_counts(self.repeated, self.persons)
    }

    /// Repeated per person who has had the whole time.
    #[must_use]
    pub fn observed_rate(&self) -> Ratio {
        Ratio::of_counts(self.observed_repeated, self.observed)
    }
}

impl Cube {
    /// Repurchase within each of `within` days (30, 90, 180, 365 or any positive number) of those who bought first in
    /// `window`, as known at the end of `as_of`.
    #[must_use]
    pub fn repeat(&self, window: Window, within: &[i32], as_of: LocalDay) -> Vec<Repeat> {
        let cohort = LazyCell::new(|| self.newcomers(window, as_of));
        let second = LazyCell::new(|| self.returned_by(as_of));
        let one = |&days: &i32| {
            self.memo().repeats.get_or((window, days, as_of), || {
                let mut soon = self.gaps().within(days) & &*cohort;
                if let Some(second) = &*second {
                    soon &= second;
                }
                let observed = self.newcomers(window, LocalDay(as_of.0.saturating_sub(days)));
                Repeat {
                    within_days: days,
                    persons: cohort.len(),
                    repeated: soon.len(),
                    observed: observed.len(),
                    observed_repeated: soon.intersection_len(&observed),
                    complete: window.last() <= as_of && observed.len() == cohort.len(),
                }
            })
        };
        within.iter().map(one).collect()
    }

    /// Who had bought a second time by the end of `as_of`; `None` when that is everyone who ever did.
    fn returned_by(&self, as_of: LocalDay) -> Option<RoaringBitmap> {
        let later = self.span().is_some_and(|span| span.last() > as_of);
        later.then(|| union(self.slices_until(as_of).into_iter().map(|slice| &slice.second)))
    }

    /// Whose first purchase day lies in `window` and not after `last`.
    pub(super) fn newcomers(&self, window: Window, last: LocalDay) -> RoaringBitmap {
        let end = window.end().min(LocalDay(last.0.saturating_add(1)));
        Window::new(window.start(), end).map_or_else(
            |_| RoaringBitmap::new(),
            |known| union(self.slices(known).into_iter().map(|slice| &slice.first)),
        )
    }
}
