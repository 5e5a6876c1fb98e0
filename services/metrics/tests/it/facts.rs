//! From the events of orders to facts.

use chrono::TimeDelta;
use siyu_proto::order::v1::{Domain, OrderFacts};

use crate::world::{World, day, noon, now, person, sale, stamp, voided};

/// Turnover, orders and buyers of all time.
async fn brief(world: &World) -> (i64, i64, i64) {
    let total = world.own.total().await;
    (total.gmv_minor, total.orders, total.buyers)
}

#[tokio::test]
async fn an_order_counts_once_as_of_its_latest_revision() {
    let world = World::new().await;
    let first = sale(1, 1, 0, 1_000);
    world.sell(1, &[first.clone(), sale(2, 2, 3, 500)]).await;
    assert_eq!(brief(&world).await, (1_500, 2, 2));
    world.sell(1, &[now(&first, 700)]).await;
    assert_eq!(brief(&world).await, (1_200, 2, 2));
    world.sell(1, &[voided(&now(&first, 700))]).await;
    assert_eq!(brief(&world).await, (500, 1, 1));
    let again = OrderFacts { revision: 4, ..first };
    world.sell(1, &[again]).await;
    assert_eq!(brief(&world).await, (1_500, 2, 2));
}

#[tokio::test]
async fn a_revision_that_comes_late_or_again_changes_nothing() {
    let world = World::new().await;
    let first = sale(1, 1, 0, 1_000);
    let (second, third) = (now(&first, 2_000), now(&now(&first, 2_000), 3_000));
    world.sell(1, std::slice::from_ref(&third)).await;
    world.sell(1, std::slice::from_ref(&first)).await;
    world.sell(1, &[second.clone(), third, first, second]).await;
    let before = world.own.get_sales(1, "", "").await.unwrap();
    assert_eq!(brief(&world).await, (3_000, 1, 1));
    world.consumers["order"].reset(0).await.unwrap();
    world.deliver("order").await;
    // Not even the version of the facts moves.
    assert_eq!(world.own.get_sales(1, "", "").await.unwrap(), before);
}

#[tokio::test]
async fn an_order_that_turns_out_to_be_of_another_buyer_or_day_moves() {
    let world = World::new().await;
    let first = sale(1, 1, 0, 1_000);
    world.sell(1, &[first.clone(), sale(2, 2, 0, 500)]).await;
    let moved = OrderFacts { revision: 2, person_id: person(2), ..first.clone() };
    world.sell(1, std::slice::from_ref(&moved)).await;
    assert_eq!(brief(&world).await, (1_500, 2, 1));
    let later = OrderFacts { revision: 3, pay_time: Some(stamp(noon(40))), ..moved };
    world.sell(1, &[later]).await;
    let shown = world.own.get_sales(1, "", "").await.unwrap();
    let months: Vec<_> = shown
        .months
        .iter()
        .map(|m| (m.period.as_str(), m.figures.as_ref().unwrap().gmv_minor))
        .collect();
    assert_eq!(months, [("2024-01", 500), ("2024-02", 1_000)]);
}

#[tokio::test]
async fn days_are_cut_in_the_zone_of_the_merchant() {
    let world = World::new().await;
    let at = |n: u32, hours: i64| OrderFacts {
        pay_time: Some(stamp(noon(0) + TimeDelta::hours(hours))),
        ..sale(n, n, 0, 100)
    };
    // 23:00 and 00:00 in Shanghai; for New York both are the morning of one day.
    let orders = [at(1, 11), at(2, 12)];
    world.sell(1, &orders).await;
    world.sell(2, &orders).await;
    let of = async |who: u32, from: i64, to: i64| {
        let shown = world.own.get_sales(who, &day(from), &day(to)).await.unwrap();
        (shown.total.unwrap().orders, shown.basis.unwrap().zone)
    };
    assert_eq!(of(1, 0, 1).await, (1, "Asia/Shanghai".into()));
    assert_eq!(of(1, 1, 2).await.0, 1);
    assert_eq!(of(2, 0, 1).await, (2, "America/New_York".into()));
}

#[tokio::test]
async fn the_private_domain_is_counted_beside_the_whole() {
    let world = World::new().await;
    let of = |n, domain: Domain| OrderFacts { domain: domain.into(), ..sale(n, n % 2, 0, 100) };
    let orders = [
        of(1, Domain::Private),
        of(2, Domain::Public),
        of(3, Domain::Pos),
        of(4, Domain::Private),
        of(5, Domain::Unspecified),
    ];
    world.sell(1, &orders).await;
    let shown = world.own.get_sales(1, "", "").await.unwrap();
    let private = shown.private_domain.unwrap();
    assert_eq!((shown.total.unwrap().orders, private.orders, private.buyers), (5, 3, 2));
}

#[tokio::test]
async fn an_order_that_cannot_be_counted_is_put_aside_and_holds_up_nobody() {
    let world = World::new().await;
    let bad = [
        OrderFacts { person_id: "nobody".into(), ..sale(1, 1, 0, 100) },
        OrderFacts { pay_time: None, ..sale(2, 1, 0, 100) },
        sale(3, 1, 0, -1),
        sale(4, 1, 0, i64::MAX),
        OrderFacts { quantity: -1, ..sale(5, 1, 0, 100) },
    ];
    world.sell(1, &[&bad[..], &[sale(9, 9, 0, 100)]].concat()).await;
    assert_eq!(brief(&world).await, (100, 1, 1));
    assert_eq!(world.consumers["order"].count_parked().await.unwrap(), 5);
}

#[tokio::test]
async fn the_basis_says_what_an_answer_rests_on() {
    let world = World::new().await;
    world.sell(1, &[sale(1, 1, 0, 100), sale(2, 1, 30, 100)]).await;
    let basis = world.own.get_sales(1, "", "").await.unwrap().basis.unwrap();
    assert_eq!((basis.from_day.as_str(), basis.to_day.as_str()), ("2024-01-01", "2024-02-01"));
    assert_eq!((basis.as_of_day.as_str(), basis.currency_code.as_str()), ("2024-01-31", "CNY"));
    assert_eq!((basis.facts_version, basis.facts_time), (1, Some(stamp(world.clock_now()))));
    world.sell(1, &[sale(3, 1, 0, 100)]).await;
    let later = world.own.get_sales(1, "", "").await.unwrap().basis.unwrap();
    assert_eq!(later.facts_version, 2);
}
