//! Imports of the same orders at the same moment.

use std::collections::BTreeMap;

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::*;
use tokio::task::JoinSet;

use crate::world::{Told, World, order, status, version};

async fn at_once(
    world: &World,
    requests: Vec<Vec<ExternalOrder>>,
) -> Vec<Result<Vec<ImportResult>, Fault>> {
    let mut calls = JoinSet::new();
    for orders in requests {
        let mut client = world.imports(1);
        calls.spawn(async move {
            let reply = client.import_orders(ImportOrdersRequest { orders }).await;
            reply.map(|reply| reply.into_inner().results).map_err(fault)
        });
    }
    calls.join_all().await
}

fn all(minor: i64, seconds: i64) -> Vec<ExternalOrder> {
    let one = |n| version(order(&format!("{n:03}"), &[minor + n]), seconds);
    (0..200).map(one).collect()
}

/// Each order was told paid once, and these are the facts that were told last.
async fn last_told(world: &World) -> BTreeMap<String, OrderFacts> {
    let mut last = BTreeMap::new();
    for told in world.told().await {
        let facts = told.facts().clone();
        let before = last.insert(facts.order_id.clone(), facts);
        assert_eq!(before.is_none(), matches!(told, Told::Paid(_)), "{told:?}");
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_two_hundred_orders_from_four_sides_are_two_hundred_orders() {
    let world = World::new().await;
    let mut turned = all(1, 0);
    turned.reverse();
    let replies = at_once(&world, vec![all(1, 0), turned, all(1, 0), all(1, 0)]).await;
    let mut outcomes: BTreeMap<String, Vec<ImportOutcome>> = BTreeMap::new();
    for result in replies.into_iter().flat_map(Result::unwrap) {
        outcomes.entry(result.order_id.clone()).or_default().push(result.outcome());
    }
    assert_eq!(outcomes.len(), 200);
    let once = [
        ImportOutcome::Created,
        ImportOutcome::Unchanged,
        ImportOutcome::Unchanged,
        ImportOutcome::Unchanged,
    ];
    for mut outcomes in outcomes.into_values() {
        outcomes.sort_unstable();
        assert_eq!(outcomes, once);
    }
    assert_eq!(world.count("select count(*) from orders").await, 200);
    assert_eq!(world.count("select count(*) from order_lines").await, 200);
    assert_eq!(last_told(&world).await.len(), 200);
    assert_eq!(world.told().await.len(), 200, "nothing but that they are paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_come_at_once_end_in_the_newest() {
    let world = World::new().await;
    let requests = (1..=5).map(|n| all(n * 1_000, n)).collect();
    for reply in at_once(&world, requests).await {
        reply.unwrap();
    }
    let last = last_told(&world).await;
    let sum: i64 = last.values().map(|facts| facts.paid_minor).sum();
    assert_eq!((last.len(), sum), (200, 200 * 5_000 + 199 * 100));
    assert_eq!(world.count("select sum(paid_minor)::bigint from orders").await, sum);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_put_aside_from_two_sides_do_not_hinder_each_other() {
    let world = World::new().await;
    let odd: Vec<ExternalOrder> =
        (0..500).map(|n| status(order(&format!("{n:03}"), &[1]), "odd")).collect();
    let mut turned = odd.clone();
    turned.reverse();
    for reply in at_once(&world, vec![odd.clone(), turned.clone(), odd, turned]).await {
        let results = reply.unwrap();
        assert!(results.iter().all(|r| r.outcome() == ImportOutcome::Quarantined));
    }
    assert_eq!(world.count("select count(*) from quarantined_orders").await, 500);
}
