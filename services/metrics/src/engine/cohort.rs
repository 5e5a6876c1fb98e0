//! Cohorts: persons by the month of their first purchase, and how many of them bought in each month since (reference §1.26).

use siyu_kernel::LocalDay;

use super::{Cube, Month, Ratio, Window, cube::union};

/// The cohort matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohorts {
    /// The last day that the figures know.
    pub as_of: LocalDay,
    /// One row per month, in order, those without newcomers included.
    pub rows: Vec<Cohort>,
}

/// One row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// The month of the first purchase.
    pub month: Month,
    /// Who bought first in it.
    pub size: u64,
    /// Distinct persons of the cohort who bought in the month `k` months later, `k` from 0. `None` where that month had
    /// not begun on the last known day: nothing is known of it, which is not 0.
    pub active: Vec<Option<u64>>,
}

impl Cohort {
    /// The share of the cohort that bought `k` months later; `None` where nothing is known.
    #[must_use]
    pub fn share(&self, k: usize) -> Option<Ratio> {
        let active = *self.active.get(k)?;
        active.map(|active| Ratio::of_counts(active, self.size))
    }
}

impl Cube {
    /// The cohorts of the months `from` to `to`, each followed over `columns` months (its own is the first), as known at
    /// the end of `as_of`.
    #[must_use]
    pub fn cohorts(&self, from: Month, to: Month, columns: u16, as_of: LocalDay) -> Cohorts {
        let months = (0..=to.since(from)).map(|n| from.plus(n));
        let rows = months.map(|month| Cohort {
            month,
            size: self.newcomers(month.window(), as_of).len(),
            active: (0..columns).map(|k| self.active(month, month.plus(k.into()), as_of)).collect(),
        });
        Cohorts { as_of, rows: rows.collect() }
    }

    fn active(&self, of: Month, in_month: Month, as_of: LocalDay) -> Option<u64> {
        let end = in_month.window().end().min(as_of.plus(1));
        let known = Window::new(in_month.first_day(), end).ok()?;
        let active = self.slices(known);
        if active.is_empty() {
            return Some(0);
        }
        let count = || {
            let active = union(active.iter().map(|slice| &slice.buyers));
            active.intersection_len(&self.newcomers(of.window(), as_of))
        };
        // A month that is cut by `as_of` is not kept: the count would answer for other days.
        let whole = in_month.window().last() <= as_of;
        let settled = whole || self.span().is_none_or(|span| span.last() <= as_of);
        Some(if settled { self.memo().cohorts.get_or((of, in_month), count) } else { count() })
    }
}
