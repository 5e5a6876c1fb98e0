//! Whatever orders come, change, move and are voided, in whatever order: figures are those of the latest facts, in every process,
//! and a rebuild finds nothing to correct.

use std::cell::Cell;

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::order::v1::{OrderFacts, OrderState};
use tokio::runtime::Runtime;

use crate::{
    naive::{self, Book},
    world::{Process, World, noon, person, sale, stamp},
};

/// A revision: order, revision, buyer, day, amount, whether it counts.
type Sketch = (u32, i64, u32, i64, i64, bool);

#[derive(Debug, Clone)]
enum Act {
    /// Tells these in one transaction.
    Sell(Vec<Sketch>),
    /// Asks the first or the second process, which folds what changed.
    Ask(bool),
    /// Throws away every aggregate and builds it anew, in one of the processes.
    Rebuild(bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let revision = (1..12_u32, 1..6_i64, 1..6_u32, 0..100_i64, 0..5_000_i64, any::<bool>());
    let act = prop_oneof![
        4 => prop::collection::vec(revision, 1..8).prop_map(Act::Sell),
        2 => any::<bool>().prop_map(Act::Ask),
        1 => any::<bool>().prop_map(Act::Rebuild),
    ];
    prop::collection::vec(act, 1..10)
}

/// A revision of an order is one fact for ever: what is drawn again under its number is told as it was.
fn facts(told: &mut Vec<OrderFacts>, sketch: &Sketch) -> OrderFacts {
    let (n, revision, buyer, day, minor, counts) = *sketch;
    let state = if counts { OrderState::Paid } else { OrderState::Refunded };
    let fresh = OrderFacts {
        revision,
        state: state.into(),
        person_id: person(buyer),
        pay_time: Some(stamp(noon(day))),
        ..sale(n, buyer, day, minor)
    };
    let same =
        |known: &&OrderFacts| known.order_id == fresh.order_id && known.revision == fresh.revision;
    if let Some(known) = told.iter().find(same) {
        return known.clone();
    }
    told.push(fresh.clone());
    fresh
}

/// Two processes on one database.
struct Two {
    world: World,
    second: Process,
}

async fn play(two: &Two, who: u32, acts: &[Act]) {
    let Two { world, second } = two;
    world.open(who, "Asia/Shanghai", "CNY").await;
    let of = |is_first: bool| if is_first { &world.own } else { second };
    let (mut book, mut told) = (Book::default(), Vec::new());
    for act in acts {
        match act {
            Act::Sell(sketches) => {
                let orders: Vec<_> = sketches.iter().map(|s| facts(&mut told, s)).collect();
                world.sell(who, &orders).await;
                for facts in &orders {
                    book.take(facts);
                }
            }
            Act::Ask(is_first) => naive::assert_same(of(*is_first), who, &book).await,
            Act::Rebuild(is_first) => assert!(of(*is_first).rebuild(who).await.equal, "{acts:?}"),
        }
    }
    for process in [&world.own, second, &Process::new(&world.database, &world.clock)] {
        naive::assert_same(process, who, &book).await;
    }
    assert!(second.rebuild(who).await.equal, "{acts:?}");
    naive::assert_same(&world.own, who, &book).await;
}

#[test]
fn figures_are_those_of_the_latest_facts_in_every_process_and_after_a_rebuild() {
    let runtime = Runtime::new().unwrap();
    let two = runtime.block_on(async {
        let world = World::new().await;
        let second = Process::new(&world.database, &world.clock);
        Two { world, second }
    });
    let who = Cell::new(100);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let played = runner.run(&acts(), |acts| {
        who.set(who.get() + 1);
        runtime.block_on(play(&two, who.get(), &acts));
        Ok(())
    });
    played.unwrap();
}
