//! Clicks of one customer at the same moment.

use std::collections::BTreeMap;

use siyu_grpc::fault;
use siyu_proto::distribution::v1::*;
use tokio::task::JoinSet;

use crate::world::{World, hour, person};

/// Sends clicks of person 9, each on a promoter's link at an hour, all at once.
async fn at_once(world: &World, clicks: Vec<(String, i64)>) -> Vec<BindOutcome> {
    let mut calls = JoinSet::new();
    for (promoter_id, hours) in clicks {
        let mut bindings = world.bindings(1);
        let request = BindCustomerRequest {
            person_id: person(9),
            promoter_id,
            click_time: Some(hour(hours)),
            source: String::new(),
        };
        calls.spawn(async move { bindings.bind_customer(request).await.map_err(fault) });
    }
    let replies = calls.join_all().await;
    replies.into_iter().map(|reply| reply.unwrap().into_inner().outcome()).collect()
}

/// How many bindings are open, and how many pairs of bindings are in force at one instant.
async fn open_and_double(world: &World) -> (i64, i64) {
    let open = world.count("select count(*) from bindings where ended_at is null").await;
    (open, world.count(crate::bindings_random::DOUBLE).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_promoters_whose_links_are_clicked_at_once_one_gets_the_customer() {
    let world = World::new().await;
    let mut clicks = Vec::new();
    for n in 0..64 {
        clicks.push((world.promoter(100 + n, "").await, -1));
    }
    let mut outcomes: BTreeMap<BindOutcome, usize> = BTreeMap::new();
    for outcome in at_once(&world, clicks).await {
        *outcomes.entry(outcome).or_default() += 1;
    }
    let expected = BTreeMap::from([(BindOutcome::Bound, 1), (BindOutcome::Protected, 63)]);
    assert_eq!(outcomes, expected);
    assert_eq!(open_and_double(&world).await, (1, 0));
    assert_eq!(world.told::<CustomerBound>().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_link_clicked_many_times_at_once_binds_once() {
    let world = World::new().await;
    let anna = world.promoter(1, "").await;
    let outcomes = at_once(&world, vec![(anna, -1); 64]).await;
    assert_eq!(outcomes.iter().filter(|o| **o == BindOutcome::Bound).count(), 1);
    assert_eq!(outcomes.iter().filter(|o| **o == BindOutcome::Refreshed).count(), 63);
    assert_eq!(world.count("select count(*) from bindings").await, 1);
    assert_eq!(world.told::<CustomerBound>().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_of_many_months_at_once_never_overlap() {
    let world = World::new().await;
    let mut clicks = Vec::new();
    for n in 0..32 {
        let promoter = world.promoter(100 + n, "").await;
        clicks.push((promoter, -i64::from(n) * 24 * 31));
    }
    at_once(&world, clicks).await;
    assert_eq!(open_and_double(&world).await, (1, 0));
}
