//! Whatever versions come, in whatever order, batches and repeats: the same orders stand, and their last fact is what stands.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::order::v1::*;
use tokio::runtime::Runtime;

use crate::world::{Told, World, line, order, status, version};

const WORDS: [&str; 5] = ["paid", "shipped", "completed", "refunded", "cancelled"];

/// An order, the version, the word, its lines.
type Sketch = (u8, i64, usize, BTreeMap<i32, i64>);

fn external(round: u32, (n, seconds, word, lines): &Sketch) -> ExternalOrder {
    let lines = lines.iter().map(|(&no, &minor)| line(no, minor)).collect();
    let head = version(order(&format!("{round}-{n}"), &[]), *seconds);
    status(ExternalOrder { lines, buyer_id: format!("b{}", seconds % 3), ..head }, WORDS[*word])
}

/// Versions of an order by their second: a word for its state, and what each line costs.
type Versions = BTreeMap<i64, (usize, BTreeMap<i32, i64>)>;

/// Versions of some orders, no two of an order alike, in any order and partly twice; and where batches are cut.
fn imports() -> impl Strategy<Value = (Vec<Sketch>, Vec<usize>)> {
    let lines = prop::collection::btree_map(1..5_i32, 0..100_000_i64, 1..4);
    let versions = prop::collection::btree_map(0..100_i64, (0..WORDS.len(), lines), 1..6);
    prop::collection::vec(versions, 1..5).prop_flat_map(|orders| {
        let of = |(n, versions): (u8, &Versions)| {
            let of_one = versions.iter();
            of_one.map(move |(&s, (word, lines))| (n, s, *word, lines.clone())).collect::<Vec<_>>()
        };
        let all: Vec<Sketch> = (0..).zip(&orders).flat_map(of).collect();
        let twice = prop::sample::subsequence(all.clone(), 0..=all.len());
        let shuffled =
            twice.prop_flat_map(move |twice| Just([all.clone(), twice].concat()).prop_shuffle());
        (shuffled, prop::collection::vec(1..7_usize, 1..6))
    })
}

/// What must stand: the word of the latest version, and each line of its latest.
fn expected(all: &[Sketch]) -> BTreeMap<u8, (usize, i64)> {
    let mut heads: BTreeMap<u8, (i64, usize)> = BTreeMap::new();
    let mut lines: BTreeMap<(u8, i32), (i64, i64)> = BTreeMap::new();
    for (n, seconds, word, own) in all {
        let head = heads.entry(*n).or_insert((*seconds, *word));
        *head = (*head).max((*seconds, *word));
        for (&no, &minor) in own {
            let known = lines.entry((*n, no)).or_insert((*seconds, minor));
            *known = (*known).max((*seconds, minor));
        }
    }
    let sum = |n: u8| lines.range((n, 0)..=(n, i32::MAX)).map(|(_, (_, minor))| minor).sum();
    heads.into_iter().map(|(n, (_, word))| (n, (word, sum(n)))).collect()
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
            for (n, (word, minor)) in expected(&all) {
                let stands = world.get(1, &ids[&n]).await.unwrap();
                let own = (stands.state().as_str_name(), stands.paid.unwrap().minor_units);
                let word = format!("ORDER_STATE_{}", WORDS[word].to_uppercase());
                prop_assert_eq!(own, (word.as_str(), minor));
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
