//! Answers that are dear to compute and cheap to keep, forgotten when what they stand on changes: a dashboard that asks
//! again pays for the question, not for the size of the merchant. Bounded, whatever is asked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use siyu_kernel::LocalDay;

use crate::engine::{Dormancy, Month, Repeat, Sales, Window, calendar::monday};

/// Remembered answers of one cube.
#[derive(Debug)]
pub(in crate::engine) struct Memo {
    /// Who of a cohort bought in a month, by both months.
    pub(in crate::engine) cohorts: Kept<(Month, Month), u64>,
    /// Distinct buyers by the Monday of the ISO week.
    pub(in crate::engine) weeks: Kept<LocalDay, u64>,
    pub(in crate::engine) sales: Kept<Window, Sales>,
    /// By window, days allowed, and day of the figures.
    pub(in crate::engine) repeats: Kept<(Window, i32, LocalDay), Repeat>,
    pub(in crate::engine) dormancy: Kept<LocalDay, Dormancy>,
}

/// Answers by question.
#[derive(Debug)]
pub(in crate::engine) struct Kept<K, V> {
    known: Mutex<BTreeMap<K, V>>,
    most: usize,
}

// Parts that outlive a change: thirty years of cohorts and of weeks.
const MOST_PARTS: usize = 65_536;
// Whole answers, which no change outlive.
const MOST_ANSWERS: usize = 64;

impl Default for Memo {
    fn default() -> Self {
        Self {
            cohorts: Kept::at_most(MOST_PARTS),
            weeks: Kept::at_most(MOST_PARTS),
            sales: Kept::at_most(MOST_ANSWERS),
            repeats: Kept::at_most(MOST_ANSWERS),
            dormancy: Kept::at_most(MOST_ANSWERS),
        }
    }
}

impl Memo {
    /// Forgets whole answers: something changed.
    pub(super) fn forget_answers(&self) {
        self.sales.forget();
        self.repeats.forget();
        self.dormancy.forget();
    }

    /// Forgets what stands on who bought on `day`.
    pub(super) fn forget_day(&self, day: LocalDay) {
        let month = Month::of(day);
        self.cohorts.lock().retain(|&(_, active), _| active != month);
        self.weeks.lock().remove(&monday(day));
    }

    /// Forgets what stands on whose first purchase lies in `month`.
    pub(super) fn forget_cohort(&self, month: Month) {
        self.cohorts.lock().retain(|&(of, _), _| of != month);
    }
}

impl<K: Ord, V: Clone> Kept<K, V> {
    fn at_most(most: usize) -> Self {
        Self { known: Mutex::default(), most }
    }

    /// The answer that is known, or the one that `compute` finds.
    pub(in crate::engine) fn get_or(&self, key: K, compute: impl FnOnce() -> V) -> V {
        if let Some(known) = self.lock().get(&key) {
            return known.clone();
        }
        // Computed outside the lock: two readers may both compute, and find the same.
        let found = compute();
        let mut known = self.lock();
        if known.len() >= self.most {
            known.clear();
        }
        known.insert(key, found.clone());
        found
    }

    fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, V>> {
        // No answer is left half written by a panic, so a poisoned map is as good as any.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
