//! What an order earns whom, when it is told for the first time.

use siyu_proto::{
    distribution::v1::*,
    order::v1::{Domain, OrderFacts},
};

use crate::{
    orders::{Orders, order_id, paid},
    world::{World, generous, hour},
};

async fn shop() -> (World, Orders, String) {
    let world = World::new().await;
    world.set_rule(generous()).await.unwrap();
    let orders = Orders::new(&world).await;
    let anna = world.promoter(1, "").await;
    world.click(9, &anna, -100).await;
    (world, orders, anna)
}

#[tokio::test]
async fn an_order_of_a_bound_customer_earns_a_share_of_each_line() {
    let (world, orders, anna) = shop().await;
    orders.tell(&[paid(1, 9, 1, &[999, 999, 5])]).await;
    let commission = world.all_commissions().await.remove(0);
    assert_eq!((&commission.promoter_id, &commission.order_id), (&anna, &order_id(1)));
    assert_eq!((commission.level, commission.rate_bp), (1, 1_000));
    // Floored line by line: 99 + 99 + 0.
    assert_eq!(commission.base.as_ref().unwrap().minor_units, 2_003);
    assert_eq!(commission.earned.as_ref().unwrap().minor_units, 198);
    assert_eq!(commission.earned.as_ref().unwrap().currency_code, "CNY");
    assert_eq!(commission.pay_time, Some(hour(1)));
    assert_eq!(world.earned(&anna).await, 198);
    let told = world.told::<CommissionChanged>().await;
    assert_eq!(told, [CommissionChanged { commission: Some(commission) }]);
    assert_eq!(world.sound_ledger().await, 1);
}

#[tokio::test]
async fn orders_that_were_not_brought_by_anyone_earn_nothing() {
    let (world, orders, anna) = shop().await;
    let private = paid(1, 9, 1, &[1_000]);
    let of = |n: u32, domain: Domain| OrderFacts {
        order_id: order_id(n),
        domain: domain.into(),
        ..private.clone()
    };
    // Of a stranger; from before the click; of a marketplace; of a till.
    let nothing = [
        paid(2, 10, 1, &[1_000]),
        paid(3, 9, -101, &[1_000]),
        of(4, Domain::Public),
        of(5, Domain::Pos),
    ];
    orders.tell(&nothing).await;
    assert_eq!(world.all_commissions().await, []);
    assert_eq!(world.told::<CommissionChanged>().await, []);
    orders.tell(&[private]).await;
    assert_eq!(world.earned(&anna).await, 100);
}

#[tokio::test]
async fn imported_orders_earn_only_where_the_rule_says_so_and_own_ones_always() {
    let (world, orders, anna) = shop().await;
    world.set_rule(CommissionRule { imported_private_orders: false, ..generous() }).await.unwrap();
    let own = OrderFacts { imported: false, ..paid(2, 9, 1, &[500]) };
    orders.tell(&[paid(1, 9, 1, &[1_000]), own]).await;
    let all = world.all_commissions().await;
    assert_eq!(all.iter().map(|c| &c.order_id).collect::<Vec<_>>(), [&order_id(2)]);
    assert_eq!(world.earned(&anna).await, 50);
}

#[tokio::test]
async fn an_order_is_attributed_once_by_the_binding_at_its_payment() {
    let (world, orders, anna) = shop().await;
    let ben = world.promoter(2, "").await;
    // A customer who was free when the order was paid stays so for that order.
    let free = paid(1, 20, 0, &[1_000]);
    orders.tell(std::slice::from_ref(&free)).await;
    world.clock.advance(chrono::TimeDelta::days(60));
    world.click(20, &ben, 1).await;
    orders.tell(&[crate::orders::now(&free, &[2_000])]).await;
    assert_eq!(world.earned(&ben).await, 0);

    // A customer who goes to another one leaves the earlier orders behind.
    let annas = paid(2, 9, 10, &[1_000]);
    orders.tell(std::slice::from_ref(&annas)).await;
    world.click(9, &ben, 24 * 40).await;
    orders.tell(&[crate::orders::now(&annas, &[3_000]), paid(3, 9, 24 * 41, &[500])]).await;
    assert_eq!((world.earned(&anna).await, world.earned(&ben).await), (300, 50));
    // An order that is told late was paid when it was paid.
    orders.tell(&[paid(4, 9, 20, &[700])]).await;
    assert_eq!((world.earned(&anna).await, world.earned(&ben).await), (370, 50));
    world.sound_ledger().await;
}

#[tokio::test]
async fn commissions_are_listed_by_promoter_and_by_order() {
    let (world, orders, anna) = shop().await;
    let ben = world.promoter(2, &anna).await;
    world.click(10, &ben, -50).await;
    orders.tell(&[paid(1, 9, 1, &[1_000]), paid(2, 10, 1, &[1_000])]).await;
    let list = |promoter_id: &str, order_id: &str| {
        let mut commissions = world.commissions(1);
        let (promoter_id, order_id) = (promoter_id.to_owned(), order_id.to_owned());
        async move {
            let request = ListCommissionsRequest { promoter_id, order_id, ..Default::default() };
            let reply = commissions.list_commissions(request).await.unwrap().into_inner();
            let brief = |c: &Commission| (c.order_id.clone(), c.level);
            let mut all: Vec<_> = reply.commissions.iter().map(brief).collect();
            all.sort();
            all
        }
    };
    assert_eq!(list("", "").await.len(), 3);
    assert_eq!(list(&anna, "").await, [(order_id(1), 1), (order_id(2), 2)]);
    assert_eq!(list("", &order_id(2)).await, [(order_id(2), 1), (order_id(2), 2)]);
    assert_eq!(list(&ben, &order_id(1)).await, []);
}

#[tokio::test]
async fn an_order_is_credited_by_the_instant_at_which_it_was_placed() {
    let (world, orders, anna) = shop().await;
    let own = |n: u32, hours: i64| OrderFacts {
        place_time: Some(hour(hours)),
        imported: false,
        ..paid(n, 9, 2, &[1_000])
    };
    // Paid long after the click; but the first one was placed before it (rule 65).
    orders.tell(&[own(1, -101), own(2, -99)]).await;
    let earned: Vec<_> =
        world.all_commissions().await.into_iter().map(|c| (c.order_id, c.promoter_id)).collect();
    assert_eq!(earned, [(order_id(2), anna)]);
}
