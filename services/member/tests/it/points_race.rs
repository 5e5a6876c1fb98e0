//! Many who change the same points at the same moment, over two processes on one database.

use std::sync::Arc;

use siyu_grpc::fault;
use siyu_kernel::{Clock, Ids};
use siyu_member::{App, vault::Vault};
use siyu_proto::member::v1::*;
use siyu_runtime::random_bytes;
use siyu_testkit::SeededIds;
use tokio::task::JoinSet;

use crate::{
    points::{grant, points, post, spend, start},
    world::{VAULT_KEY, World, run_desk},
};

/// The service once more, as another process would run it.
fn second(world: &World) -> World {
    let clock: Arc<dyn Clock> = Arc::new(world.clock.clone());
    let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(2));
    let vault = Vault::new(VAULT_KEY, "", random_bytes::<32>).unwrap();
    let app = App::new(world.database.db().clone(), vault, ids, clock);
    run_desk(&app);
    world.with(app)
}

/// Spends at the same moment, half of it in each process; gives the answers in order.
async fn at_once(
    world: &World,
    requests: Vec<SpendPointsRequest>,
) -> Vec<Result<PointsPosting, &'static str>> {
    let other = second(world);
    let mut calls = JoinSet::new();
    for (n, request) in requests.into_iter().enumerate() {
        let process = if n % 2 == 0 { world } else { &other };
        let mut client = process.points(world.own);
        calls.spawn(async move {
            let reply = client.spend_points(request).await;
            let posting = reply.map(|reply| reply.into_inner().posting.unwrap());
            (n, posting.map_err(|status| fault(status).reason()))
        });
    }
    let mut answers = calls.join_all().await;
    answers.sort_by_key(|(n, _)| *n);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_debits_at_once_never_overdraw() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let requests = (0..64).map(|n| spend(&format!("s{n}"), &anna, 3)).collect();
    let answers = at_once(&world, requests).await;
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(done, 33);
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(refused.into_iter().all(|reason| *reason == "INSUFFICIENT_BALANCE"), "{answers:?}");
    assert_eq!(points(&world, &anna).await.total, 1);
    world.sound_ledger(world.own).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_repeats_at_once_spend_once_and_get_one_answer() {
    let (world, anna) = start().await;
    post!(world, grant_points, grant("g", &anna, 100)).unwrap();
    let answers = at_once(&world, vec![spend("s", &anna, 60); 50]).await;
    let first = answers[0].clone().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref() == Ok(&first)), "{answers:?}");
    assert_eq!(points(&world, &anna).await.total, 40);
    assert_eq!(world.sound_ledger(world.own).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wallets_that_are_changed_together_do_not_mix() {
    let (world, _) = start().await;
    let names: Vec<String> = (0..16).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let people = world.people(world.own, &names).await;
    for (n, person) in people.iter().enumerate() {
        post!(world, grant_points, grant(&format!("g{n}"), person, 10 + i64::try_from(n).unwrap()))
            .unwrap();
    }
    let requests = people
        .iter()
        .flat_map(|person| (0..4).map(move |n| spend(&format!("{person}{n}"), person, 5)));
    at_once(&world, requests.collect()).await;
    for (n, person) in people.iter().enumerate() {
        let had = 10 + i64::try_from(n).unwrap();
        let left = if had >= 20 { had - 20 } else { had % 5 };
        assert_eq!(points(&world, person).await.total, left, "{n}");
    }
    world.sound_ledger(world.own).await;
}
