//! Points of an order to which its buyer objects.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_kernel::kind;
use siyu_proto::{
    member::v1::*,
    order::v1::{Dispute, DisputeClosed, DisputeOpened, OrderState},
    r#type::v1::Ratio,
};
use siyu_testkit::id;

use crate::{
    orders::{Order, Orders, paid, paid_at},
    points::{points, start, time},
    world::World,
};

fn day(n: i64) -> DateTime<Utc> {
    paid_at() + TimeDelta::days(n)
}

/// The n-th dispute, of an order, opened on a day and closed on another one; both are told when they have come.
async fn tell(world: &World, orders: &Orders, n: u32, of: u32, days: (i64, Option<i64>)) {
    let time = |n| Timestamp { seconds: day(n).timestamp(), nanos: 0 };
    let dispute = Some(Dispute {
        id: id::<kind::Dispute>(n).to_string(),
        order_id: id::<kind::Order>(of).to_string(),
        open_time: Some(time(days.0)),
        close_time: days.1.map(time),
        ..Default::default()
    });
    let (subject, at) = (id::<kind::Order>(of), day(days.1.unwrap_or(days.0)));
    world.clock.set(at);
    let fact = match days.1 {
        None => orders.sibling.fact(&subject, at, &DisputeOpened { dispute }),
        Some(_) => orders.sibling.fact(&subject, at, &DisputeClosed { dispute }),
    };
    orders.sibling.tell_all(world.own, &[fact]).await;
    orders.sibling.deliver(&orders.consumer).await;
    assert_eq!(orders.consumer.count_parked().await.unwrap(), 0);
}

/// What can be spent on a day, and what cannot be yet.
async fn has(world: &World, person: &str, on: i64) -> (i64, i64) {
    world.clock.set(day(on));
    let has = points(world, person).await;
    assert_eq!(has.total, has.available + has.pending);
    (has.available, has.pending)
}

#[tokio::test]
async fn points_stay_pending_while_the_order_is_disputed_and_that_time_does_not_count() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let first = paid(1, &anna, 10_000);
    orders.tell(world.own, &[first.clone(), paid(2, &anna, 500)]).await;
    tell(&world, &orders, 1, 1, (3, None)).await;
    assert_eq!(has(&world, &anna, 8).await, (5, 100), "the other order is not disputed");
    let posted = world.sound_ledger(world.own).await;
    tell(&world, &orders, 1, 1, (3, None)).await;
    assert_eq!(world.sound_ledger(world.own).await, posted, "a repeat changes nothing");
    // A refund in the middle takes its share, and what is left waits on.
    world.clock.set(day(10));
    orders.tell(world.own, &[first.now(4_000)]).await;
    assert_eq!(has(&world, &anna, 40).await, (5, 40));
    tell(&world, &orders, 1, 1, (3, Some(43))).await;
    assert_eq!(has(&world, &anna, 46).await, (5, 40), "four days were left");
    assert_eq!(has(&world, &anna, 47).await, (45, 0));
    // Too late: they can be spent already.
    tell(&world, &orders, 2, 1, (50, None)).await;
    assert_eq!(has(&world, &anna, 51).await, (45, 0));
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn points_that_wait_for_the_completion_wait_for_the_decision_too() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let policy = PointsPolicy {
        points_per_major: Some(Ratio { numerator: 1, denominator: 1 }),
        vesting: PointsVesting::AtCompletion.into(),
        effective_time: Some(time("2024-01-01T00:00:00Z")),
        ..Default::default()
    };
    let request = SetPointsPolicyRequest { request_id: "1".into(), policy: Some(policy) };
    world.points_policies(world.own).set_points_policy(request).await.unwrap();
    let first = paid(1, &anna, 10_000);
    orders.tell(world.own, std::slice::from_ref(&first)).await;
    tell(&world, &orders, 1, 1, (3, None)).await;
    world.clock.set(day(5));
    let done = Order { state: OrderState::Completed, ..first.now(10_000) };
    orders.tell(world.own, std::slice::from_ref(&done)).await;
    assert_eq!(has(&world, &anna, 30).await, (0, 100));
    tell(&world, &orders, 1, 1, (3, Some(31))).await;
    assert_eq!(has(&world, &anna, 31).await, (100, 0));
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_dispute_follows_the_points_of_its_order_to_another_person() {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    orders.tell(world.own, &[paid(1, &ben, 10_000)]).await;
    tell(&world, &orders, 1, 1, (1, None)).await;
    world.join(world.own, &anna, &ben).await;
    assert_eq!(has(&world, &anna, 20).await, (0, 100));
    tell(&world, &orders, 1, 1, (1, Some(21))).await;
    assert_eq!(has(&world, &anna, 27).await, (100, 0));
    world.sound_ledger(world.own).await;
}
