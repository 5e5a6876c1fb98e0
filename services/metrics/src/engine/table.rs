//! One value per person, indexed directly: person numbers have no holes, so a table is as long as the merchant is large.

use std::ops::{Index, IndexMut};

use roaring::RoaringBitmap;

use super::Person;

/// One value per person.
#[derive(Debug)]
pub(super) struct Table<T>(Vec<T>);

impl<T: Clone + Default> Table<T> {
    /// A table of defaults with a place for everyone in `persons`.
    pub(super) fn reaching(persons: &RoaringBitmap) -> Self {
        let length = persons.max().map_or(0, |last| place(last) + 1);
        Self(vec![T::default(); length])
    }
}

impl<T> Index<Person> for Table<T> {
    type Output = T;
    fn index(&self, person: Person) -> &T {
        &self.0[place(person)]
    }
}

impl<T> IndexMut<Person> for Table<T> {
    fn index_mut(&mut self, person: Person) -> &mut T {
        &mut self.0[place(person)]
    }
}

fn place(person: Person) -> usize {
    usize::try_from(person).expect("a process has at least 32 bits")
}
