//! Random orders, changed and withdrawn in random batches: after each batch the cube answers like the recomputation, and
//! its bytes are those of a cube rebuilt from nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use proptest::prelude::*;
use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;

use super::{data::cells, naive::Naive};
use crate::engine::{
    Cube, DayCell, Domain, Fact, Grain, IndexKey, Look, Month, Person, Scope, Window, encode_bitmap,
};

/// The day that random days count from: 1999-11-15, so that leap days, year ends and ISO weeks 52 and 53 occur.
const ORIGIN: i32 = 10_910;
const DAYS: i32 = 1_200;

/// What happens to one order: it is (again) as said, or gone.
type Change = (u8, Option<Fact>);

fn person() -> impl Strategy<Value = Person> {
    // Both sides of the edge between two containers of a bitmap.
    prop_oneof![0..8_u32, 65_533..65_538_u32]
}

fn day() -> impl Strategy<Value = LocalDay> {
    // Mostly few days, so that days collide, and multiples that meet the bounds of 30, 90, 365 and 730 days.
    let few = (0..40_i32).prop_map(|n| n * 30 % DAYS);
    let edges = prop::sample::select(vec![0, 1, 90, 91, 180, 181, 365, 366, 367, 730, 731, 732]);
    prop_oneof![2 => few, 2 => edges, 1 => 0..DAYS].prop_map(|n| LocalDay(ORIGIN + n))
}

fn fact() -> impl Strategy<Value = Fact> {
    let domain = prop::sample::select(vec![Domain::Private, Domain::Public, Domain::Pos]);
    (person(), day(), -50..2_000_i64, 0..5_i64, domain, any::<bool>()).prop_map(
        |(person, day, amount, units, domain, off_hours)| {
            let (paid_at, amount_minor) = (DateTime::UNIX_EPOCH, amount.max(-10) * 100);
            let amount_minor = if amount % 9 == 0 { 0 } else { amount_minor };
            Fact { person, day, paid_at, amount_minor, units, domain, off_hours }
        },
    )
}

fn batches() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let change = (0..60_u8, prop::option::weighted(0.8, fact()));
    prop::collection::vec(prop::collection::vec(change, 1..30), 1..5)
}

/// What is asked after a batch.
#[derive(Debug, Clone)]
struct Question {
    window: Window,
    as_of: LocalDay,
    look: i32,
}

fn question() -> impl Strategy<Value = Question> {
    let edge = || prop_oneof![2 => day(), 1 => (-40..DAYS + 40).prop_map(|n| LocalDay(ORIGIN + n))];
    // Half of the windows end on a day that people buy on, or the day after.
    let end = prop_oneof![(1..900_i32).prop_map(Err), edge().prop_map(Ok)];
    (edge(), end, edge(), prop_oneof![Just(365), 1..900_i32]).prop_map(
        |(start, end, as_of, look)| {
            let end = end.unwrap_or_else(|length| start.plus(length));
            let window = Window::new(start.min(end), start.max(end).plus(i32::from(start == end)));
            Question { window: window.unwrap(), as_of, look }
        },
    )
}

/// The orders as they stand, and the cube of one scope that follows them.
struct Followed {
    scope: Scope,
    orders: BTreeMap<u8, Fact>,
    cube: Cube,
}

impl Followed {
    fn facts(&self) -> Vec<Fact> {
        self.orders.values().copied().filter(|fact| self.scope.takes(fact.domain)).collect()
    }

    /// Applies a batch, and folds the days that it touched in the order of the batch.
    fn follow(&mut self, batch: &[Change]) {
        let mut dirty = Vec::new();
        for (id, fact) in batch {
            let old = match fact {
                Some(fact) => self.orders.insert(*id, *fact),
                None => self.orders.remove(id),
            };
            dirty.extend(old.iter().chain(fact).map(|fact| fact.day));
        }
        let facts = self.facts();
        let fold = |day: &LocalDay| {
            (*day, DayCell::build(facts.iter().filter(|fact| fact.day == *day)).unwrap())
        };
        // Two deltas, and the first day in both: folding again what is up to date changes nothing.
        let (some, others) = dirty.split_at(dirty.len() / 2);
        let others = others.iter().chain(dirty.first());
        self.cube.apply(self.cube.plan(some.iter().map(fold).collect()));
        self.cube.apply(self.cube.plan(others.map(fold).collect()));
    }

    fn check_bytes(&self) {
        let facts = self.facts();
        let rebuilt = Cube::new(Cube::default().plan(cells(&facts)));
        assert_eq!(self.cube.span(), rebuilt.span());
        let days = ORIGIN - 1..=ORIGIN + DAYS;
        let bytes = |cube: &Cube, key| encode_bitmap(&cube.index(key));
        for day in days.map(LocalDay) {
            let cell = self.cube.cell(day).map(|cell| cell.encode());
            let of_day = facts.iter().filter(|fact| fact.day == day);
            let built = DayCell::build(of_day).unwrap();
            assert_eq!(cell, (!built.is_empty()).then(|| built.encode()), "{day}");
            for key in [IndexKey::First(day), IndexKey::Second(day), IndexKey::Reactivated(day)] {
                assert_eq!(bytes(&self.cube, key), bytes(&rebuilt, key), "{key:?}");
            }
        }
        for gap in 1..=DAYS {
            let key = IndexKey::Gap(gap);
            assert_eq!(bytes(&self.cube, key), bytes(&rebuilt, key), "{key:?}");
        }
    }

    fn check(&self, question: &Question) {
        let (facts, cube) = (self.facts(), &self.cube);
        let naive = Naive::new(&facts);
        let &Question { window, as_of, look } = question;
        let later = Window::new(window.start().plus(window.days() / 2), window.end()).unwrap();
        for window in [window, later] {
            assert_eq!(cube.sales(window), naive.sales(window));
        }
        let days = cube.series(window, Grain::Day);
        assert_eq!(days, naive.series(window, Grain::Day));
        let (from, to) = (Month::of(window.start()), Month::of(window.last()));
        let to = to.min(from.plus(5));
        // Twice, in one month or two: what was counted for one day must not answer for another.
        for as_of in [as_of, as_of.plus(9)] {
            for repeat in cube.repeat(window, &[1, 30, 90, 180, 365, 366, look], as_of) {
                assert_eq!(repeat, naive.repeat(window, repeat.within_days, as_of));
            }
            assert_eq!(cube.cohorts(from, to, 8, as_of), naive.cohorts(from, to, 8, as_of));
            assert_eq!(cube.dormancy(as_of), naive.dormancy(as_of));
        }
        assert_eq!(cube.dormant_at(as_of), naive.dormant_at(as_of).into_iter().collect());
        assert_eq!(cube.reactivation(window), naive.reactivation(window));
        for look in [Look::Days(look), Look::Whole] {
            assert_eq!(cube.rfm(as_of, look).unwrap(), naive.rfm(as_of, look));
        }
        let stored = RoaringBitmap::from([2, 3, 65_535, 70_000]);
        for stored in [None, Some(&stored)] {
            assert_eq!(cube.effective(window, stored), naive.effective(window, stored));
        }
        assert_eq!(cube.histories(as_of), naive.histories(as_of));
        self.check_persons();
    }

    fn check_persons(&self) {
        for person in [0, 3, 65_535, 65_536] {
            let own = self.facts().into_iter().filter(|fact| fact.person == person);
            let days: BTreeSet<_> = own.map(|fact| fact.day).collect();
            assert_eq!(self.cube.purchase_days(person), days.into_iter().collect::<Vec<_>>());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cube_that_follows_changes_answers_like_a_recomputation(
        batches in batches(),
        questions in prop::collection::vec(question(), 1..3),
        scope in prop::sample::select(Scope::EVERY.to_vec()),
    ) {
        let mut followed = Followed { scope, orders: BTreeMap::new(), cube: Cube::default() };
        for batch in &batches {
            followed.follow(batch);
            for question in &questions {
                followed.check(question);
            }
        }
        followed.check_bytes();
    }
}
