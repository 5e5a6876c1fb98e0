//! Whatever is done in whatever order, everything adds up.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const CHANNELS: [&str; 3] = ["", "live", "flash"];

#[derive(Debug, Clone)]
enum Op {
    Reserve { order: u8, demands: Vec<(i32, u8, u8, usize, i64)> },
    Release { order: u8 },
    ReleasePart { order: u8, line_no: i32, sku: u8, quantity: i64 },
    Commit { order: u8, line_no: i32, sku: u8, quantity: i64 },
    GiveBack { order: u8, line_no: i32, sku: u8, quantity: i64, restock: u8 },
    Add { sku: u8, at: u8, delta: i64 },
    Count { sku: u8, at: u8, found: i64 },
    Safety { sku: u8, at: u8, safety: i64 },
    Buckets { sku: u8, at: u8, left: Vec<i64> },
    Transfer { sku: u8, quantity: i64 },
}

fn ops() -> impl Strategy<Value = Op> {
    let line = || (0..4_u8, 1..4_i32, 0..2_u8, 1..6_i64);
    let demands = prop::collection::vec((1..4_i32, 0..2_u8, 0..2_u8, 0..3_usize, 1..6_i64), 1..4);
    prop_oneof![
        5 => (0..4_u8, demands).prop_map(|(order, demands)| Op::Reserve { order, demands }),
        2 => (0..4_u8).prop_map(|order| Op::Release { order }),
        1 => line().prop_map(|(order, line_no, sku, quantity)|
            Op::ReleasePart { order, line_no, sku, quantity }),
        3 => line().prop_map(|(order, line_no, sku, quantity)|
            Op::Commit { order, line_no, sku, quantity }),
        2 => (line(), 0..3_u8).prop_map(|((order, line_no, sku, quantity), restock)|
            Op::GiveBack { order, line_no, sku, quantity, restock }),
        2 => (0..2_u8, 0..2_u8, -5..20_i64).prop_map(|(sku, at, delta)| Op::Add { sku, at, delta }),
        1 => (0..2_u8, 0..2_u8, 0..20_i64).prop_map(|(sku, at, found)| Op::Count { sku, at, found }),
        1 => (0..2_u8, 0..2_u8, 0..6_i64).prop_map(|(sku, at, safety)| Op::Safety { sku, at, safety }),
        1 => (0..2_u8, 0..2_u8, prop::collection::vec(0..5_i64, 0..3))
            .prop_map(|(sku, at, left)| Op::Buckets { sku, at, left }),
        1 => (0..2_u8, 1..6_i64).prop_map(|(sku, quantity)| Op::Transfer { sku, quantity }),
    ]
}

/// What a database would keep between the books of two transactions.
#[derive(Default)]
struct World {
    places: BTreeMap<Key, Place>,
    reservations: BTreeMap<ReservationKey, Reservation>,
    moved: BTreeMap<Key, (i64, i64)>,
}

impl World {
    fn of_order(&self, n: u8) -> Vec<Reservation> {
        let is_of = |own: &&Reservation| own.key.order_id == order(n);
        self.reservations.values().filter(is_of).cloned().collect()
    }

    /// Runs one transaction; a refused one leaves nothing.
    fn run(&mut self, op: &Op) {
        let mut book = Book::new(self.places.clone());
        let of = Of::default();
        let (done, is_added) = match op {
            Op::Reserve { order: n, demands } => {
                let demands = demands.iter().map(|&(line_no, sku, at, channel, quantity)| {
                    demand(line_no, key(sku, at), CHANNELS[channel], quantity)
                });
                (reserve(&mut book, &request(*n, demands.collect()), now()).is_ok(), true)
            }
            Op::Release { order } => {
                release(&mut book, &self.of_order(*order), ReleaseCause::Expired);
                (true, false)
            }
            Op::ReleasePart { order, line_no, sku, quantity } => {
                let parts = [part(*line_no, *sku, *quantity)];
                let held = self.of_order(*order);
                (release_parts(&mut book, &held, &parts, ReleaseCause::Refunded).is_ok(), false)
            }
            Op::Commit { order, line_no, sku, quantity } => {
                let parts = [part(*line_no, *sku, *quantity)];
                (commit(&mut book, &self.of_order(*order), &parts).is_ok(), false)
            }
            Op::GiveBack { order, line_no, sku, quantity, restock } => {
                let parts = [part(*line_no, *sku, *quantity)];
                let to = [Restock::Origin, Restock::At(key(0, 1).location), Restock::Nowhere];
                let to = &to[usize::from(*restock)];
                (give_back(&mut book, &self.of_order(*order), &parts, to).is_ok(), false)
            }
            Op::Add { sku, at, delta } => {
                (edit::add(&mut book, &key(*sku, *at), Cause::Adjusted, *delta, of).is_ok(), false)
            }
            Op::Count { sku, at, found } => {
                (edit::count(&mut book, &key(*sku, *at), *found, of).is_ok(), false)
            }
            Op::Safety { sku, at, safety } => {
                edit::set_safety(&mut book, &key(*sku, *at), *safety);
                (true, false)
            }
            Op::Buckets { sku, at, left } => {
                let left = CHANNELS[1..].iter().map(|&c| c.to_owned()).zip(left.iter().copied());
                (edit::set_buckets(&mut book, &key(*sku, *at), left.collect()).is_ok(), false)
            }
            Op::Transfer { sku, quantity } => {
                let (from, to) = (key(*sku, 0), key(*sku, 1));
                (edit::transfer(&mut book, &from, &to, *quantity, "").is_ok(), false)
            }
        };
        if done {
            self.keep(&book, is_added);
        } else {
            assert_eq!(book.movements(), [], "{op:?} was refused and moved something");
            assert_eq!(book.reservations().count(), 0);
        }
    }

    fn keep(&mut self, book: &Book, is_added: bool) {
        for (key, stock) in book.changed() {
            self.places.insert(key.clone(), Place { kept: Some(true), stock: Some(stock.clone()) });
        }
        for movement in book.movements() {
            let sum = self.moved.entry(movement.key.clone()).or_default();
            sum.0 += movement.on_hand_delta;
            sum.1 += movement.reserved_delta;
            assert_eq!(*sum, (movement.on_hand, movement.reserved), "the balances after it");
        }
        for own in book.reservations() {
            let mut own = own.clone();
            if let Some(before) = self.reservations.get(&own.key).filter(|_| is_added) {
                own.quantity += before.quantity;
                own.held += before.held;
                own.from_bucket += before.from_bucket;
                own.committed += before.committed;
                own.returned += before.returned;
            }
            self.reservations.insert(own.key.clone(), own);
        }
    }

    fn check(&self) {
        for (key, place) in &self.places {
            let stock = place.stock.as_ref().unwrap();
            let of_key = || self.reservations.values().filter(|own| own.key.key == *key);
            let held: i64 = of_key().map(|own| own.held).sum();
            assert_eq!(stock.reserved, held, "{key:?}");
            let moved = self.moved.get(key).copied().unwrap_or_default();
            assert_eq!((stock.on_hand, stock.reserved), moved, "{key:?}");
            assert!(stock.on_hand >= 0 && stock.buckets.values().all(|left| *left >= 0));
        }
        for own in self.reservations.values() {
            assert!((0..=own.held).contains(&own.from_bucket), "{own:?}");
            assert!((0..=own.committed).contains(&own.returned), "{own:?}");
            assert!(own.held >= 0 && own.held + own.committed <= own.quantity, "{own:?}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_movements_and_reservations_add_up(ops in prop::collection::vec(ops(), 1..60)) {
        let mut world = World::default();
        for sku in 0..2 {
            for at in 0..2 {
                let place = Place { kept: Some(true), stock: Some(stock(0, 0, &[])) };
                world.places.insert(key(sku, at), place);
            }
        }
        for op in &ops {
            let before: BTreeMap<Key, i64> = world
                .places
                .iter()
                .map(|(key, place)| (key.clone(), place.stock.as_ref().unwrap().available()))
                .collect();
            world.run(op);
            world.check();
            if let Op::Reserve { demands, .. } = op {
                for (key, place) in &world.places {
                    let stock = place.stock.as_ref().unwrap();
                    let taken = before[key] - stock.available();
                    prop_assert!(taken >= 0, "a reservation frees nothing");
                    if taken > 0 {
                        prop_assert!(stock.on_hand - stock.reserved >= stock.safety, "{demands:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn of_many_orders_as_many_are_served_as_there_are_pieces(
        pieces in 0..40_i64, wants in prop::collection::vec(1..4_i64, 1..40)
    ) {
        let mut book = book(&[(key(0, 0), stock(pieces, 0, &[]))]);
        let mut left = pieces;
        for (n, want) in (0..).zip(&wants) {
            let done = reserve(&mut book, &request(n, vec![demand(1, key(0, 0), "", *want)]), now());
            prop_assert_eq!(done.is_ok(), *want <= left, "in the order given");
            left -= if done.is_ok() { *want } else { 0 };
        }
        prop_assert_eq!(book.stock(&key(0, 0)).unwrap().available(), left);
    }
}
