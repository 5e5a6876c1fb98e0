//! Whatever revisions come, in whatever order, groups and repeats: what promoters earned is what the latest revisions earn, and
//! the books say the same.

use std::{cell::Cell, collections::BTreeMap};

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::order::v1::{OrderFacts, OrderState};
use tokio::runtime::Runtime;

use crate::{
    orders::{Orders, paid},
    world::{World, generous},
};

/// An order of a round: its number, its revision, whether it counts, its lines.
type Sketch = (u32, i64, bool, Vec<i64>);

fn histories() -> impl Strategy<Value = (Vec<Sketch>, Vec<usize>)> {
    let lines = prop::collection::vec(0..50_000_i64, 1..4);
    let revisions = prop::collection::vec((prop::bool::weighted(0.75), lines), 1..5);
    prop::collection::vec(revisions, 1..5).prop_flat_map(|orders| {
        let of = |(n, revisions): (u32, &Vec<(bool, Vec<i64>)>)| {
            let each = (1_i64..).zip(revisions);
            each.map(move |(r, (counts, lines))| (n, r, *counts, lines.clone())).collect::<Vec<_>>()
        };
        let all: Vec<Sketch> = (0..).zip(&orders).flat_map(of).collect();
        let twice = prop::sample::subsequence(all.clone(), 0..=all.len());
        let shuffled =
            twice.prop_flat_map(move |twice| Just([all.clone(), twice].concat()).prop_shuffle());
        (shuffled, prop::collection::vec(1..6_usize, 1..6))
    })
}

fn facts(round: u32, (n, revision, counts, lines): &Sketch) -> OrderFacts {
    let state = if *counts { OrderState::Shipped } else { OrderState::Refunded };
    OrderFacts { revision: *revision, state: state.into(), ..paid(round * 100 + n, 9, 1, lines) }
}

/// Ten percent to one, two to the other, floored line by line.
fn expected(all: &[Sketch]) -> (i64, i64) {
    let mut latest: BTreeMap<u32, &Sketch> = BTreeMap::new();
    for sketch in all {
        let known = latest.entry(sketch.0).or_insert(sketch);
        if known.1 < sketch.1 {
            *known = sketch;
        }
    }
    let lines = latest.values().filter(|sketch| sketch.2).flat_map(|sketch| &sketch.3);
    lines.fold((0, 0), |(one, two), line| (one + line / 10, two + line / 50))
}

#[test]
fn what_promoters_earned_follows_from_the_latest_revisions_alone() {
    let runtime = Runtime::new().unwrap();
    let (world, orders, boss, friend) = runtime.block_on(async {
        let world = World::new().await;
        world.set_rule(generous()).await.unwrap();
        let orders = Orders::new(&world).await;
        let boss = world.promoter(1, "").await;
        let friend = world.promoter(2, &boss).await;
        world.click(9, &friend, -1).await;
        (world, orders, boss, friend)
    });
    let (round, sums) = (Cell::new(0), Cell::new((0, 0)));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let played = runner.run(&histories(), |(all, cuts)| {
        round.set(round.get() + 1);
        runtime.block_on(async {
            let (mut rest, mut cut) = (all.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
                let told: Vec<_> = now.iter().map(|sketch| facts(round.get(), sketch)).collect();
                orders.tell(&told).await;
                rest = later;
            }
            let (one, two) = expected(&all);
            sums.set((sums.get().0 + one, sums.get().1 + two));
            let earned = (world.earned(&friend).await, world.earned(&boss).await);
            prop_assert_eq!(earned, sums.get(), "{:?} cut {:?}", all, cuts);
            Ok(())
        })
    });
    played.unwrap();
    runtime.block_on(async {
        let posted = world.sound_ledger().await;
        orders.consumer.reset(0).await.unwrap();
        orders.sibling.deliver(&orders.consumer).await;
        assert_eq!(world.sound_ledger().await, posted, "everything told again posts nothing");
        // The table of commissions says what the books say.
        let listed: i64 = world
            .all_commissions()
            .await
            .iter()
            .map(|c| c.earned.as_ref().unwrap().minor_units)
            .sum();
        assert_eq!(listed, sums.get().0 + sums.get().1);
    });
}
