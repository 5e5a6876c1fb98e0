//! Whatever revisions come, in whatever order, groups and repeats: what a person has is what the latest revisions earn.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
};

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::order::v1::OrderState;
use tokio::runtime::Runtime;

use crate::{
    orders::{Order, Orders},
    world::World,
};

const PERSONS: usize = 3;

/// A revision before the persons have ids: order, revision, person, amount, state.
type Sketch = (u32, i64, usize, i64, usize);

const STATES: [OrderState; 4] =
    [OrderState::Paid, OrderState::Completed, OrderState::Refunded, OrderState::Cancelled];

/// Some orders with some revisions each, in any order, some of them twice; and how many come at once.
fn histories() -> impl Strategy<Value = (Vec<Sketch>, Vec<usize>)> {
    let revision = (0..PERSONS, 0..40_000_i64, 0..STATES.len());
    let order = prop::collection::vec(revision, 1..5);
    let orders = prop::collection::vec(order, 1..6);
    orders.prop_flat_map(|orders| {
        let mut all: Vec<Sketch> = Vec::new();
        for (n, revisions) in (1..).zip(&orders) {
            let told = |(r, &(person, minor, state)): (i64, &_)| (n, r, person, minor, state);
            all.extend((1..).zip(revisions).map(told));
        }
        let twice = prop::sample::subsequence(all.clone(), 0..=all.len());
        let shuffled =
            twice.prop_flat_map(move |twice| Just([all.clone(), twice].concat()).prop_shuffle());
        (shuffled, prop::collection::vec(1..6_usize, 1..8))
    })
}

/// Whole yuan of the orders that count, by person.
fn earned(told: &[Sketch]) -> [i64; PERSONS] {
    let mut latest: BTreeMap<u32, Sketch> = BTreeMap::new();
    for revision in told {
        let known = latest.entry(revision.0).or_insert(*revision);
        if known.1 < revision.1 {
            *known = *revision;
        }
    }
    let mut sums = [0; PERSONS];
    for (_, _, person, minor, state) in latest.into_values() {
        sums[person] += if state < 2 { minor / 100 } else { 0 };
    }
    sums
}

async fn play(world: &World, orders: &Orders, told: &[Sketch], cuts: &[usize], round: u32) {
    let names: Vec<String> = (0..PERSONS).map(|n| format!("{round}-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let people = world.people(world.own, &names).await;
    let revision = |&(n, revision, person, paid_minor, state): &Sketch| Order {
        n: round * 100 + n,
        revision,
        person: people[person].clone(),
        paid_minor,
        state: STATES[state],
    };
    let (mut rest, mut cut) = (told, cuts.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
        orders.tell(world.own, &now.iter().map(revision).collect::<Vec<_>>()).await;
        rest = later;
    }
    let mut has = HashMap::new();
    for person in &people {
        let shown = world.person(world.own, person).await.unwrap();
        assert_eq!(shown.points_total, shown.growth, "{told:?}");
        has.insert(person, shown.growth);
    }
    let expected = earned(told);
    for (person, sum) in people.iter().zip(expected) {
        assert_eq!(has[person], sum, "{told:?} cut {cuts:?}");
    }
}

#[test]
fn what_persons_have_follows_from_the_latest_revisions_alone() {
    let runtime = Runtime::new().unwrap();
    let (world, orders) = runtime.block_on(async {
        let world = World::new().await;
        let orders = Orders::new(&world).await;
        (world, orders)
    });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let round = Cell::new(0);
    let played = runner.run(&histories(), |(told, cuts)| {
        round.set(round.get() + 1);
        runtime.block_on(play(&world, &orders, &told, &cuts, round.get()));
        Ok(())
    });
    played.unwrap();
    let transfers = runtime.block_on(world.sound_ledger(world.own));
    runtime.block_on(async {
        orders.consumer.reset(0).await.unwrap();
        orders.sibling.deliver(&orders.consumer).await;
    });
    let again = runtime.block_on(world.sound_ledger(world.own));
    assert_eq!(again, transfers, "everything told again posts nothing");
    assert_eq!(runtime.block_on(orders.consumer.count_parked()).unwrap(), 0);
}
