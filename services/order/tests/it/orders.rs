//! The read side: one order, and lists by what is asked for.

use siyu_grpc::fault;
use siyu_kernel::{Code, kind};
use siyu_proto::order::v1::*;
use siyu_testkit::{id, merchant};

use crate::world::{World, at, order, status};

async fn list(world: &World, who: u32, request: ListOrdersRequest) -> Vec<String> {
    let reply = world.orders(who).list_orders(request).await.unwrap().into_inner();
    assert!(reply.orders.iter().all(|order| order.lines.is_empty()));
    reply.orders.into_iter().map(|order| order.platform_order_no).collect()
}

/// Orders that differ in everything that a list can ask for. Newest payment first: D, C, B, A; E is not paid.
async fn shop() -> World {
    let world = World::new().await;
    world.member.open(merchant(1), "S1", 1);
    let paid =
        |name: &str, seconds| ExternalOrder { pay_time: Some(at(seconds)), ..order(name, &[100]) };
    let orders = [
        ExternalOrder { platform: "jd".into(), ..paid("A", -400) },
        ExternalOrder { store_code: "S1".into(), domain: Domain::Pos.into(), ..paid("B", -300) },
        ExternalOrder { buyer_id: "ben".into(), ..paid("C", -200) },
        status(paid("D", -100), "refunded"),
        ExternalOrder { pay_time: None, ..status(order("E", &[100]), "created") },
    ];
    world.import(&orders).await;
    world
}

#[tokio::test]
async fn a_list_shows_the_orders_for_which_every_filter_holds() {
    let world = shop().await;
    let all = ListOrdersRequest::default;
    assert_eq!(list(&world, 1, all()).await, ["D", "C", "B", "A", "E"]);
    let asked = [
        (ListOrdersRequest { platform: "jd".into(), ..all() }, vec!["A"]),
        (ListOrdersRequest { store_id: id::<kind::Store>(1).to_string(), ..all() }, vec!["B"]),
        (ListOrdersRequest { domain: Domain::Pos.into(), ..all() }, vec!["B"]),
        (ListOrdersRequest { state: OrderState::Refunded.into(), ..all() }, vec!["D"]),
        (ListOrdersRequest { state: OrderState::Created.into(), ..all() }, vec!["E"]),
        (
            ListOrdersRequest {
                pay_time_from: Some(at(-300)),
                pay_time_to: Some(at(-100)),
                ..all()
            },
            vec!["C", "B"],
        ),
        (ListOrdersRequest { platform: "jd".into(), domain: Domain::Pos.into(), ..all() }, vec![]),
    ];
    for (request, expected) in asked {
        assert_eq!(list(&world, 1, request.clone()).await, expected, "{request:?}");
    }
    let ben = world.orders(1).list_orders(all()).await.unwrap().into_inner().orders[1].clone();
    let request = ListOrdersRequest { person_id: ben.person_id, ..all() };
    assert_eq!(list(&world, 1, request).await, ["C"]);
    assert_eq!(list(&world, 2, all()).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_filter_that_cannot_be_is_refused_by_field() {
    let world = shop().await;
    let all = ListOrdersRequest::default;
    let beyond = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
    for (request, field) in [
        (ListOrdersRequest { state: 77, ..all() }, "state"),
        (ListOrdersRequest { domain: 77, ..all() }, "domain"),
        (ListOrdersRequest { person_id: "ben".into(), ..all() }, "person_id"),
        (ListOrdersRequest { store_id: "ord_1".into(), ..all() }, "store_id"),
        (ListOrdersRequest { pay_time_from: Some(beyond), ..all() }, "pay_time_from"),
        (ListOrdersRequest { page_size: -1, ..all() }, "page_size"),
        (ListOrdersRequest { page_token: "?".into(), ..all() }, "page_token"),
    ] {
        let refused = fault(world.orders(1).list_orders(request).await.unwrap_err());
        assert_eq!(refused.violations()[0].field, field);
    }
}

#[tokio::test]
async fn an_order_of_another_merchant_is_not_there() {
    let world = shop().await;
    let all = world.orders(1).list_orders(ListOrdersRequest::default()).await.unwrap();
    let own = all.into_inner().orders.remove(0);
    assert_eq!(world.get(1, &own.id).await.unwrap().lines.len(), 1);
    let foreign = world.get(2, &own.id).await.unwrap_err();
    let unknown = world.get(2, &id::<kind::Order>(1).to_string()).await.unwrap_err();
    assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, "order not found"));
    assert_eq!((foreign.code(), foreign.message()), (unknown.code(), unknown.message()));
    assert_eq!((foreign.reason(), foreign.metadata()), (unknown.reason(), unknown.metadata()));
}
