//! A map with a bound: two generations, of which the older is dropped whole when the younger is full. What is used moves to
//! the younger one, so what is in use stays; nothing is ever more than two bounds large.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Mutex, PoisonError},
};

pub(super) struct Bounded<K, V> {
    bound: usize,
    generations: Mutex<Generations<K, V>>,
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> Bounded<K, V> {
    pub(super) fn new(bound: usize) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new() };
        Self { bound, generations: Mutex::new(generations) }
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let mut maps = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = maps.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = maps.old.remove_entry(key)?;
        maps.put(self.bound, key, value.clone());
        Some(value)
    }

    pub(super) fn put(&self, key: K, value: V) {
        let mut maps = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        maps.put(self.bound, key, value);
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn put(&mut self, bound: usize, key: K, value: V) {
        if self.young.len() >= bound {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_two_bounds_and_keeps_what_is_used() {
        let cache = Bounded::new(10);
        cache.put(0, "kept");
        for key in 1..1000 {
            cache.put(key, "other");
            assert_eq!(cache.get(&0), Some("kept"), "after {key}");
            let maps = cache.generations.lock().unwrap();
            assert!(maps.young.len() + maps.old.len() <= 20);
        }
        assert_eq!(cache.get(&500), None);
    }
}
