//! Who invited the promoter earns too, and nobody beyond.

use siyu_proto::distribution::v1::*;

use crate::{
    buyers::Members,
    orders::{Orders, paid},
    world::{World, generous},
};

fn minor(commission: &Commission) -> i64 {
    commission.earned.as_ref().unwrap().minor_units
}

#[tokio::test]
async fn two_levels_earn_and_a_third_does_not() {
    let world = World::new().await;
    world.set_rule(generous()).await.unwrap();
    let orders = Orders::new(&world).await;
    let top = world.promoter(1, "").await;
    let middle = world.promoter(2, &top).await;
    let low = world.promoter(3, &middle).await;
    world.click(9, &low, -1).await;
    orders.tell(&[paid(1, 9, 1, &[10_000])]).await;
    assert_eq!(world.earned(&low).await, 1_000);
    assert_eq!(world.earned(&middle).await, 200);
    assert_eq!(world.earned(&top).await, 0);
    assert_eq!(world.all_commissions().await.len(), 2);
    assert_eq!(world.sound_ledger().await, 2);
}

#[tokio::test]
async fn who_buys_for_himself_through_somebody_he_invited_earns_nothing_by_it() {
    let world = World::new().await;
    world.set_rule(generous()).await.unwrap();
    let orders = Orders::new(&world).await;
    let boss = world.promoter(1, "").await;
    let friend = world.promoter(2, &boss).await;
    world.click(1, &friend, -1).await;
    orders.tell(&[paid(1, 1, 1, &[10_000])]).await;
    assert_eq!((world.earned(&friend).await, world.earned(&boss).await), (1_000, 0));
    let levels: Vec<i32> = world.all_commissions().await.iter().map(|c| c.level).collect();
    assert_eq!(levels, [1]);
}

#[tokio::test]
async fn who_brought_himself_under_another_id_earns_nothing_by_it_once_that_is_known() {
    let world = World::new().await;
    world.set_rule(generous()).await.unwrap();
    let (orders, members) = (Orders::new(&world).await, Members::new(&world).await);
    let boss = world.promoter(1, "").await;
    let own = world.promoter(2, &boss).await;
    world.click(20, &own, -1).await;
    orders.tell(&[paid(1, 20, 1, &[10_000])]).await;
    assert_eq!((world.earned(&own).await, world.earned(&boss).await), (1_000, 200));
    members.merged(&world, 2, 20).await;
    orders.tell(&[paid(2, 20, 1, &[10_000]), paid(3, 2, 1, &[10_000])]).await;
    assert_eq!((world.earned(&own).await, world.earned(&boss).await), (1_000, 600));
    world.sound_ledger().await;
}

#[tokio::test]
async fn a_level_without_a_rate_is_no_commission() {
    let world = World::new().await;
    let rule = CommissionRule { level1_bp: 0, ..generous() };
    world.set_rule(rule).await.unwrap();
    let orders = Orders::new(&world).await;
    let boss = world.promoter(1, "").await;
    let friend = world.promoter(2, &boss).await;
    world.click(9, &friend, -1).await;
    orders.tell(&[paid(1, 9, 1, &[10_000])]).await;
    let all = world.all_commissions().await;
    assert_eq!(all.iter().map(|c| (c.level, minor(c))).collect::<Vec<_>>(), [(2, 200)]);
    assert_eq!((world.earned(&friend).await, world.earned(&boss).await), (0, 200));
}

#[tokio::test]
async fn all_levels_together_stay_within_the_cap_to_the_fen() {
    let world = World::new().await;
    let half = CommissionRule { level1_bp: 4_999, level2_bp: 1, ..generous() };
    world.set_rule(half).await.unwrap();
    let orders = Orders::new(&world).await;
    let boss = world.promoter(1, "").await;
    let friend = world.promoter(2, &boss).await;
    world.click(9, &friend, -1).await;
    let odd: Vec<i64> = (0..50).map(|n| n * n * 7 + 1).collect();
    orders.tell(&[paid(1, 9, 1, &odd)]).await;
    let earned = world.earned(&friend).await + world.earned(&boss).await;
    assert!(earned > 0 && earned * 2 <= odd.iter().sum::<i64>(), "{earned}");
    world.sound_ledger().await;
}
