//! From changed day cells to everything that changes with them: the same plan for one late order and for a first import.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;

use super::{Cube, DayCell, Derived, IndexKey, IndexOps, Person};

/// Cells and derived bitmaps that replace those of the same day or key; an empty one means there is none any more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// Cells by day.
    pub cells: Vec<(LocalDay, DayCell)>,
    /// Derived bitmaps by key.
    pub indexes: Vec<(IndexKey, RoaringBitmap)>,
}

// Persons looked at in one pass over the days: bounds memory in a first import of millions.
const PERSONS_AT_ONCE: usize = 65_536;

impl Cube {
    /// Works out what else changes when `fresh` cells replace the present ones (an empty cell: no orders any more). The
    /// cube itself does not change; store the delta, then [`Cube::apply`] it.
    #[must_use]
    pub fn plan(&self, fresh: Vec<(LocalDay, DayCell)>) -> Delta {
        let fresh: BTreeMap<LocalDay, DayCell> = fresh.into_iter().collect();
        let moved = self.moved(&fresh);
        let mut ops = IndexOps::default();
        let mut persons = moved.iter();
        let mut batch = Vec::with_capacity(PERSONS_AT_ONCE.min(rank(moved.len())));
        loop {
            batch.clear();
            batch.extend(persons.by_ref().take(PERSONS_AT_ONCE));
            if batch.is_empty() {
                break;
            }
            self.note_changes(&batch, &fresh, &mut ops);
        }
        let indexes = ops.iter().map(|(key, add, remove)| (key, (self.index(key) | add) - remove));
        Delta { indexes: indexes.collect(), cells: fresh.into_iter().collect() }
    }

    /// Who has a purchase day more or less than before.
    fn moved(&self, fresh: &BTreeMap<LocalDay, DayCell>) -> RoaringBitmap {
        let mut moved = RoaringBitmap::new();
        for (&at, cell) in fresh {
            moved |= match self.buyers_on(at) {
                Some(old) => old ^ &cell.buyers,
                None => cell.buyers.clone(),
            };
        }
        moved
    }

    fn note_changes(
        &self,
        persons: &[Person],
        fresh: &BTreeMap<LocalDay, DayCell>,
        ops: &mut IndexOps,
    ) {
        let set = RoaringBitmap::from_sorted_iter(persons.iter().copied());
        let set = set.expect("taken from a bitmap in order");
        let mut old = vec![Derived::default(); persons.len()];
        let mut new = old.clone();
        let mut feed = |at: LocalDay, before: &RoaringBitmap, after: &RoaringBitmap| {
            push(&mut old, persons, &set, at, before);
            push(&mut new, persons, &set, at, after);
        };
        let nobody = RoaringBitmap::new();
        let mut fresh = fresh.iter().peekable();
        for (at, slice) in self.span().into_iter().flat_map(|span| self.days(span)) {
            while let Some((&earlier, cell)) = fresh.next_if(|&(&day, _)| day < at) {
                feed(earlier, &nobody, &cell.buyers);
            }
            let replaced = fresh.next_if(|&(&day, _)| day == at);
            feed(at, &slice.buyers, replaced.map_or(&slice.buyers, |(_, cell)| &cell.buyers));
        }
        fresh.for_each(|(&at, cell)| feed(at, &nobody, &cell.buyers));
        for ((&person, old), new) in persons.iter().zip(&old).zip(&new) {
            ops.note(person, old, new);
        }
    }

    /// The purchase days of one person, in order.
    #[must_use]
    pub fn purchase_days(&self, person: Person) -> Vec<LocalDay> {
        let days = self.span().into_iter().flat_map(|span| self.days(span));
        days.filter(|(_, slice)| slice.buyers.contains(person)).map(|(at, _)| at).collect()
    }
}

fn push(
    derived: &mut [Derived],
    persons: &[Person],
    set: &RoaringBitmap,
    at: LocalDay,
    buyers: &RoaringBitmap,
) {
    let mut from = 0;
    for person in buyers & set {
        from += persons[from..].partition_point(|&other| other < person);
        derived[from].push(at);
    }
}

fn rank(count: u64) -> usize {
    usize::try_from(count).expect("persons have 32 bits")
}
