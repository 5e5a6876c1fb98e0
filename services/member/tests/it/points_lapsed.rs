//! Refunds of orders whose points lapsed.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_proto::member::v1::*;

use crate::{
    orders::{Orders, paid},
    points::{grant, points, post, spend, start, time},
    points_policy::{policy, set},
};

/// When the job comes round that ends points.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Job {
    First,
    Meanwhile,
    Late,
}

const JOBS: [Job; 3] = [Job::First, Job::Meanwhile, Job::Late];

/// Anna, who has 30 points of another kind, buys for 100 points, some of which are spent before the year ends; then the order
/// is refunded to so many points. Gives what there is in the end.
async fn refunded_after_the_end(spent: i64, refunded_to: &[i64], job: Job, merged: bool) -> i64 {
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let effective_time = Some(time("2024-01-01T00:00:00Z"));
    let expiry = PointsExpiry::EndOfYear.into();
    set(&world, "1", PointsPolicy { effective_time, expiry, ..policy() }).await.unwrap();
    let expire_time = Some(time("2030-01-01T00:00:00Z"));
    post!(world, grant_points, GrantPointsRequest { expire_time, ..grant("g", &anna, 30) })
        .unwrap();
    let buyer =
        if merged { world.people(world.own, &["ben"]).await.remove(0) } else { anna.clone() };
    let mut order = paid(1, &buyer, 10_000);
    orders.tell(world.own, std::slice::from_ref(&order)).await;
    if merged {
        world.join(world.own, &anna, &buyer).await;
    }
    world.clock.advance(TimeDelta::days(1));
    if spent > 0 {
        post!(world, spend_points, spend("s", &anna, spent)).unwrap();
    }
    world.clock.set("2024-12-31T16:00:00Z".parse().unwrap());
    if job == Job::First {
        world.run("member.expire_lots").await;
    }
    for (n, points) in refunded_to.iter().enumerate() {
        order = if *points > 0 { order.now(points * 100) } else { order.voided() };
        let told = orders.tell(world.own, std::slice::from_ref(&order));
        if n == 0 && job == Job::Meanwhile {
            tokio::join!(world.run("member.expire_lots"), told);
        } else {
            told.await;
        }
    }
    world.run("member.expire_lots").await;
    world.sound_ledger(world.own).await;
    points(&world, &anna).await.total
}

#[tokio::test]
async fn a_refund_of_an_order_whose_points_lapsed_takes_back_only_what_was_spent_of_them() {
    for (spent, refunded_to, left) in
        [(0, &[0][..], 30), (0, &[60, 20, 0], 30), (40, &[60, 20, 30], 10), (40, &[10, 0], -10)]
    {
        for job in JOBS {
            let has = refunded_after_the_end(spent, refunded_to, job, false).await;
            assert_eq!(has, left, "{spent} {refunded_to:?} {job:?}");
        }
    }
}

#[tokio::test]
async fn so_does_a_refund_where_the_buyer_turned_out_to_be_somebody_else() {
    for (spent, left) in [(0, 30), (40, -10)] {
        for job in JOBS {
            let has = refunded_after_the_end(spent, &[60, 0], job, true).await;
            assert_eq!(has, left, "{spent} {job:?}");
        }
    }
}
