//! The rules in tables, and against a naive model under random orders.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use siyu_kernel::Id;
use uuid::Uuid;

use super::*;

fn key(kind: IdentityKind, value: &str) -> Key {
    let scope = if kind == IdentityKind::Phone { "" } else { "s" };
    let identity = Identity { kind, scope: scope.into(), value: value.into() };
    Key { identity, verified_at: None }
}

fn union(value: &str) -> Key {
    key(IdentityKind::Unionid, value)
}

fn open(value: &str) -> Key {
    key(IdentityKind::Openid, value)
}

fn phone(value: &str) -> Key {
    key(IdentityKind::Phone, value)
}

fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + secs, 0).unwrap()
}

/// What is stored: plans are applied to it as the database would.
#[derive(Debug, Default)]
struct Store {
    holders: HashMap<Identity, Holder>,
    created: BTreeMap<PersonId, DateTime<Utc>>,
    aliases: BTreeMap<PersonId, PersonId>,
    conflicts: Vec<Conflict>,
    next: u128,
}

impl Store {
    fn resolve(&mut self, sets: &[Vec<Key>], now: DateTime<Utc>) -> Vec<Resolved> {
        let holders: HashMap<Identity, Holder> = sets
            .iter()
            .flatten()
            .filter_map(|key| Some((key.identity.clone(), *self.holders.get(&key.identity)?)))
            .collect();
        let single = |person| {
            let held = self.holders.iter().filter(|(_, holder)| holder.person == person);
            held.map(|(key, _)| key.clone()).filter(|key| key.kind.is_single()).collect()
        };
        let persons = holders
            .values()
            .map(|holder| holder.person)
            .map(|id| (id, Standing { created_at: self.created[&id], single: single(id) }))
            .collect();
        let known = Known { holders, persons, apart: HashSet::new() };
        let mut next = self.next;
        let plan = resolve(sets, known, now, || {
            next += 1;
            Id::from_uuid(Uuid::from_u128(next))
        });
        self.next = next;
        self.apply(plan, now)
    }

    fn apply(&mut self, plan: Plan, now: DateTime<Utc>) -> Vec<Resolved> {
        self.created.extend(plan.persons.iter().map(|person| (*person, now)));
        for (key, person) in plan.keys {
            let holder = Holder { person, verified_at: key.verified_at };
            assert!(self.holders.insert(key.identity, holder).is_none(), "a new key");
        }
        for step in plan.steps {
            match step {
                Step::Merge { survivor, loser, .. } => {
                    assert!(self.aliases.insert(loser, survivor).is_none(), "lost once");
                    let lost = self.holders.values_mut().filter(|h| h.person == loser);
                    lost.for_each(|holder| holder.person = survivor);
                }
                Step::Move { key, from, to } => {
                    let held = Holder { person: to, verified_at: key.verified_at };
                    assert_eq!(self.holders.insert(key.identity, held).unwrap().person, from);
                }
            }
        }
        self.conflicts.extend(plan.conflicts);
        plan.answers
    }

    fn person(&self, key: &Key) -> Option<PersonId> {
        Some(self.holders.get(&key.identity)?.person)
    }

    /// Which keys belong together.
    fn parts(&self) -> BTreeSet<BTreeSet<Identity>> {
        let mut parts: BTreeMap<PersonId, BTreeSet<Identity>> = BTreeMap::new();
        for (key, holder) in &self.holders {
            parts.entry(holder.person).or_default().insert(key.clone());
        }
        parts.into_values().collect()
    }
}

#[test]
fn keys_that_come_together_belong_to_one_person() {
    let mut store = Store::default();
    let sets = [vec![union("a"), open("b")], vec![open("b")], vec![union("a")], vec![open("c")]];
    let answers = store.resolve(&sets, at(0));
    let created: Vec<bool> = answers.iter().map(|answer| answer.created).collect();
    assert_eq!(created, [true, false, false, true]);
    assert_eq!((answers[0].person, answers[1].person), (answers[2].person, answers[2].person));
}

#[test]
fn the_first_person_stays_and_the_others_are_merged_into_it() {
    let mut store = Store::default();
    let first = store.resolve(&[vec![open("1")]], at(5))[0].person;
    let second = store.resolve(&[vec![union("2")]], at(6))[0].person;
    let tie = store.resolve(&[vec![phone("3")]], at(5))[0].person;
    let answer = store.resolve(&[vec![union("2"), phone("3"), open("1")]], at(9)).remove(0);
    assert_eq!((answer.person, answer.conflict), (first, false), "the smaller id of two as old");
    assert_eq!(answer.merged, [tie, second]);
    assert_eq!(store.person(&union("2")), Some(first));
    let again = store.resolve(&[vec![union("2"), phone("3")]], at(10)).remove(0);
    assert_eq!((again.person, again.merged, again.created), (first, vec![], false));
}

#[test]
fn two_values_of_what_one_has_one_of_are_for_somebody_to_decide() {
    for (one, other) in [
        (union("a"), union("b")),
        (phone("a"), phone("b")),
        (key(IdentityKind::ExternalUserid, "a"), key(IdentityKind::ExternalUserid, "b")),
    ] {
        let mut store = Store::default();
        let a = store.resolve(&[vec![one.clone(), open("1")]], at(0))[0].person;
        let b = store.resolve(&[vec![other.clone(), open("2")]], at(1))[0].person;
        let fresh = open("fresh");
        let set = vec![open("1"), other, fresh.clone()];
        let answer = store.resolve(&[set], at(2)).remove(0);
        assert_eq!((answer.person, answer.conflict, answer.created), (b, true, false));
        assert_eq!(store.person(&fresh), Some(b), "it goes where the strongest key leads");
        assert_eq!((store.person(&open("1")), store.aliases.len()), (Some(a), 0));
        assert_eq!(store.conflicts[0].persons, BTreeSet::from([a, b]));
    }
}

#[test]
fn an_unknown_unionid_beside_the_key_of_another_is_somebody_new() {
    let mut store = Store::default();
    let known = store.resolve(&[vec![union("a"), open("1")]], at(0))[0].person;
    let answer = store.resolve(&[vec![union("b"), open("1")]], at(1)).remove(0);
    assert!(answer.conflict && answer.created);
    assert_eq!(
        (store.person(&union("b")), store.person(&open("1"))),
        (Some(answer.person), Some(known))
    );
    assert_eq!(store.conflicts[0].persons, BTreeSet::from([known, answer.person]));
    let again = store.resolve(&[vec![union("b"), open("1")]], at(2)).remove(0);
    assert_eq!((again.person, again.created), (answer.person, false));
}

#[test]
fn one_may_take_another_phone() {
    let mut store = Store::default();
    store.resolve(&[vec![union("a"), phone("1")], vec![union("a"), phone("2")]], at(0));
    assert_eq!((store.parts().len(), store.conflicts.len()), (1, 0));
}

#[test]
fn a_phone_that_somebody_else_verified_later_goes_over() {
    let verified = |value: &str, secs| Key { verified_at: Some(at(secs)), ..phone(value) };
    for (before, now, moves) in [(10, 20, true), (10, 10, false), (20, 10, false)] {
        for known in [true, false] {
            let mut store = Store::default();
            let old = store.resolve(&[vec![union("a"), verified("1", before)]], at(0))[0].person;
            if known {
                store.resolve(&[vec![union("b")]], at(1));
            }
            let answer = store.resolve(&[vec![union("b"), verified("1", now)]], at(2)).remove(0);
            assert_eq!(answer.conflict, !moves);
            let holder = if moves { answer.person } else { old };
            assert_eq!(store.person(&phone("1")), Some(holder));
            assert_eq!(store.person(&union("a")), Some(old), "who had it keeps the rest");
            assert_eq!(store.aliases.len(), 0);
        }
    }
    let mut store = Store::default();
    store.resolve(&[vec![union("a"), open("o"), verified("1", 1)]], at(0));
    let both = store.resolve(&[vec![union("b"), open("o"), verified("1", 2)]], at(2)).remove(0);
    assert!(both.conflict, "whom another key leads to as well is no former subscriber");
}

/// Keys of human beings, each with one unionid, one phone and several openids; an event shows some keys of one of them.
fn events() -> impl Strategy<Value = Vec<Vec<Key>>> {
    let event = (0..60_u32, prop::collection::btree_set(0..9_u32, 1..4)).prop_map(|(who, keys)| {
        let of = |n: u32| match n {
            0 => union(&who.to_string()),
            1 => phone(&who.to_string()),
            2 => key(IdentityKind::ExternalUserid, &who.to_string()),
            n => open(&format!("{who}-{n}")),
        };
        keys.into_iter().map(of).collect()
    });
    prop::collection::vec(event, 1_000)
}

/// The parts of a graph, by repeated joining.
fn naive(events: &[Vec<Key>]) -> BTreeSet<BTreeSet<Identity>> {
    let mut parts: Vec<BTreeSet<Identity>> = Vec::new();
    for event in events {
        let mut part: BTreeSet<Identity> = event.iter().map(|key| key.identity.clone()).collect();
        parts.retain(|other| {
            let meets = !other.is_disjoint(&part);
            if meets {
                part.extend(other.iter().cloned());
            }
            !meets
        });
        parts.push(part);
    }
    parts.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_thousand_events_in_any_order_and_in_any_batches_make_the_same_persons(
        (events, shuffled) in events().prop_flat_map(|e| (Just(e.clone()), Just(e).prop_shuffle())),
        size in 1..400_usize,
    ) {
        let expected = naive(&events);
        let (mut one, mut bulk) = (Store::default(), Store::default());
        for (secs, event) in events.iter().enumerate() {
            one.resolve(std::slice::from_ref(event), at(i64::try_from(secs).unwrap()));
        }
        for (secs, batch) in shuffled.chunks(size).enumerate() {
            bulk.resolve(batch, at(i64::try_from(secs).unwrap()));
        }
        for store in [&one, &bulk] {
            prop_assert_eq!(store.parts(), expected.clone());
            prop_assert_eq!(&store.conflicts, &[]);
            // Everybody ever created is an alias of somebody or holds keys.
            prop_assert_eq!(store.created.len(), store.aliases.len() + expected.len());
            for (loser, survivor) in &store.aliases {
                let age = |id: &PersonId| (store.created[id], *id);
                prop_assert!(age(survivor) < age(loser));
            }
        }
    }

    #[test]
    fn whatever_comes_nobody_ever_has_two_unionids_of_one_account(
        events in prop::collection::vec(
            prop::collection::vec((0..6_u8, 0..12_u32, prop::option::of(0..50_i64)), 1..4), 1..60),
    ) {
        let kinds = [
            IdentityKind::Unionid, IdentityKind::ExternalUserid, IdentityKind::Phone,
            IdentityKind::Email, IdentityKind::PlatformBuyer, IdentityKind::Openid,
        ];
        let mut store = Store::default();
        for (secs, event) in events.iter().enumerate() {
            let set = event.iter().map(|(kind, value, verified)| {
                Key { verified_at: verified.map(at), ..key(kinds[usize::from(*kind)], &value.to_string()) }
            }).collect::<Vec<_>>();
            let answer = store.resolve(&[set], at(i64::try_from(secs).unwrap())).remove(0);
            prop_assert!(!store.aliases.contains_key(&answer.person));
            for part in store.parts() {
                for kind in [IdentityKind::Unionid, IdentityKind::ExternalUserid] {
                    prop_assert!(part.iter().filter(|key| key.kind == kind).count() <= 1);
                }
            }
        }
    }
}
