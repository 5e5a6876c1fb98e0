//! One merchant in one scope, in memory: days in order, months rolled up lazily, gaps by blocks.
//!
//! No month without a day and no day without an order or an index: what is empty is taken out, so that a month is whole
//! in a window as soon as the window covers the days that exist.

mod gaps;
mod memo;
mod slice;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use roaring::{MultiOps, RoaringBitmap};
use siyu_kernel::LocalDay;

pub(super) use self::slice::Slice;
use self::{gaps::Gaps, memo::Memo};
use super::{DayCell, Delta, IndexKey, Month, Spend, Window, cell::Columns};

/// The figures of one merchant in one scope; answers queries exactly and is changed only by [`Cube::apply`].
#[derive(Debug, Default)]
pub struct Cube {
    months: BTreeMap<Month, Days>,
    gaps: Gaps,
    memo: Memo,
}

#[derive(Debug, Default)]
struct Days {
    days: BTreeMap<LocalDay, Day>,
    whole: OnceLock<Slice>,
}

#[derive(Debug, Default)]
struct Day {
    slice: Slice,
    columns: Columns,
}

impl Cube {
    /// A cube from stored cells and indexes.
    #[must_use]
    pub fn new(stored: Delta) -> Self {
        let mut cube = Self::default();
        cube.apply(stored);
        cube
    }

    /// Replaces the cells and derived bitmaps that `delta` names; empty ones are taken out.
    pub fn apply(&mut self, delta: Delta) {
        self.memo.forget_answers();
        let mut touched = BTreeSet::new();
        for (at, cell) in delta.cells {
            touched.insert(at);
            self.memo.forget_day(at);
            self.day_mut(at).put(cell);
        }
        for (key, set) in delta.indexes {
            match key {
                IndexKey::First(at) => {
                    touched.insert(at);
                    self.memo.forget_cohort(Month::of(at));
                    self.day_mut(at).slice.first = set;
                }
                IndexKey::Second(at) => {
                    touched.insert(at);
                    self.day_mut(at).slice.second = set;
                }
                IndexKey::Reactivated(at) => {
                    touched.insert(at);
                    self.day_mut(at).slice.reactivated = set;
                }
                IndexKey::Gap(days) => self.gaps.put(days, set),
            }
        }
        for at in touched {
            self.settle(at);
        }
    }

    /// The cell of a day.
    #[must_use]
    pub fn cell(&self, at: LocalDay) -> Option<DayCell> {
        let Day { slice, columns } = self.day(at)?;
        Some(DayCell {
            buyers: slice.buyers.clone(),
            multi: slice.multi.clone(),
            sums: slice.sums,
            columns: columns.clone(),
        })
    }

    /// Who bought on a day; `None` when nothing is known of it.
    #[must_use]
    pub fn buyers_on(&self, at: LocalDay) -> Option<&RoaringBitmap> {
        self.day(at).map(|day| &day.slice.buyers)
    }

    /// A derived bitmap; empty when nobody is in it.
    #[must_use]
    pub fn index(&self, key: IndexKey) -> RoaringBitmap {
        let set = match key {
            IndexKey::First(at) => self.day(at).map(|day| &day.slice.first),
            IndexKey::Second(at) => self.day(at).map(|day| &day.slice.second),
            IndexKey::Reactivated(at) => self.day(at).map(|day| &day.slice.reactivated),
            IndexKey::Gap(days) => self.gaps.get(days),
        };
        set.cloned().unwrap_or_default()
    }

    /// The first and the last day with an order.
    #[must_use]
    pub fn span(&self) -> Option<Window> {
        let (_, first) = self.months.first_key_value()?;
        let (_, last) = self.months.last_key_value()?;
        Window::new(first.span()?.0, last.span()?.1.plus(1)).ok()
    }

    fn day(&self, at: LocalDay) -> Option<&Day> {
        self.months.get(&Month::of(at))?.days.get(&at)
    }

    fn day_mut(&mut self, at: LocalDay) -> &mut Day {
        assert!(Window::new(at, at.plus(1)).is_ok(), "a purchase day lies within the calendar");
        self.months.entry(Month::of(at)).or_default().days.entry(at).or_default()
    }

    /// Brings what follows from a changed day up to date, and takes out what became empty.
    fn settle(&mut self, at: LocalDay) {
        let month = Month::of(at);
        let Some(days) = self.months.get_mut(&month) else { return };
        days.whole = OnceLock::new();
        if let Some(day) = days.days.get_mut(&at) {
            day.weigh_reactivated();
            if day.slice.is_empty() {
                days.days.remove(&at);
            }
        }
        if days.days.is_empty() {
            self.months.remove(&month);
        }
    }

    /// The parts of `window`: whole months where it covers them, days at its edges.
    pub(super) fn slices(&self, window: Window) -> Vec<&Slice> {
        let months = Month::of(window.start())..=Month::of(window.last());
        let mut slices = Vec::new();
        for (_, days) in self.months.range(months) {
            if days.span().is_some_and(|(a, b)| window.contains(a) && window.contains(b)) {
                slices.push(days.whole());
            } else {
                let edge = days.days.range(window.start()..window.end());
                slices.extend(edge.map(|(_, day)| &day.slice));
            }
        }
        slices
    }

    /// The parts of the time up to and with `last`.
    pub(super) fn slices_until(&self, last: LocalDay) -> Vec<&Slice> {
        let until = |span: Window| Window::new(span.start(), span.end().min(last.plus(1))).ok();
        self.span().and_then(until).map_or_else(Vec::new, |window| self.slices(window))
    }

    /// Who bought in `window`.
    #[must_use]
    pub fn buyers(&self, window: Window) -> RoaringBitmap {
        union(self.slices(window).into_iter().map(|slice| &slice.buyers))
    }

    /// Who had bought by the end of `last`.
    #[must_use]
    pub fn buyers_until(&self, last: LocalDay) -> RoaringBitmap {
        union(self.slices_until(last).into_iter().map(|slice| &slice.buyers))
    }

    /// The days of `window` that have orders.
    pub(super) fn days(&self, window: Window) -> impl Iterator<Item = (LocalDay, &Slice)> {
        let months = Month::of(window.start())..=Month::of(window.last());
        self.months
            .range(months)
            .flat_map(move |(_, days)| days.days.range(window.start()..window.end()))
            .map(|(&at, day)| (at, &day.slice))
    }

    /// Every purchase day of every person in `window`, day by day: the only walk whose cost is the orders.
    pub(super) fn each_spend(&self, window: Window, mut each: impl FnMut(LocalDay, Spend)) {
        for (at, slice) in self.days(window) {
            let day = self.day(at).expect("it was just listed");
            day.columns.spends(&slice.buyers).for_each(|spend| each(at, spend));
        }
    }

    pub(super) const fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    pub(super) const fn memo(&self) -> &Memo {
        &self.memo
    }
}

impl Days {
    fn span(&self) -> Option<(LocalDay, LocalDay)> {
        Some((*self.days.first_key_value()?.0, *self.days.last_key_value()?.0))
    }

    fn whole(&self) -> &Slice {
        self.whole.get_or_init(|| {
            let mut whole = Slice::default();
            self.days.values().for_each(|day| whole.absorb(&day.slice));
            whole
        })
    }
}

impl Day {
    fn put(&mut self, cell: DayCell) {
        let DayCell { buyers, multi, sums, columns } = cell;
        (self.slice.buyers, self.slice.multi, self.slice.sums) = (buyers, multi, sums);
        self.columns = columns;
    }

    fn weigh_reactivated(&mut self) {
        let back = &self.slice.reactivated;
        self.slice.reactivations = back.len();
        self.slice.reactivated_gmv_minor = if back.is_empty() {
            0
        } else {
            let spends = self.columns.spends(&self.slice.buyers);
            spends.filter(|spend| back.contains(spend.person)).map(|spend| spend.amount_minor).sum()
        };
    }
}

/// Everyone in any of `sets`.
pub(super) fn union<'a>(sets: impl Iterator<Item = &'a RoaringBitmap>) -> RoaringBitmap {
    sets.union()
}
