//! Coming by every day.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_proto::member::v1::*;
use tokio::task::JoinSet;

use crate::{
    points::{points, start},
    world::{World, fields},
};

pub(crate) async fn set(
    world: &World,
    request_id: &str,
    policy: SignInPolicy,
) -> Result<(), siyu_kernel::Fault> {
    let request = SetSignInPolicyRequest { request_id: request_id.into(), policy: Some(policy) };
    world.sign_ins(world.own).set_sign_in_policy(request).await.map(drop).map_err(fault)
}

pub(crate) async fn sign(world: &World, person: &str) -> SignedDay {
    let request = SignInRequest { person_id: person.into() };
    world.sign_ins(world.own).sign_in(request).await.unwrap().into_inner().day.unwrap()
}

pub(crate) fn rules() -> SignInPolicy {
    let bonus = |day, points| StreakBonus { day, points };
    SignInPolicy { points_per_day: 1, bonuses: vec![bonus(2, 5), bonus(3, 10)], cycle_days: 3 }
}

#[tokio::test]
async fn a_streak_brings_more_and_a_missed_day_ends_it() {
    let (world, anna) = start().await;
    set(&world, "1", rules()).await.unwrap();
    let mut seen = Vec::new();
    for missed in [0, 0, 0, 1, 0] {
        world.clock.advance(TimeDelta::days(missed));
        let day = sign(&world, &anna).await;
        seen.push((day.streak, day.points));
        world.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(seen, [(1, 1), (2, 6), (3, 11), (1, 1), (2, 6)]);
    assert_eq!(points(&world, &anna).await.available, 25);
    let request =
        ListSignInsRequest { person_id: anna.clone(), page_size: 2, ..Default::default() };
    let page = world.sign_ins(world.own).list_sign_ins(request).await.unwrap().into_inner();
    let days: Vec<&str> = page.days.iter().map(|day| day.day.as_str()).collect();
    assert_eq!(days, ["2024-06-06", "2024-06-05"]);
    assert!(!page.next_page_token.is_empty());
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_day_begins_at_midnight_of_the_merchant() {
    let (world, anna) = start().await;
    set(&world, "1", rules()).await.unwrap();
    world.clock.set("2024-06-01T15:59:59Z".parse().unwrap());
    assert_eq!(sign(&world, &anna).await.day, "2024-06-01");
    world.clock.set("2024-06-01T16:00:00Z".parse().unwrap());
    let next = sign(&world, &anna).await;
    assert_eq!((next.day.as_str(), next.streak), ("2024-06-02", 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_signs_twenty_times_at_once_gets_the_points_of_one_day() {
    let (world, anna) = start().await;
    set(&world, "1", rules()).await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let (mut client, person_id) = (world.sign_ins(world.own), anna.clone());
        calls.spawn(async move {
            client.sign_in(SignInRequest { person_id }).await.unwrap().into_inner()
        });
    }
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|answer| answer == &answers[0]), "{answers:?}");
    assert_eq!(points(&world, &anna).await.available, 1);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let world = World::new().await;
    let bonus = |day| StreakBonus { day, points: 1 };
    for bonuses in [vec![bonus(2), bonus(2)], vec![bonus(8)]] {
        let policy = SignInPolicy { points_per_day: 0, bonuses, cycle_days: 7 };
        assert_eq!(fields(&set(&world, "1", policy).await.unwrap_err()), ["policy.bonuses"]);
    }
    let reply = world.sign_ins(world.own).get_sign_in_policy(GetSignInPolicyRequest {}).await;
    assert_eq!(reply.unwrap().into_inner().policy, Some(SignInPolicy::default()));
}
