//! What becomes of a commission while the buyer objects to the order.

use siyu_kernel::kind;
use siyu_proto::{distribution::v1::*, order::v1 as order};
use siyu_testkit::{id, merchant};

use crate::{
    orders::{Orders, now, order_id, paid, voided},
    world::{World, generous, hour, start},
};

async fn shop() -> (World, Orders, String) {
    let world = World::new().await;
    world.set_rule(CommissionRule { level1_bp: 1_000, ..generous() }).await.unwrap();
    let orders = Orders::new(&world).await;
    let anna = world.promoter(1, "").await;
    world.click(9, &anna, -100).await;
    (world, orders, anna)
}

/// The n-th dispute, of an order: opened, or closed after some hours.
async fn tell(orders: &Orders, n: u32, of: u32, close: Option<i64>) {
    let dispute = order::Dispute {
        id: id::<kind::Dispute>(n).to_string(),
        order_id: order_id(of),
        open_time: Some(hour(1)),
        close_time: close.map(hour),
        ..Default::default()
    };
    let (dispute, subject) = (Some(dispute), order_id(of));
    let fact = match close {
        None => orders.sibling.fact(&subject, start(), &order::DisputeOpened { dispute }),
        Some(_) => orders.sibling.fact(&subject, start(), &order::DisputeClosed { dispute }),
    };
    orders.sibling.tell_all(merchant(1), &[fact]).await;
    orders.sibling.deliver(&orders.consumer).await;
    assert_eq!(orders.consumer.count_parked().await.unwrap(), 0);
}

/// What the promoter has earned, and what of it is frozen: by the promoter, and as the sum of the commissions.
async fn has(world: &World, promoter_id: &str) -> (i64, i64) {
    let request = GetPromoterRequest { promoter_id: promoter_id.into() };
    let shown = world.promoters(1).get_promoter(request).await.unwrap().into_inner();
    let shown = shown.promoter.unwrap();
    let own: Vec<Commission> = world.all_commissions().await;
    let minor = |money: &Option<siyu_proto::r#type::v1::Money>| money.as_ref().unwrap().minor_units;
    let sums = (
        own.iter().map(|c| minor(&c.earned)).sum::<i64>(),
        own.iter().map(|c| minor(&c.frozen)).sum::<i64>(),
    );
    assert_eq!(sums, (shown.commission_minor, shown.commission_frozen_minor));
    world.sound_ledger().await;
    sums
}

#[tokio::test]
async fn a_dispute_freezes_what_its_order_earned_and_the_decision_frees_it() {
    let (world, orders, anna) = shop().await;
    orders.tell(&[paid(1, 9, 1, &[10_000]), paid(2, 9, 1, &[500])]).await;
    assert_eq!(has(&world, &anna).await, (1_050, 0));
    tell(&orders, 1, 1, None).await;
    assert_eq!(has(&world, &anna).await, (1_050, 1_000), "only of that order");
    tell(&orders, 1, 1, None).await;
    assert_eq!(has(&world, &anna).await, (1_050, 1_000), "a repeat changes nothing");
    tell(&orders, 1, 1, Some(5)).await;
    assert_eq!(has(&world, &anna).await, (1_050, 0));
    tell(&orders, 1, 1, None).await;
    assert_eq!(has(&world, &anna).await, (1_050, 0), "what is closed stays closed");
    tell(&orders, 2, 1, None).await;
    assert_eq!(has(&world, &anna).await, (1_050, 1_000), "another objection is one");
}

#[tokio::test]
async fn a_refund_in_a_dispute_takes_back_what_is_frozen_and_the_rest_stays_frozen() {
    let (world, orders, anna) = shop().await;
    let first = paid(1, 9, 1, &[10_000]);
    orders.tell(std::slice::from_ref(&first)).await;
    tell(&orders, 1, 1, None).await;
    let part = now(&first, &[4_000]);
    orders.tell(std::slice::from_ref(&part)).await;
    assert_eq!(has(&world, &anna).await, (400, 400));
    let all = voided(&part);
    orders.tell(std::slice::from_ref(&all)).await;
    assert_eq!(has(&world, &anna).await, (0, 0));
    tell(&orders, 1, 1, Some(9)).await;
    assert_eq!(has(&world, &anna).await, (0, 0));
}

#[tokio::test]
async fn an_order_that_is_disputed_before_it_is_known_here_earns_frozen_commission() {
    let (world, orders, anna) = shop().await;
    tell(&orders, 1, 1, None).await;
    orders.tell(&[paid(1, 9, 1, &[10_000])]).await;
    assert_eq!(has(&world, &anna).await, (1_000, 1_000));
    tell(&orders, 1, 1, Some(2)).await;
    assert_eq!(has(&world, &anna).await, (1_000, 0));
}
