//! Who fulfils an order: stores that are asked in turn, and headquarters.

use AssignmentState as S;
use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::{
    depot::{Depot, line, site, stand},
    market::reason,
    stock::figures,
};

impl Depot {
    /// The parts of an order and whom they are with.
    async fn with(&self, order_id: &str) -> Vec<(i32, S, String)> {
        let parts = stand(&self.parts(order_id).await);
        parts.into_iter().map(|(part, state, store, _)| (part, state, store)).collect()
    }

    async fn reserved(&self, sku: &str, at: &str) -> i64 {
        figures(&self.world, sku, at).await.1
    }

    async fn route(
        &self,
        key: &str,
        order_id: &str,
        distances: &[(&str, i64)],
    ) -> Result<Vec<Assignment>, Fault> {
        let distance = |&(code, distance_m): &(&str, i64)| SiteDistance {
            location_code: code.into(),
            distance_m,
        };
        let request = RouteOrderRequest {
            request_id: key.into(),
            order_id: order_id.into(),
            distances: distances.iter().map(distance).collect(),
        };
        let reply = self.world.fulfilment(1).route_order(request).await.map_err(fault)?;
        Ok(reply.into_inner().assignments)
    }
}

#[tokio::test]
async fn a_paid_order_is_offered_to_one_store_after_the_other_and_charged_once() {
    let depot = Depot::new(&["north", "south"]).await;
    let id = depot.buy(depot.cart("a")).await;
    let (north, south) = (depot.stores[0].clone(), depot.stores[1].clone());
    let all = vec![(1, 1), (2, 2)];
    assert_eq!(stand(&depot.parts(&id).await), [(1, S::Offered, north.clone(), all)]);
    // One answers no, the next one not at all.
    let wrong = depot.reject("r", &id, "south").await;
    assert_eq!(reason(wrong), "ASSIGNED_ELSEWHERE");
    let next = depot.reject("r", &id, "north").await.unwrap();
    assert_eq!((next.state(), &next.store_id), (S::Offered, &south));
    assert_eq!(depot.reject("r", &id, "north").await.unwrap(), next, "a repeat");
    depot.world.clock.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    depot.work().await;
    assert_eq!(depot.with(&id).await, [(1, S::Offered, south)]);
    depot.world.clock.advance(TimeDelta::seconds(1));
    let late = depot.accept("late", &id, (1, "south"), &[]).await;
    assert_eq!(reason(late), "OFFER_EXPIRED");
    depot.work().await;
    assert_eq!(depot.with(&id).await, [(1, S::Headquarters, String::new())]);
    assert_eq!(depot.state(&id).await, OrderState::Paid);

    let done = depot.accept("hq", &id, (1, ""), &[]).await.unwrap();
    assert_eq!(done.order.unwrap().state(), OrderState::Accepted);
    assert_eq!(depot.events(&id).await, ["placed", "paid", "accepted"]);
    let told: Vec<_> = depot.world.told().await.iter().map(|told| told.brief().0).collect();
    assert_eq!(told, ["paid", "revised"]);
    assert_eq!(depot.world.count("select count(*) from payments").await, 1);
    assert_eq!(depot.held(&id).await.held_minor, 30_000);
    let written = "select count(*) from assignment_events where kind in ('begun', 'refused', 'timed_out', 'kept')";
    assert_eq!(depot.world.count(written).await, 4);
    depot.books().await;
}

#[tokio::test]
async fn pieces_are_reserved_where_they_are_taken_from() {
    let depot = Depot::new(&["north", "south"]).await;
    let id = depot.buy(depot.cart("a")).await;
    assert_eq!(depot.reserved("scarf", "main").await, 2);
    // The store sold what it had meanwhile.
    crate::stock::import(
        &depot.world,
        "count",
        ImportStockKind::Counted,
        &[crate::stock::row(1, "scarf", "north", 1)],
    )
    .await;
    let short = depot.accept("a", &id, (1, "north"), &[]).await.unwrap_err();
    assert_eq!((short.reason(), short.metadata()["lines"].as_str()), ("STOCK_SHORT", "2"));
    assert_eq!(
        (depot.reserved("scarf", "main").await, depot.state(&id).await),
        (2, OrderState::Paid)
    );
    depot.reject("r", &id, "north").await.unwrap();
    let taken = depot.accept("b", &id, (0, "south"), &[]).await.unwrap();
    assert_eq!(taken.order.as_ref().unwrap().state(), OrderState::Accepted);
    assert_eq!(taken.assignments[0].location_code, "south");
    assert_eq!(depot.accept("b", &id, (0, "south"), &[]).await.unwrap(), taken, "a repeat");
    assert_eq!(
        (depot.reserved("scarf", "main").await, depot.reserved("scarf", "south").await),
        (0, 2)
    );
    // It finds that it cannot: the order waits again, and headquarters take it from the warehouse.
    depot.reject("r2", &id, "south").await.unwrap();
    assert_eq!(depot.state(&id).await, OrderState::Paid);
    depot.accept("c", &id, (1, "main"), &[]).await.unwrap();
    assert_eq!(
        (depot.reserved("scarf", "main").await, depot.reserved("scarf", "south").await),
        (2, 0)
    );
    let happened = ["placed", "paid", "accepted", "rerouted", "accepted"];
    assert_eq!(depot.events(&id).await, happened);
    depot.books().await;
}

#[tokio::test]
async fn a_store_that_has_some_of_it_takes_these_and_another_is_asked_for_the_rest() {
    let depot = Depot::new(&["north", "south"]).await;
    let id = depot.buy(depot.cart("a")).await;
    let (north, south) = (depot.stores[0].clone(), depot.stores[1].clone());
    let much = depot.accept("x", &id, (1, "north"), &[line(2, 3), line(7, 1)]).await.unwrap_err();
    let fields: Vec<&str> = much.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["lines[0].quantity", "lines[1].line_no"]);
    let some = depot.accept("a", &id, (1, "north"), &[line(2, 1)]).await.unwrap();
    assert_eq!(some.order.unwrap().state(), OrderState::Paid, "not all of it is taken on");
    let expected =
        [(1, S::Accepted, north, vec![(2, 1)]), (2, S::Offered, south, vec![(1, 1), (2, 1)])];
    let parts: Vec<_> = stand(&some.assignments)
        .into_iter()
        .map(|(part, state, store, lines)| {
            (part, state, store, lines.into_iter().filter(|(_, n)| *n > 0).collect())
        })
        .collect();
    assert_eq!(parts, expected);
    assert_eq!(reason(depot.ship("1", &id, 2, &[]).await), "PART_NOT_TAKEN");
    depot.accept("b", &id, (2, "south"), &[]).await.unwrap();
    assert_eq!(depot.state(&id).await, OrderState::Accepted);
    let scarves = [
        depot.reserved("scarf", "main").await,
        depot.reserved("scarf", "north").await,
        depot.reserved("scarf", "south").await,
    ];
    assert_eq!(scarves, [0, 1, 1]);
    depot.books().await;
}

#[tokio::test]
async fn an_order_is_split_where_the_merchant_wants_it_and_each_part_goes_its_way() {
    let depot = Depot::new(&["north", "south"]).await;
    for (n, (sku, at)) in [("scarf", "north"), ("dress-m", "south")].into_iter().enumerate() {
        let rows = [crate::stock::row(1, sku, at, 0)];
        let document = format!("count {n}");
        crate::stock::import(&depot.world, &document, ImportStockKind::Counted, &rows).await;
    }
    let alone = depot.buy(depot.cart("a")).await;
    assert_eq!(depot.with(&alone).await[0].1, S::Headquarters, "nobody has all of it");
    depot.policy(FulfilmentPolicy { split_max: 2, ..FulfilmentPolicy::default() }).await;
    let id = depot.buy(depot.cart("b")).await;
    let expected = [
        (1, S::Offered, depot.stores[0].clone(), vec![(1, 1)]),
        (2, S::Offered, depot.stores[1].clone(), vec![(2, 2)]),
    ];
    assert_eq!(stand(&depot.parts(&id).await), expected);
    depot.accept("1", &id, (1, "north"), &[]).await.unwrap();
    assert_eq!(depot.state(&id).await, OrderState::Paid);
    depot.accept("2", &id, (2, "south"), &[]).await.unwrap();
    assert_eq!(depot.state(&id).await, OrderState::Accepted);
    depot.ship("s", &id, 2, &[]).await.unwrap();
    assert_eq!(reason(depot.ship("t", &id, 2, &[]).await), "NOTHING_TO_SEND");
    depot.ship("n", &id, 1, &[]).await.unwrap();
    let done: Vec<S> = depot.with(&id).await.iter().map(|part| part.1).collect();
    assert_eq!(done, [S::Done, S::Done]);
    assert_eq!(figures(&depot.world, "scarf", "south").await, (8, 0, 8));
    depot.books().await;
}

#[tokio::test]
async fn without_stores_headquarters_take_orders_on_at_once_if_they_say_so() {
    let depot = Depot::new(&[]).await;
    let first = depot.buy(depot.cart("a")).await;
    assert_eq!(depot.with(&first).await, [(1, S::Headquarters, String::new())]);
    let policy = FulfilmentPolicy { headquarters_accept: true, ..FulfilmentPolicy::default() };
    let policy = depot.policy(policy).await;
    assert_eq!((policy.accept_minutes, policy.asked_max, policy.pickup_days), (10, 3, 7));
    let reply = depot.place(depot.cart("b")).await.unwrap();
    let second = reply.order.unwrap().id;
    let payment = depot.start("b", &second).await.unwrap();
    depot.pay(&payment).await;
    assert_eq!(depot.state(&second).await, OrderState::Accepted);
    assert_eq!(depot.state(&first).await, OrderState::Paid);
}

#[tokio::test]
async fn a_courier_of_the_town_starts_from_a_near_store() {
    let depot = Depot::new(&["north", "south", "west"]).await;
    let south = FulfilmentSite { radius_m: 3_000, ..site("south") };
    let west = FulfilmentSite { paused: true, ..site("west") };
    depot.sites(&[south, west]).await.unwrap();
    let id = depot.buy(depot.cart_by("a", DeliveryMethod::Local, "")).await;
    assert_eq!(depot.with(&id).await[0].1, S::Headquarters, "nobody knows how far it is");
    let unknown = depot.route("x", &id, &[("nowhere", 1)]).await.unwrap_err();
    assert_eq!(unknown.violations()[0].field, "distances[0].location_code");
    let near = [("north", 5_000), ("south", 3_000), ("west", 10)];
    let routed = depot.route("r", &id, &near).await.unwrap();
    assert_eq!(stand(&routed)[0].2, depot.stores[1]);
    assert_eq!(routed[0].candidate_store_ids, [depot.stores[0].clone()]);
    let far = [("north", 5_000), ("south", 3_001)];
    assert_eq!(stand(&depot.route("s", &id, &far).await.unwrap())[0].2, depot.stores[0]);
    depot.accept("a", &id, (3, "north"), &[]).await.unwrap();
    assert_eq!(reason(depot.route("t", &id, &near).await), "ORDER_STATE_WRONG");
    let sent = depot.ship("1", &id, 3, &[]).await.unwrap();
    assert_eq!(sent.order.unwrap().state(), OrderState::Delivering);
    let arrived = depot.sign(&sent.parcel.unwrap()).await;
    assert_eq!(arrived.order.unwrap().state(), OrderState::Delivered);
    depot.books().await;
}

#[tokio::test]
async fn what_was_refunded_is_not_to_be_fulfilled() {
    let depot = Depot::new(&["north"]).await;
    let id = depot.buy(depot.cart("a")).await;
    depot.refund("r", &id, crate::refunds::whole()).await.unwrap();
    depot.work().await;
    assert_eq!(depot.state(&id).await, OrderState::Refunded);
    assert_eq!(depot.with(&id).await[0].1, S::Withdrawn);
    assert_eq!(reason(depot.accept("a", &id, (1, "north"), &[]).await), "ORDER_STATE_WRONG");
    // Of a part of an order the rest is fulfilled.
    let id = depot.buy(depot.cart("b")).await;
    depot.accept("b", &id, (1, "north"), &[]).await.unwrap();
    depot.refund("s", &id, crate::refunds::pieces(2, 1)).await.unwrap();
    depot.work().await;
    assert_eq!(stand(&depot.parts(&id).await)[0].3, [(1, 1), (2, 1)]);
    let sent = depot.ship("1", &id, 1, &[]).await.unwrap().parcel.unwrap();
    assert_eq!(sent.lines, [line(1, 1), line(2, 1)]);
    depot.books().await;
}

#[tokio::test]
async fn sites_and_assignments_are_the_merchants_own() {
    let depot = Depot::new(&["north", "south"]).await;
    let wrong = [site("main"), site("north"), site("north")];
    let refused = depot.sites(&wrong).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["sites[0].location_code", "sites[2].location_code"]);
    let request = ListFulfilmentSitesRequest { page_size: 1, ..Default::default() };
    let page = depot.world.fulfilment(1).list_fulfilment_sites(request).await.unwrap().into_inner();
    assert_eq!(
        (page.sites[0].location_code.as_str(), page.next_page_token.is_empty()),
        ("north", false)
    );
    let theirs = ListFulfilmentSitesRequest::default();
    let page = depot.world.fulfilment(2).list_fulfilment_sites(theirs).await.unwrap().into_inner();
    assert_eq!(page.sites, []);

    let id = depot.buy(depot.cart("a")).await;
    let request = ListAssignmentsRequest {
        location_code: "north".into(),
        state: S::Offered.into(),
        ..Default::default()
    };
    let list = |who, request| {
        let mut client = depot.world.fulfilment(who);
        async move { client.list_assignments(request).await.map_err(fault) }
    };
    assert_eq!(list(1, request.clone()).await.unwrap().into_inner().assignments.len(), 1);
    let south = ListAssignmentsRequest { location_code: "south".into(), ..Default::default() };
    assert_eq!(list(1, south).await.unwrap().into_inner().assignments, []);
    let all = ListAssignmentsRequest::default();
    assert_eq!(list(2, all).await.unwrap().into_inner().assignments, []);
    let theirs = AcceptAssignmentRequest {
        request_id: "a".into(),
        order_id: id.clone(),
        ..Default::default()
    };
    let refused = fault(depot.world.fulfilment(2).accept_assignment(theirs).await.unwrap_err());
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(reason(depot.accept("a", &id, (9, "north"), &[]).await), "NOT_FOUND");
}
