//! What becomes of a commission when its order changes.

use siyu_proto::distribution::v1::*;

use crate::{
    orders::{Orders, now, paid, voided},
    world::{World, generous},
};

async fn shop() -> (World, Orders, String) {
    let world = World::new().await;
    world.set_rule(CommissionRule { level1_bp: 1_200, ..generous() }).await.unwrap();
    let orders = Orders::new(&world).await;
    let anna = world.promoter(1, "").await;
    world.click(9, &anna, -100).await;
    (world, orders, anna)
}

/// Base and earned of the only commission.
async fn only(world: &World) -> (i64, i64) {
    let all = world.all_commissions().await;
    assert_eq!(all.len(), 1, "{all:?}");
    let minor = |money: &Option<siyu_proto::r#type::v1::Money>| money.as_ref().unwrap().minor_units;
    (minor(&all[0].base), minor(&all[0].earned))
}

#[tokio::test]
async fn a_refund_of_a_line_claws_back_its_share_and_a_full_one_everything() {
    let (world, orders, anna) = shop().await;
    let first = paid(1, 9, 1, &[9_990]);
    orders.tell(std::slice::from_ref(&first)).await;
    assert_eq!(only(&world).await, (9_990, 1_198));
    let part = now(&first, &[6_660]);
    orders.tell(std::slice::from_ref(&part)).await;
    assert_eq!((only(&world).await, world.earned(&anna).await), ((6_660, 799), 799));
    let all = voided(&part);
    orders.tell(std::slice::from_ref(&all)).await;
    assert_eq!((only(&world).await, world.earned(&anna).await), ((0, 0), 0));
    // It counts again, with more than before.
    let again = now(&part, &[20_000]);
    let again = siyu_proto::order::v1::OrderFacts { revision: all.revision + 1, ..again };
    orders.tell(&[again]).await;
    assert_eq!((only(&world).await, world.earned(&anna).await), ((20_000, 2_400), 2_400));
    assert_eq!(world.sound_ledger().await, 4);
}

#[tokio::test]
async fn a_change_is_valued_at_the_rate_of_the_payment_whatever_the_rule_is_now() {
    let (world, orders, anna) = shop().await;
    let first = paid(1, 9, 1, &[1_000]);
    orders.tell(std::slice::from_ref(&first)).await;
    world.clock.advance(chrono::TimeDelta::days(1));
    world.set_rule(CommissionRule { level1_bp: 5_000, level2_bp: 0, ..generous() }).await.unwrap();
    orders.tell(&[now(&first, &[2_000])]).await;
    assert_eq!((only(&world).await, world.earned(&anna).await), ((2_000, 240), 240));
}

#[tokio::test]
async fn the_base_is_that_of_the_order_now_even_where_the_share_stays_the_same() {
    let (world, orders, _) = shop().await;
    let first = paid(1, 9, 1, &[100]);
    orders.tell(std::slice::from_ref(&first)).await;
    assert_eq!(only(&world).await, (100, 12));
    let slightly = now(&first, &[107]);
    orders.tell(std::slice::from_ref(&slightly)).await;
    assert_eq!(only(&world).await, (107, 12));
    assert_eq!(world.sound_ledger().await, 1, "nothing is posted for it");
    let told = world.told::<CommissionChanged>().await;
    let base = told.last().unwrap().commission.as_ref().unwrap().base.clone();
    assert_eq!((told.len(), base.unwrap().minor_units), (2, 107));
}

#[tokio::test]
async fn a_revision_that_comes_late_or_again_changes_nothing() {
    let (world, orders, anna) = shop().await;
    let first = paid(1, 9, 1, &[1_000]);
    let (second, third) = (now(&first, &[5_000]), now(&now(&first, &[5_000]), &[3_000]));
    orders.tell(std::slice::from_ref(&third)).await;
    orders.tell(&[second.clone(), first.clone()]).await;
    orders.tell(&[first, third, second]).await;
    let (posted, told) = (world.sound_ledger().await, world.told::<CommissionChanged>().await);
    orders.consumer.reset(0).await.unwrap();
    orders.sibling.deliver(&orders.consumer).await;
    assert_eq!((only(&world).await, world.earned(&anna).await), ((3_000, 360), 360));
    assert_eq!(world.sound_ledger().await, posted);
    assert_eq!(world.told::<CommissionChanged>().await, told);
    assert_eq!(posted, 1);
}

#[tokio::test]
async fn an_order_that_is_first_heard_of_when_it_no_longer_counts_earns_nothing() {
    let (world, orders, anna) = shop().await;
    let first = paid(1, 9, 1, &[1_000]);
    orders.tell(&[first.clone(), voided(&first)]).await;
    assert_eq!((world.earned(&anna).await, world.sound_ledger().await), (0, 0));
    orders.tell(&[first]).await;
    assert_eq!(world.earned(&anna).await, 0);
}
