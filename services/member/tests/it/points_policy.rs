//! The rules by which a merchant gives points.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::{member::v1::*, order::v1::OrderState, r#type::v1::Ratio};
use tokio::task::JoinSet;

use crate::{
    orders::{Order, Orders, paid},
    points::{grant, points, post, start, time},
    world::{World, fields},
};

pub(crate) fn policy() -> PointsPolicy {
    let points_per_major = Some(Ratio { numerator: 1, denominator: 1 });
    PointsPolicy { points_per_major, ..Default::default() }
}

pub(crate) async fn set(
    world: &World,
    request_id: &str,
    policy: PointsPolicy,
) -> Result<PointsPolicy, Fault> {
    let request = SetPointsPolicyRequest { request_id: request_id.into(), policy: Some(policy) };
    let reply = world.points_policies(world.own).set_points_policy(request).await;
    reply.map(|reply| reply.into_inner().policy.unwrap()).map_err(fault)
}

async fn version_at(world: &World, at: &str) -> i32 {
    let request = GetPointsPolicyRequest { in_force_time: Some(time(at)) };
    let reply = world.points_policies(world.own).get_points_policy(request).await.unwrap();
    reply.into_inner().policy.unwrap().version
}

#[tokio::test]
async fn an_order_earns_by_the_rules_in_force_when_it_was_paid() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    // Orders of these tests are paid on 2024-06-01 at midnight; the first version may reach back.
    let early = PointsPolicy {
        effective_time: Some(time("2024-05-01T00:00:00Z")),
        points_per_major: Some(Ratio { numerator: 3, denominator: 2 }),
        vesting: PointsVesting::AfterPayment.into(),
        vesting_days: 15,
        expiry: PointsExpiry::EndOfMonth.into(),
        expiry_count: 1,
        ..Default::default()
    };
    assert_eq!(set(&world, "1", early.clone()).await.unwrap().version, 1);
    world.clock.advance(TimeDelta::seconds(1));
    let later = PointsPolicy {
        points_per_major: Some(Ratio { numerator: 10, denominator: 1 }),
        ..policy()
    };
    assert_eq!(set(&world, "2", later).await.unwrap().version, 2);
    let first = paid(1, &anna, 10_150);
    orders.tell(world.own, std::slice::from_ref(&first)).await;
    let has = points(&world, &anna).await;
    assert_eq!((has.available, has.pending), (0, 152), "101.50 × 3 / 2, rounded down");
    assert_eq!((has.expiring[0].month.as_str(), has.expiring[0].points), ("2024-07", 152));
    // A part is refunded: what it earns now is by the same version.
    orders.tell(world.own, &[first.now(5_000)]).await;
    assert_eq!(points(&world, &anna).await.total, 75);
    world.clock.advance(TimeDelta::days(15));
    assert_eq!(points(&world, &anna).await.available, 75);
    assert_eq!(version_at(&world, "2024-04-30T23:59:59Z").await, 0);
    assert_eq!(version_at(&world, "2024-06-01T00:00:00Z").await, 1);
    assert_eq!(version_at(&world, "2024-06-01T00:00:01Z").await, 2);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn points_may_wait_for_the_completion_of_the_order() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let rules = PointsPolicy { vesting: PointsVesting::AtCompletion.into(), ..policy() };
    let effective_time = Some(time("2024-01-01T00:00:00Z"));
    set(&world, "1", PointsPolicy { effective_time, ..rules }).await.unwrap();
    let first = paid(1, &anna, 10_000);
    orders.tell(world.own, std::slice::from_ref(&first)).await;
    world.clock.advance(TimeDelta::days(100));
    let has = points(&world, &anna).await;
    assert_eq!((has.available, has.pending), (0, 100));
    let request = ListPointLotsRequest { person_id: anna.clone(), ..Default::default() };
    let lots = world.points(world.own).list_point_lots(request).await.unwrap().into_inner().lots;
    assert_eq!(lots[0].available_time, None);
    let done = Order { state: OrderState::Completed, ..first.now(10_000) };
    orders.tell(world.own, std::slice::from_ref(&done)).await;
    let has = points(&world, &anna).await;
    assert_eq!((has.available, has.pending), (100, 0));
    // What follows the completion leaves them where they are.
    let posted = world.sound_ledger(world.own).await;
    let closed = Order { state: OrderState::Closed, ..done.now(10_000) };
    orders.tell(world.own, std::slice::from_ref(&closed)).await;
    assert_eq!(world.sound_ledger(world.own).await, posted);
    orders.tell(world.own, &[Order { state: OrderState::Closed, ..closed.now(4_000) }]).await;
    assert_eq!(points(&world, &anna).await.available, 40);
}

#[tokio::test]
async fn grants_expire_as_the_rules_say_unless_they_say_otherwise_themselves() {
    let (world, anna) = start().await;
    let rules =
        PointsPolicy { expiry: PointsExpiry::EndOfYear.into(), expiry_count: 0, ..policy() };
    set(&world, "1", rules).await.unwrap();
    post!(world, grant_points, grant("g", &anna, 10)).unwrap();
    let expire_time = Some(time("2024-07-01T00:00:00Z"));
    let own = GrantPointsRequest { expire_time, ..grant("h", &anna, 20) };
    post!(world, grant_points, own).unwrap();
    let has = points(&world, &anna).await;
    let expiring: Vec<(&str, i64)> =
        has.expiring.iter().map(|of| (of.month.as_str(), of.points)).collect();
    assert_eq!(expiring, [("2024-07", 20), ("2024-12", 10)]);
}

#[tokio::test]
async fn a_version_is_kept_as_it_was_and_the_next_gets_the_next_number() {
    let world = World::new().await;
    let first = set(&world, "1", policy()).await.unwrap();
    assert_eq!(set(&world, "1", policy()).await.unwrap(), first);
    let other = PointsPolicy { vesting_days: 9, ..policy() };
    assert_eq!(set(&world, "1", other).await.unwrap_err().reason(), "REQUEST_ID_REUSED");
    let past = PointsPolicy { effective_time: Some(time("2024-05-01T00:00:00Z")), ..policy() };
    assert_eq!(fields(&set(&world, "2", past).await.unwrap_err()), ["policy.effective_time"]);
    let mut calls = JoinSet::new();
    for n in 0..8 {
        let request = SetPointsPolicyRequest {
            request_id: format!("p{n}"),
            policy: Some(PointsPolicy { vesting_days: n, ..policy() }),
        };
        let mut client = world.points_policies(world.own);
        calls.spawn(async move { client.set_points_policy(request).await.unwrap() });
    }
    calls.join_all().await;
    let request = ListPointsPoliciesRequest { page_size: 5, ..Default::default() };
    let mut client = world.points_policies(world.own);
    let page = client.list_points_policies(request.clone()).await.unwrap().into_inner();
    let versions = |page: &ListPointsPoliciesResponse| -> Vec<i32> {
        page.policies.iter().map(|policy| policy.version).collect()
    };
    assert_eq!(versions(&page), [9, 8, 7, 6, 5]);
    let request = ListPointsPoliciesRequest { page_token: page.next_page_token, ..request };
    let page = client.list_points_policies(request).await.unwrap().into_inner();
    assert_eq!(versions(&page), [4, 3, 2, 1]);
    let theirs = world
        .points_policies(world.other)
        .get_points_policy(GetPointsPolicyRequest::default())
        .await;
    assert_eq!(theirs.unwrap().into_inner().policy.unwrap().version, 0);
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_by_field() {
    let world = World::new().await;
    let limit = |points_per_day| PointsLimit { action: "share".into(), points_per_day };
    let wrong = [
        (
            PointsPolicy {
                points_per_major: Some(Ratio { numerator: 1, denominator: 0 }),
                ..policy()
            },
            "policy.points_per_major.denominator",
        ),
        (
            PointsPolicy {
                points_per_major: Some(Ratio { numerator: -1, denominator: 1 }),
                ..policy()
            },
            "policy.points_per_major.numerator",
        ),
        (PointsPolicy { vesting: 9, ..policy() }, "policy.vesting"),
        (PointsPolicy { vesting_days: -1, ..policy() }, "policy.vesting_days"),
        (PointsPolicy { expiry: PointsExpiry::Days.into(), ..policy() }, "policy.expiry_count"),
        (PointsPolicy { limits: vec![limit(1), limit(2)], ..policy() }, "policy.limits"),
    ];
    for (policy, field) in wrong {
        assert_eq!(fields(&set(&world, field, policy).await.unwrap_err()), [field]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_action_gives_no_more_on_one_local_day_than_it_may_however_many_ask_at_once() {
    let (world, anna) = start().await;
    let limits = vec![PointsLimit { action: "share".into(), points_per_day: 10 }];
    set(&world, "1", PointsPolicy { limits, ..policy() }).await.unwrap();
    let share =
        |n: &str, points| GrantPointsRequest { action: "share".into(), ..grant(n, &anna, points) };
    let mut calls = JoinSet::new();
    for n in 0..20 {
        let (mut client, request) = (world.points(world.own), share(&format!("s{n}"), 3));
        calls.spawn(async move { client.grant_points(request).await.map_err(fault) });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    let refused = answers.iter().find_map(|answer| answer.as_ref().err()).unwrap();
    assert_eq!(
        (refused.code(), refused.reason()),
        (Code::ResourceExhausted, "DAILY_LIMIT_REACHED")
    );
    assert_eq!(points(&world, &anna).await.total, 9);
    // A repeat of one that was given is answered, though the day is full; other actions have no limit.
    post!(world, grant_points, share("t", 1)).unwrap();
    let first = post!(world, grant_points, share("t", 1)).unwrap();
    assert_eq!((first.points, points(&world, &anna).await.total), (1, 10));
    post!(world, grant_points, grant("u", &anna, 100)).unwrap();
    // The next day begins at midnight in Shanghai.
    world.clock.set("2024-06-01T15:59:59Z".parse().unwrap());
    assert!(post!(world, grant_points, share("v", 1)).is_err());
    world.clock.set("2024-06-01T16:00:00Z".parse().unwrap());
    post!(world, grant_points, share("v", 10)).unwrap();
    assert!(post!(world, grant_points, share("w", 11)).is_err());
    world.sound_ledger(world.own).await;
}
