//! Whatever versions come, in whatever order, batches and repeats: the same orders stand, and their last fact is what stands.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::order::v1::*;
use tokio::runtime::Runtime;

use crate::world::{Told, World, at, line, order, status, version};

const WORDS: [&str; 5] = ["paid", "shipped", "completed", "refunded", "cancelled"];

/// The words that need not say when the buyer paid.
const UNPAID_FROM: usize = 3;

/// An order, the version, the word, when the buyer paid, its lines.
type Sketch = (u8, i64, usize, Option<i64>, BTreeMap<i32, i64>);

fn external(round: u32, (n, seconds, word, paid, lines): &Sketch) -> ExternalOrder {
    let lines = lines.iter().map(|(&no, &minor)| line(no, minor)).collect();
    let head = version(order(&format!("{round}-{n}"), &[]), *seconds);
    let (pay_time, buyer_id) = (paid.map(at), format!("b{}", seconds % 3));
    status(ExternalOrder { lines, pay_time, buyer_id, ..head }, WORDS[*word])
}

/// Versions of an order by their second: a word for its state, when the buyer paid, and what each line costs.
type Versions = BTreeMap<i64, (usize, Option<i64>, BTreeMap<i32, i64>)>;

/// A word, and an instant of payment that a platform may correct or leave out where it can.
fn word_and_payment() -> impl Strategy<Value = (usize, Option<i64>)> {
    (0..WORDS.len()).prop_flat_map(|word| {
        let said = (-7_200..-3_600_i64).prop_map(Some);
        let paid =
            if word < UNPAID_FROM { said.boxed() } else { prop_oneof![said, Just(None)].boxed() };
        (Just(word), paid)
    })
}

/// Versions of some orders, no two of an order alike, in any order and partly twice; and where batches are cut.
fn imports() -> impl Strategy<Value = (Vec<Sketch>, Vec<usize>)> {
    let lines = prop::collection::btree_map(1..5_i32, 0..100_000_i64, 1..4);
    let version = (word_and_payment(), lines).prop_map(|((word, paid), lines)| (word, paid, lines));
    let versions = prop::collection::btree_map(0..100_i64, version, 1..6);
    prop::collection::vec(versions, 1..5).prop_flat_map(|orders| {
        let of = |(n, versions): (u8, &Versions)| {
            let of_one = versions.iter();
            let sketch = move |(&s, (word, paid, lines)): (&i64, &(_, _, BTreeMap<_, _>))| {
                (n, s, *word, *paid, lines.clone())
            };
            of_one.map(sketch).collect::<Vec<Sketch>>()
        };
        let all: Vec<Sketch> = (0..).zip(&orders).flat_map(of).collect();
        let twice = prop::sample::subsequence(all.clone(), 0..=all.len());
        let shuffled =
            twice.prop_flat_map(move |twice| Just([all.clone(), twice].concat()).prop_shuffle());
        (shuffled, prop::collection::vec(1..7_usize, 1..6))
    })
}

/// What must stand of an order.
#[derive(Debug, Clone, PartialEq)]
struct Expected {
    word: usize,
    paid: Option<i64>,
    minor: i64,
}

/// The word of the latest version, when the buyer paid of the latest that says so, and each line of its latest.
fn expected(all: &[Sketch]) -> BTreeMap<u8, Expected> {
    let mut latest: Vec<&Sketch> = all.iter().collect();
    latest.sort_by_key(|(n, seconds, ..)| (*n, *seconds));
    let mut heads: BTreeMap<u8, Expected> = BTreeMap::new();
    let mut lines: BTreeMap<(u8, i32), i64> = BTreeMap::new();
    for (n, _, word, paid, own) in latest {
        let before = heads.get(n).and_then(|head| head.paid);
        heads.insert(*n, Expected { word: *word, paid: paid.or(before), minor: 0 });
        lines.extend(own.iter().map(|(&no, &minor)| ((*n, no), minor)));
    }
    for (&n, head) in &mut heads {
        head.minor = lines.range((n, 0)..=(n, i32::MAX)).map(|(_, minor)| minor).sum();
    }
    heads
}

async fn play(world: &World, all: &[Sketch], cuts: &[usize], round: u32) -> BTreeMap<u8, String> {
    let (mut rest, mut cut, mut ids) = (all, cuts.iter().cycle(), BTreeMap::new());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
        let orders: Vec<ExternalOrder> = now.iter().map(|sketch| external(round, sketch)).collect();
        for (result, sketch) in world.import(&orders).await.iter().zip(now) {
            let known = ids.entry(sketch.0).or_insert_with(|| result.order_id.clone());
            assert_eq!(*known, result.order_id);
        }
        rest = later;
    }
    ids
}

#[test]
fn what_stands_follows_from_the_versions_alone_and_is_what_was_told_last() {
    let runtime = Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let round = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let played = runner.run(&imports(), |(all, cuts)| {
        round.set(round.get() + 1);
        runtime.block_on(async {
            let ids = play(&world, &all, &cuts, round.get()).await;
            for (n, Expected { word, paid, minor }) in expected(&all) {
                let stands = world.get(1, &ids[&n]).await.unwrap();
                let own = stands.paid.as_ref().unwrap().minor_units;
                let word = format!("ORDER_STATE_{}", WORDS[word].to_uppercase());
                prop_assert_eq!((stands.state().as_str_name(), own), (word.as_str(), minor));
                prop_assert_eq!(stands.pay_time, paid.map(at));
            }
            Ok(())
        })
    });
    played.unwrap();
    runtime.block_on(told_once_and_whole(&world));
}

/// Every order that ever counted was told paid once, first; revisions rise; the last fact is the order as it stands.
async fn told_once_and_whole(world: &World) {
    let mut last: HashMap<String, Told> = HashMap::new();
    let mut told: BTreeSet<(String, i64)> = BTreeSet::new();
    for fact in world.told().await {
        let facts = fact.facts().clone();
        assert!(told.insert((facts.order_id.clone(), facts.revision)), "{fact:?} twice");
        let before = last.insert(facts.order_id.clone(), fact.clone());
        match &before {
            None => assert!(matches!(fact, Told::Paid(_)), "{fact:?} comes first"),
            Some(before) => {
                assert!(!matches!(fact, Told::Paid(_)), "{fact:?} after {before:?}");
                assert!(before.facts().revision < facts.revision);
            }
        }
    }
    assert!(last.len() > 20, "{}", last.len());
    for (order_id, fact) in last {
        let stands = world.get(1, &order_id).await.unwrap();
        let counts = matches!(
            stands.state(),
            OrderState::Paid | OrderState::Shipped | OrderState::Completed
        );
        assert_eq!(counts, !matches!(fact, Told::Voided(_)), "{fact:?}");
        if counts {
            assert_eq!(fact.facts().paid_minor, stands.paid.unwrap().minor_units);
            assert_eq!(
                (&fact.facts().person_id, fact.facts().revision),
                (&stands.person_id, stands.revision)
            );
        }
    }
}
