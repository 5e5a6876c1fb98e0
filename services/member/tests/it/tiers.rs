//! Growth, tiers, and what reaching them brings.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::{
    member::v1::{
        TierChangeReason::{Initial, Lapsed, Reached},
        *,
    },
    r#type::v1::Ratio,
};
use tokio::task::JoinSet;

use crate::{
    orders::{Orders, paid},
    points::{points, start},
    world::{World, fields},
};

pub(crate) fn ladder(tiers: &[(&str, i64, i64)]) -> TierPolicy {
    let tier = |&(name, threshold, gift_points): &(&str, i64, i64)| Tier {
        name: name.into(),
        threshold,
        gift_points,
        benefits: Vec::new(),
    };
    TierPolicy {
        tiers: tiers.iter().map(tier).collect(),
        growth_per_major: Some(Ratio { numerator: 1, denominator: 1 }),
        ..Default::default()
    }
}

pub(crate) async fn set(
    world: &World,
    request_id: &str,
    policy: TierPolicy,
) -> Result<TierPolicy, Fault> {
    let request = SetTierPolicyRequest { request_id: request_id.into(), policy: Some(policy) };
    let reply = world.tiers(world.own).set_tier_policy(request).await;
    reply.map(|reply| reply.into_inner().policy.unwrap()).map_err(fault)
}

pub(crate) async fn status(world: &World, person: &str) -> GetTierStatusResponse {
    let request = GetTierStatusRequest { person_id: person.into() };
    world.tiers(world.own).get_tier_status(request).await.unwrap().into_inner()
}

fn growth_for(request_id: &str, person: &str, growth: i64) -> GrantGrowthRequest {
    GrantGrowthRequest {
        request_id: request_id.into(),
        person_id: person.into(),
        growth,
        reason: "a task".into(),
    }
}

pub(crate) async fn grow(world: &World, request_id: &str, person: &str, growth: i64) -> (i64, i32) {
    let request = growth_for(request_id, person, growth);
    let reply = world.tiers(world.own).grant_growth(request).await.unwrap().into_inner();
    (reply.growth, reply.tier)
}

async fn initial(world: &World, id: &str, person: &str, tier: i32) -> Result<(), Fault> {
    let request = SetInitialTierRequest { request_id: id.into(), person_id: person.into(), tier };
    world.tiers(world.own).set_initial_tier(request).await.map(drop).map_err(fault)
}

/// From, to and reason of every step of a person, the first first.
async fn changes(world: &World, person: &str) -> Vec<(i32, i32, TierChangeReason)> {
    let mut request =
        ListTierChangesRequest { person_id: person.into(), page_size: 1, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let reply = world.tiers(world.own).list_tier_changes(request.clone()).await.unwrap();
        let page = reply.into_inner();
        all.extend(page.changes.iter().map(|c| (c.from_tier, c.to_tier, c.reason())));
        if page.next_page_token.is_empty() {
            all.reverse();
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

/// What is kept on the person: growth and tier.
async fn kept(world: &World, person: &str) -> (i64, i32) {
    let person = world.person(world.own, person).await.unwrap();
    (person.growth, person.tier)
}

#[tokio::test]
async fn a_refund_before_the_expiry_takes_growth_and_leaves_the_tier() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    orders.tell(world.own, &[paid(1, &anna, 499_900)]).await;
    let now = status(&world, &anna).await;
    assert_eq!((now.growth, now.tier, now.gap, now.next_name.as_str()), (4_999, 2, 1, "3"));
    let second = paid(2, &anna, 200);
    orders.tell(world.own, &[paid(3, &anna, 100), second.clone()]).await;
    assert_eq!((status(&world, &anna).await.tier, kept(&world, &anna).await), (3, (5_002, 3)));
    orders.tell(world.own, &[second.voided()]).await;
    orders.tell(world.own, &[paid(3, &anna, 100).voided()]).await;
    assert_eq!(kept(&world, &anna).await, (4_999, 3));
    let until = status(&world, &anna).await.expire_time.unwrap();
    assert_eq!(
        until.seconds,
        "2025-06-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp()
    );
    assert_eq!(changes(&world, &anna).await, [(1, 2, Reached), (2, 3, Reached)]);
    // When it expires the growth of a year ago counts no more.
    world.clock.advance(TimeDelta::days(365) - TimeDelta::seconds(1));
    assert_eq!((status(&world, &anna).await.tier, status(&world, &anna).await.growth), (3, 4_999));
    world.clock.advance(TimeDelta::seconds(1));
    let now = status(&world, &anna).await;
    assert_eq!(
        (now.tier, now.growth, now.expire_time),
        (1, 0, None),
        "before any job has come round"
    );
    world.run("member.expire_lots").await;
    world.run("member.expire_tiers").await;
    assert_eq!(kept(&world, &anna).await, (0, 1));
    assert_eq!(changes(&world, &anna).await.last(), Some(&(3, 1, Lapsed)));
    let told: Vec<(i32, i32)> = world
        .told::<TierChanged>()
        .await
        .into_iter()
        .map(|(_, person, fact)| {
            assert_eq!(person, anna);
            let change = fact.change.unwrap();
            (change.from_tier, change.to_tier)
        })
        .collect();
    assert_eq!(told, [(1, 2), (2, 3), (3, 1)]);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn growth_of_an_order_counts_for_a_year_from_its_payment() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let first = paid(1, &anna, 100_000);
    orders.tell(world.own, std::slice::from_ref(&first)).await;
    world.clock.advance(TimeDelta::days(200));
    assert_eq!(grow(&world, "g", &anna, 500).await, (1_500, 2));
    world.clock.advance(TimeDelta::days(165));
    assert_eq!(status(&world, &anna).await.growth, 500);
    // Refunded after that: it takes nothing of what others gave.
    orders.tell(world.own, &[first.voided(), paid(2, &anna, 70_000)]).await;
    assert_eq!(kept(&world, &anna).await.0, 500, "the second order is of the same day");
    world.run("member.expire_lots").await;
    world.run("member.expire_tiers").await;
    assert_eq!(kept(&world, &anna).await, (500, 1));
    world.clock.advance(TimeDelta::days(200));
    world.run("member.expire_lots").await;
    assert_eq!(kept(&world, &anna).await, (0, 1));
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_gift_for_a_tier_is_given_once_in_a_life_however_often_the_tier_is_reached() {
    let (world, anna) = start().await;
    let policy = ladder(&[("bronze", 0, 0), ("silver", 100, 10), ("gold", 200, 20)]);
    set(&world, "1", TierPolicy { window_days: 10, validity_days: 10, ..policy }).await.unwrap();
    assert_eq!(grow(&world, "a", &anna, 250).await, (250, 3));
    world.run("member.tier_gifts").await;
    assert_eq!(points(&world, &anna).await.available, 30, "for both tiers that were passed");
    world.clock.advance(TimeDelta::days(10));
    world.run("member.expire_tiers").await;
    assert_eq!(kept(&world, &anna).await, (0, 1));
    assert_eq!(grow(&world, "b", &anna, 250).await, (250, 3));
    world.run("member.tier_gifts").await;
    assert_eq!(points(&world, &anna).await.available, 30);
    // A repeat of a task gives nothing more.
    assert_eq!(grow(&world, "b", &anna, 250).await, (250, 3));
    let other = growth_for("b", &anna, 251);
    let refusal = world.tiers(world.own).grant_growth(other).await.map_err(fault).unwrap_err();
    assert_eq!(refusal.reason(), "REQUEST_ID_REUSED");
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn who_comes_from_another_system_gets_the_tier_without_the_gifts() {
    let (world, anna) = start().await;
    let policy = ladder(&[("bronze", 0, 0), ("silver", 100, 10), ("gold", 200, 20)]);
    set(&world, "1", policy).await.unwrap();
    initial(&world, "i", &anna, 2).await.unwrap();
    initial(&world, "i", &anna, 2).await.unwrap();
    let now = status(&world, &anna).await;
    assert_eq!((now.tier, now.name.as_str(), now.growth, now.gap), (2, "silver", 0, 200));
    let refusal = initial(&world, "j", &anna, 2).await.unwrap_err();
    assert_eq!((refusal.code(), refusal.reason()), (Code::FailedPrecondition, "TIER_NOT_HIGHER"));
    assert_eq!(fields(&initial(&world, "k", &anna, 4).await.unwrap_err()), ["tier"]);
    assert_eq!(grow(&world, "g", &anna, 200).await, (200, 3));
    world.run("member.tier_gifts").await;
    assert_eq!(points(&world, &anna).await.available, 20, "that of the third, not of the second");
    assert_eq!(changes(&world, &anna).await, [(1, 2, Initial), (2, 3, Reached)]);
}

#[tokio::test]
async fn new_rules_lift_whom_they_reach_and_throw_nobody_down() {
    let (world, anna) = start().await;
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    grow(&world, "a", &anna, 1_000).await;
    grow(&world, "b", &ben, 600).await;
    let policy = ladder(&[("1", 0, 0), ("2", 500, 0), ("3", 2_000, 0)]);
    assert_eq!(set(&world, "1", policy.clone()).await.unwrap().version, 1);
    assert_eq!(set(&world, "1", policy).await.unwrap().version, 1);
    world.run("member.apply_tiers").await;
    assert_eq!((kept(&world, &anna).await, kept(&world, &ben).await), ((1_000, 2), (600, 2)));
    let harder = ladder(&[("1", 0, 0), ("2", 5_000, 0)]);
    assert_eq!(set(&world, "2", harder).await.unwrap().version, 2);
    world.run("member.apply_tiers").await;
    assert_eq!(kept(&world, &ben).await, (600, 2));
}

#[tokio::test]
async fn ladders_that_cannot_be_are_refused_by_field() {
    let world = World::new().await;
    let fine = || ladder(&[("1", 0, 0), ("2", 10, 0)]);
    let wrong = [
        (ladder(&[("1", 1, 0)]), "policy.tiers[0].threshold"),
        (ladder(&[("1", 0, 0), ("2", 10, 0), ("3", 10, 0)]), "policy.tiers[2].threshold"),
        (ladder(&[("", 0, 0)]), "policy.tiers[0].name"),
        (ladder(&[]), "policy.tiers"),
        (TierPolicy { fall: 7, ..fine() }, "policy.fall"),
        (TierPolicy { window_days: -1, ..fine() }, "policy.window_days"),
        (
            TierPolicy { growth_per_major: Some(Ratio { numerator: 1, denominator: 0 }), ..fine() },
            "policy.growth_per_major.denominator",
        ),
    ];
    for (policy, field) in wrong {
        assert_eq!(fields(&set(&world, field, policy).await.unwrap_err()), [field]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn growth_that_comes_from_many_sides_at_once_adds_up_and_lifts_once() {
    let (world, anna) = start().await;
    set(&world, "1", ladder(&[("1", 0, 0), ("2", 50, 5), ("3", 200, 7)])).await.unwrap();
    let mut calls = JoinSet::new();
    for n in 0..20 {
        let mut client = world.tiers(world.own);
        let request = growth_for(&format!("g{}", n % 10), &anna, 10);
        calls.spawn(async move { client.grant_growth(request).await.unwrap() });
    }
    calls.join_all().await;
    assert_eq!(kept(&world, &anna).await, (100, 2));
    assert_eq!(changes(&world, &anna).await.len(), 1);
    world.run("member.tier_gifts").await;
    assert_eq!(points(&world, &anna).await.available, 5);
    world.sound_ledger(world.own).await;
}
