//! Pages of more orders than one page ever holds, while others come in between.

use std::collections::BTreeSet;

use siyu_grpc::fault;
use siyu_proto::order::v1::*;

use crate::world::{World, at, order};

async fn page(world: &World, request: &ListOrdersRequest) -> (Vec<String>, String) {
    let reply = world.orders(1).list_orders(request.clone()).await.unwrap().into_inner();
    let names = reply.orders.into_iter().map(|order| order.platform_order_no);
    (names.collect(), reply.next_page_token)
}

/// 1,200 orders; each ten are paid in the same second, every twelfth is not paid.
async fn many(world: &World) {
    let one = |n: i64| ExternalOrder {
        pay_time: (n % 12 > 0).then(|| at(-10_000 + n / 10)),
        status: if n % 12 > 0 { String::new() } else { "created".into() },
        ..order(&format!("{n:04}"), &[1])
    };
    let orders: Vec<_> = (0..1_200).map(one).collect();
    for batch in orders.chunks(600) {
        world.import(batch).await;
    }
}

#[tokio::test]
async fn every_order_comes_once_in_pages_of_any_size_though_others_come_meanwhile() {
    let world = World::new().await;
    many(&world).await;
    for (round, size) in [(0, 7), (1, 1_000)] {
        let mut request = ListOrdersRequest { page_size: size, ..Default::default() };
        let (mut seen, mut late) = (Vec::new(), 0);
        loop {
            let (names, token) = page(&world, &request).await;
            seen.extend(names);
            // Before, at and after what was shown.
            if late < 6 {
                let new = order(&format!("late {round} {late}"), &[1]);
                let new = ExternalOrder { pay_time: Some(at(-10_000 + late * 20)), ..new };
                world.import(&[new]).await;
                late += 1;
            }
            if token.is_empty() {
                break;
            }
            request.page_token = token;
        }
        let old: Vec<&String> = seen.iter().filter(|name| !name.starts_with("late")).collect();
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((old.len(), distinct.len()), (1_200, seen.len()), "pages of {size}");
        let unpaid = old.iter().rev().take_while(|n| n.parse::<i64>().unwrap() % 12 == 0).count();
        assert_eq!(unpaid, 100, "orders that are not paid come last");
    }
}

#[tokio::test]
async fn a_page_has_what_was_asked_for_and_at_most_a_thousand() {
    let world = World::new().await;
    many(&world).await;
    for (asked, given) in [(0, 50), (1, 1), (1_000, 1_000), (5_000, 1_000)] {
        let request = ListOrdersRequest { page_size: asked, ..Default::default() };
        assert_eq!(page(&world, &request).await.0.len(), given, "{asked}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_filters_only() {
    let world = World::new().await;
    world.import(&[order("A", &[1]), order("B", &[1])]).await;
    let request = ListOrdersRequest { page_size: 1, ..Default::default() };
    let (_, token) = page(&world, &request).await;
    let other =
        ListOrdersRequest { page_token: token, platform: "jd".into(), ..Default::default() };
    let refused = fault(world.orders(1).list_orders(other).await.unwrap_err());
    assert_eq!(refused.violations()[0].field, "page_token");
}
