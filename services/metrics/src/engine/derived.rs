//! What follows from the purchase days of one person, and the bitmaps that hold it for all.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;

use super::Person;

/// Someone whose last purchase lies more than this many days back is dormant (沉睡); exactly this many is not
/// (reference §1.18).
pub const DORMANT_DAYS: i32 = 365;

/// A derived bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexKey {
    /// Persons whose first purchase day it is.
    First(LocalDay),
    /// Persons whose second distinct purchase day it is.
    Second(LocalDay),
    /// Persons with so many days between their first and second purchase day.
    Gap(i32),
    /// Persons who bought that day, more than [`DORMANT_DAYS`] after their purchase day before.
    Reactivated(LocalDay),
}

/// What follows from the purchase days of one person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Derived {
    first: Option<LocalDay>,
    second: Option<LocalDay>,
    last: Option<LocalDay>,
    reactivated: Vec<LocalDay>,
}

/// Persons to put into and to take out of derived bitmaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexOps(BTreeMap<IndexKey, (RoaringBitmap, RoaringBitmap)>);

impl IndexKey {
    /// The key as two columns: which bitmap (1 first, 2 second, 3 gap, 4 reactivated), and its day or gap.
    #[must_use]
    pub const fn columns(self) -> (i16, i32) {
        match self {
            Self::First(day) => (1, day.0),
            Self::Second(day) => (2, day.0),
            Self::Gap(days) => (3, days),
            Self::Reactivated(day) => (4, day.0),
        }
    }

    /// Reads the two columns; `None` for an unknown kind.
    #[must_use]
    pub const fn from_columns(kind: i16, key: i32) -> Option<Self> {
        match kind {
            1 => Some(Self::First(LocalDay(key))),
            2 => Some(Self::Second(LocalDay(key))),
            3 => Some(Self::Gap(key)),
            4 => Some(Self::Reactivated(LocalDay(key))),
            _ => None,
        }
    }
}

impl Derived {
    /// What follows from `days`: distinct and in order.
    #[must_use]
    pub fn from_days(days: &[LocalDay]) -> Self {
        let mut derived = Self::default();
        for &day in days {
            derived.push(day);
        }
        derived
    }

    /// Takes the next purchase day, which lies after those before.
    pub(super) fn push(&mut self, day: LocalDay) {
        debug_assert!(self.last < Some(day), "purchase days come in order");
        match (self.first, self.second) {
            (None, _) => self.first = Some(day),
            (Some(_), None) => self.second = Some(day),
            (Some(_), Some(_)) => {}
        }
        if self.last.is_some_and(|last| day.0 - last.0 > DORMANT_DAYS) {
            self.reactivated.push(day);
        }
        self.last = Some(day);
    }

    /// The bitmaps that the person is in.
    fn keys(&self) -> impl Iterator<Item = IndexKey> {
        let gap = self.first.zip(self.second).map(|(first, second)| second.0 - first.0);
        let reactivated = self.reactivated.iter().map(|&day| IndexKey::Reactivated(day));
        self.first
            .map(IndexKey::First)
            .into_iter()
            .chain(self.second.map(IndexKey::Second))
            .chain(gap.map(IndexKey::Gap))
            .chain(reactivated)
    }
}

impl IndexOps {
    /// Notes what changes for `person`, whose purchase days gave `old` and now give `new`.
    pub fn note(&mut self, person: Person, old: &Derived, new: &Derived) {
        if old == new {
            return;
        }
        // A bitmap that the person leaves and enters in the same change is left alone.
        let (leaves, enters): (Vec<_>, Vec<_>) = (old.keys().collect(), new.keys().collect());
        for &key in enters.iter().filter(|key| !leaves.contains(key)) {
            self.0.entry(key).or_default().0.insert(person);
        }
        for &key in leaves.iter().filter(|key| !enters.contains(key)) {
            self.0.entry(key).or_default().1.insert(person);
        }
    }

    /// The changed bitmaps in order, each with whom to put in and whom to take out.
    pub fn iter(&self) -> impl Iterator<Item = (IndexKey, &RoaringBitmap, &RoaringBitmap)> {
        self.0.iter().map(|(&key, (add, remove))| (key, add, remove))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: &[i32]) -> Vec<LocalDay> {
        days.iter().copied().map(LocalDay).collect()
    }

    #[test]
    fn first_second_gap_and_reactivation_follow_from_the_days() {
        let derived = Derived::from_days(&days(&[10, 40, 405, 771]));
        let keys: Vec<_> = derived.keys().collect();
        assert_eq!(
            keys,
            [
                IndexKey::First(LocalDay(10)),
                IndexKey::Second(LocalDay(40)),
                IndexKey::Gap(30),
                // 365 days from 40 to 405 are not enough, 366 from 405 to 771 are.
                IndexKey::Reactivated(LocalDay(771)),
            ]
        );
        assert_eq!(Derived::from_days(&[]).keys().count(), 0);
    }

    #[test]
    fn only_differences_are_noted() {
        let mut ops = IndexOps::default();
        let old = Derived::from_days(&days(&[10, 40]));
        ops.note(7, &old, &old.clone());
        assert_eq!(ops.iter().count(), 0);
        ops.note(7, &old, &Derived::from_days(&days(&[10, 15, 40])));
        let one = RoaringBitmap::from([7]);
        let none = RoaringBitmap::new();
        let noted: Vec<_> = ops.iter().collect();
        assert_eq!(
            noted,
            [
                (IndexKey::Second(LocalDay(15)), &one, &none),
                (IndexKey::Second(LocalDay(40)), &none, &one),
                (IndexKey::Gap(5), &one, &none),
                (IndexKey::Gap(30), &none, &one),
            ]
        );
    }

    #[test]
    fn keys_come_back_from_their_columns() {
        for key in [
            IndexKey::First(LocalDay(-3)),
            IndexKey::Second(LocalDay(9)),
            IndexKey::Gap(1),
            IndexKey::Reactivated(LocalDay(0)),
        ] {
            let (kind, column) = key.columns();
            assert_eq!(IndexKey::from_columns(kind, column), Some(key));
        }
        assert_eq!(IndexKey::from_columns(0, 1), None);
    }
}
