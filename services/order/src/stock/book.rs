//! Stocks that a transaction has locked, and what it changes in them. Pure: what is written is read off at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    demand::{Reservation, ReservationKey},
    domain::{Cause, Key, Movement, Of, Place, Stock},
};

/// Locked stocks with the changes made to them.
#[derive(Debug, Clone, Default)]
pub struct Book {
    places: BTreeMap<Key, Place>,
    changed: BTreeSet<Key>,
    movements: Vec<Movement>,
    reservations: BTreeMap<ReservationKey, Reservation>,
}

impl Book {
    /// The book of what was locked.
    pub fn new(places: BTreeMap<Key, Place>) -> Self {
        Self { places, ..Self::default() }
    }

    /// What is known of a SKU at a location.
    pub fn place(&self, key: &Key) -> Option<&Place> {
        self.places.get(key)
    }

    /// The stock of a SKU at a location.
    pub fn stock(&self, key: &Key) -> Option<&Stock> {
        self.places.get(key).and_then(|place| place.stock.as_ref())
    }

    /// A stock to change; the caller has seen that it is there.
    pub(super) fn change(&mut self, key: &Key) -> &mut Stock {
        self.changed.insert(key.clone());
        let stock = self.places.get_mut(key).and_then(|place| place.stock.as_mut());
        stock.expect("what is changed was found before")
    }

    /// Moves pieces and says why; the caller has seen that there are enough.
    pub(super) fn post(
        &mut self,
        key: &Key,
        cause: Cause,
        (on_hand_delta, reserved_delta): (i64, i64),
        of: Of,
    ) {
        let stock = self.change(key);
        stock.on_hand += on_hand_delta;
        stock.reserved += reserved_delta;
        let (on_hand, reserved) = (stock.on_hand, stock.reserved);
        assert!(on_hand >= 0 && reserved >= 0, "{key:?}: {on_hand} on hand, {reserved} reserved");
        let key = key.clone();
        self.movements.push(Movement {
            key,
            cause,
            on_hand_delta,
            reserved_delta,
            on_hand,
            reserved,
            of,
        });
    }

    /// The reservation that is to be written under a key.
    pub(super) fn reservation(&self, key: &ReservationKey) -> Option<&Reservation> {
        self.reservations.get(key)
    }

    /// Has a reservation written.
    pub(super) fn write(&mut self, reservation: Reservation) {
        self.reservations.insert(reservation.key.clone(), reservation);
    }

    /// The stocks that are other than they were, in their order.
    pub fn changed(&self) -> impl Iterator<Item = (&Key, &Stock)> {
        self.changed.iter().filter_map(|key| Some((key, self.stock(key)?)))
    }

    /// The movements, in the order in which they were made.
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// The reservations to write, in their order.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.reservations.values()
    }
}
