//! Counts that are dear to compute and cheap to keep, forgotten when what they stand on changes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use siyu_kernel::LocalDay;

use crate::engine::{Month, calendar::monday};

/// Remembered counts of one cube.
#[derive(Debug, Default)]
pub(in crate::engine) struct Memo {
    /// By cohort month and month of activity.
    cohorts: Counts<(Month, Month)>,
    /// Distinct buyers by the Monday of the ISO week.
    weeks: Counts<LocalDay>,
}

#[derive(Debug)]
struct Counts<K>(Mutex<BTreeMap<K, u64>>);

impl Memo {
    /// How many of the cohort `of` bought in the month `active`.
    pub(in crate::engine) fn cohort(
        &self,
        of: Month,
        active: Month,
        count: impl FnOnce() -> u64,
    ) -> u64 {
        self.cohorts.get_or((of, active), count)
    }

    /// The distinct buyers of the week that starts on `monday`.
    pub(in crate::engine) fn week(&self, monday: LocalDay, count: impl FnOnce() -> u64) -> u64 {
        self.weeks.get_or(monday, count)
    }

    /// Forgets what stands on who bought on `day`.
    pub(super) fn forget_day(&mut self, day: LocalDay) {
        let month = Month::of(day);
        self.cohorts.lock().retain(|&(_, active), _| active != month);
        self.weeks.lock().remove(&monday(day));
    }

    /// Forgets what stands on whose first purchase lies in `month`.
    pub(super) fn forget_cohort(&mut self, month: Month) {
        self.cohorts.lock().retain(|&(of, _), _| of != month);
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord> Counts<K> {
    fn get_or(&self, key: K, count: impl FnOnce() -> u64) -> u64 {
        if let Some(&known) = self.lock().get(&key) {
            return known;
        }
        // Counted outside the lock: two readers may both count, and get the same.
        let counted = count();
        self.lock().insert(key, counted);
        counted
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, u64>> {
        // No count is left half written by a panic, so a poisoned map is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
