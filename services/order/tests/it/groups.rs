//! Group-buys: seats, completion, failure, and what follows for the orders.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::order::v1::{place_order_request::Activity, *};
use siyu_testkit::told;

use crate::market::{Market, days, reason};

pub(crate) fn activity(code: &str, size: i32) -> GroupActivity {
    let (valid_time_from, valid_time_to) = days();
    GroupActivity {
        code: code.into(),
        name: "together".into(),
        sku: "dress-m".into(),
        unit_minor: 15_000,
        size,
        life_hours: 1,
        valid_time_from,
        valid_time_to,
        ..GroupActivity::default()
    }
}

pub(crate) async fn save(market: &Market, activities: &[GroupActivity]) {
    let request = UpsertGroupActivitiesRequest { activities: activities.to_vec() };
    market.world.groups(1).upsert_group_activities(request).await.unwrap();
}

fn seat(code: &str, group_id: &str) -> Activity {
    Activity::GroupBuy(GroupBuySeat { activity_code: code.into(), group_id: group_id.into() })
}

impl Market {
    pub(crate) fn opens(&self, n: usize, code: &str, minor: i64) -> PlaceOrderRequest {
        self.paying(n, self.cart_of(n, "dress-m", seat(code, "")), minor)
    }

    pub(crate) fn joins(&self, n: usize, group: &Group, minor: i64) -> PlaceOrderRequest {
        let code = &group.activity.as_ref().unwrap().code;
        self.paying(n, self.cart_of(n, "dress-m", seat(code, &group.id)), minor)
    }

    pub(crate) async fn groups(&self, code: &str) -> Vec<Group> {
        let request = ListGroupsRequest { activity_code: code.into(), ..Default::default() };
        self.world.groups(1).list_groups(request).await.unwrap().into_inner().groups
    }

    pub(crate) async fn group(&self, id: &str) -> Group {
        let request = GetGroupRequest { group_id: id.into() };
        self.world.groups(1).get_group(request).await.unwrap().into_inner().group.unwrap()
    }
}

#[tokio::test]
async fn a_group_forms_when_its_last_seat_is_paid_and_only_then_the_orders_go_on() {
    let market = Market::new(3).await;
    save(&market, &[GroupActivity { opener_off_minor: 1_000, ..activity("g", 3) }]).await;
    let opened = market.order(market.opens(1, "g", 14_000)).await.unwrap();
    assert_eq!(
        (opened.state(), opened.paid.as_ref().unwrap().minor_units),
        (OrderState::GroupPending, 14_000)
    );
    let group = market.groups("g").await.remove(0);
    assert_eq!((group.state(), group.taken, group.paid), (GroupState::Open, 1, 1));
    let second = market.order(market.joins(2, &group, 15_000)).await.unwrap();
    market.work().await;
    assert_eq!(market.state(&second.id).await, OrderState::GroupPending);
    assert_eq!(market.world.told().await, [], "an order that may be given back is no sale");
    let third = market.order(market.joins(3, &group, 15_000)).await.unwrap();
    let formed = market.group(&group.id).await;
    assert_eq!((formed.state(), formed.simulated), (GroupState::Formed, false));
    market.work().await;
    for order in [&opened, &second, &third] {
        assert_eq!(market.state(&order.id).await, OrderState::Paid);
        assert_eq!(market.events(&order.id).await, ["placed", "group_joined", "group_formed"]);
    }
    let kinds: Vec<_> = market.world.told().await.iter().map(|told| told.brief().0).collect();
    assert_eq!(kinds, ["paid"; 3]);
    let events = told(market.world.app.log()).await;
    let formed: Vec<GroupFormed> =
        events.iter().filter_map(|event| event.decode::<GroupFormed>().unwrap()).collect();
    let seats = &formed[0].group.as_ref().unwrap().seats;
    let openers: Vec<bool> = seats.iter().map(|seat| seat.opener).collect();
    assert_eq!((formed.len(), openers), (1, vec![true, false, false]));

    // Success is frozen: the deadline has nothing to say any more.
    market.world.clock.advance(TimeDelta::hours(2));
    market.work().await;
    assert_eq!(market.group(&group.id).await.state(), GroupState::Formed);
    assert_eq!(market.state(&opened.id).await, OrderState::Paid);
}

#[tokio::test]
async fn a_group_that_is_not_complete_in_time_gives_everybody_the_order_back() {
    use GroupSeatState::{Refunded, Released};
    let market = Market::new(3).await;
    save(&market, &[activity("g", 3)]).await;
    let first = market.order(market.opens(1, "g", 15_000)).await.unwrap();
    let group = market.groups("g").await.remove(0);
    let second = market.order(market.joins(2, &group, 15_000)).await.unwrap();
    let unpaid = market.cart_of(3, "dress-m", seat("g", &group.id));
    let third = market.order(unpaid).await.unwrap();
    assert_eq!(market.group(&group.id).await.taken, 3);
    market.world.clock.advance(TimeDelta::hours(1));
    market.work().await;
    let failed = market.group(&group.id).await;
    assert_eq!((failed.state(), failed.paid, failed.taken), (GroupState::Failed, 2, 2));
    for order in [&first, &second] {
        assert_eq!(market.state(&order.id).await, OrderState::Refunded);
    }
    assert_eq!(market.state(&third.id).await, OrderState::Cancelled);
    let seats: Vec<_> = failed.seats.iter().map(GroupSeat::state).collect();
    assert_eq!(seats, [Refunded, Refunded, Released]);
    assert_eq!(market.world.told().await, [], "what never was a sale is not told as one");
    let refused = market.order(market.joins(3, &group, 15_000)).await;
    assert_eq!(reason(refused), "GROUP_OVER");
    // Everybody is free to try again.
    let again = PlaceOrderRequest { request_id: "again".into(), ..market.opens(1, "g", 15_000) };
    assert_eq!(market.order(again).await.unwrap().state(), OrderState::GroupPending);
}

#[tokio::test]
async fn a_merchant_may_count_a_group_as_complete_and_it_says_so() {
    let market = Market::new(1).await;
    save(&market, &[GroupActivity { simulates: true, ..activity("g", 3) }]).await;
    let order = market.order(market.opens(1, "g", 15_000)).await.unwrap();
    market.world.clock.advance(TimeDelta::hours(1));
    market.work().await;
    let group = market.groups("g").await.remove(0);
    assert_eq!((group.state(), group.simulated, group.paid), (GroupState::Formed, true, 1));
    assert_eq!(market.state(&order.id).await, OrderState::Paid);
    let events = told(market.world.app.log()).await;
    let formed = events.iter().find_map(|event| event.decode::<GroupFormed>().unwrap()).unwrap();
    assert!(formed.group.unwrap().simulated);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_join_at_once_a_group_has_as_many_seats_as_its_size() {
    let market = Market::new(41).await;
    save(&market, &[activity("g", 5)]).await;
    market.order(market.opens(1, "g", 15_000)).await.unwrap();
    let group = market.groups("g").await.remove(0);
    let joins = (2..=41).map(|n| market.order(market.joins(n, &group, 15_000)));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(joins).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (4, 36));
    for refused in lost {
        assert_eq!(reason(refused), "GROUP_FULL");
    }
    market.work().await;
    let formed = market.group(&group.id).await;
    assert_eq!((formed.state(), formed.paid, formed.seats.len()), (GroupState::Formed, 5, 5));
    assert_eq!(market.world.count("select count(*) from orders where state = 'paid'").await, 5);
    assert_eq!(market.world.count("select count(*) from orders").await, 5);
}

#[tokio::test]
async fn a_seat_that_is_not_paid_is_free_again_and_a_group_without_its_opener_is_none() {
    let market = Market::new(3).await;
    save(&market, &[activity("g", 2)]).await;
    let unpaid = market.order(market.cart_of(1, "dress-m", seat("g", ""))).await.unwrap();
    let pending = market.groups("g").await.remove(0);
    assert_eq!((pending.state(), pending.deadline_time), (GroupState::Pending, None));
    assert_eq!(reason(market.order(market.joins(2, &pending, 15_000)).await), "GROUP_OVER");
    market.cancel(&unpaid.id).await.unwrap();
    assert_eq!(market.group(&pending.id).await.state(), GroupState::Cancelled);

    let opens = PlaceOrderRequest { request_id: "b".into(), ..market.opens(1, "g", 15_000) };
    market.order(opens).await.unwrap();
    let group = market.groups("g").await.remove(0);
    let waits = market.order(market.cart_of(2, "dress-m", seat("g", &group.id))).await.unwrap();
    assert_eq!(reason(market.order(market.joins(3, &group, 15_000)).await), "GROUP_FULL");
    market.cancel(&waits.id).await.unwrap();
    let joined = market.order(market.joins(3, &group, 15_000)).await.unwrap();
    market.work().await;
    assert_eq!(market.state(&joined.id).await, OrderState::Paid);
}

#[tokio::test]
async fn who_may_open_and_join_is_bounded() {
    let market = Market::new(3).await;
    let new_only = GroupActivity { joiners_new_only: true, per_person: 1, ..activity("g", 3) };
    let paused = GroupActivity { paused: true, ..activity("off", 2) };
    save(&market, &[new_only, paused]).await;
    assert_eq!(reason(market.order(market.opens(1, "off", 15_000)).await), "ACTIVITY_CLOSED");
    assert_eq!(reason(market.order(market.opens(1, "none", 15_000)).await), "NOT_FOUND");
    let opens = market.opens(1, "g", 15_000);
    let order = market.order(opens.clone()).await.unwrap();
    assert_eq!(market.order(opens.clone()).await.unwrap().id, order.id, "a repeat");
    let more = PlaceOrderRequest { request_id: "more".into(), ..opens };
    assert_eq!(reason(market.order(more).await), "ACTIVITY_LIMIT_REACHED");
    let group = market.groups("g").await.remove(0);
    // The second person has bought before.
    let before = PlaceOrderRequest {
        person_id: market.person(2).into(),
        lines: vec![CartLine { sku: "scarf".into(), quantity: 1 }],
        ..market.cart("before")
    };
    market.order(market.paying(2, before, 5_000)).await.unwrap();
    let refused = market.order(market.joins(2, &group, 15_000)).await;
    assert_eq!(reason(refused), "GROUP_FOR_NEW_CUSTOMERS");
    let two = CartLine { sku: "dress-m".into(), quantity: 2 };
    let many = PlaceOrderRequest { lines: vec![two], ..market.joins(3, &group, 15_000) };
    let refused = market.order(many).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "lines[0].quantity");
    let other = CartLine { sku: "scarf".into(), quantity: 1 };
    let scarf = PlaceOrderRequest { lines: vec![other], ..market.joins(3, &group, 15_000) };
    assert_eq!(market.order(scarf).await.unwrap_err().violations()[0].field, "lines[0].sku");
    let request = GetGroupRequest { group_id: group.id };
    let refused = market.world.groups(2).get_group(request).await.map_err(fault).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn one_person_is_in_one_group_of_an_activity_at_a_time() {
    let market = Market::new(2).await;
    save(&market, &[activity("g", 3)]).await;
    market.order(market.opens(1, "g", 15_000)).await.unwrap();
    let second = PlaceOrderRequest { request_id: "second".into(), ..market.opens(1, "g", 15_000) };
    assert_eq!(reason(market.order(second).await), "GROUP_ALREADY_JOINED");
    let group = market.groups("g").await.remove(0);
    assert_eq!(reason(market.order(market.joins(1, &group, 15_000)).await), "GROUP_ALREADY_JOINED");
    assert_eq!(market.group(&group.id).await.taken, 1);
}

#[tokio::test]
async fn a_payment_that_comes_when_the_group_has_failed_goes_back() {
    use GroupSeatState::{Refunded, Released};
    let market = Market::new(2).await;
    save(&market, &[activity("g", 3)]).await;
    market.order(market.opens(1, "g", 15_000)).await.unwrap();
    let group = market.groups("g").await.remove(0);
    market.world.clock.advance(TimeDelta::minutes(50));
    // The member service holds, and nobody hears of it until the group is over.
    market.world.member.lose_answers(10);
    market.order(market.joins(2, &group, 15_000)).await.unwrap_err();
    market.world.member.lose_answers(0);
    market.world.clock.advance(TimeDelta::minutes(10));
    market.work().await;
    let failed = market.group(&group.id).await;
    assert_eq!(failed.state(), GroupState::Failed);
    let late = failed.seats[1].state();
    assert!([Refunded, Released].contains(&late), "{late:?}");
    let states = "select count(*) from orders where state in ('refunded', 'cancelled')";
    assert_eq!(market.world.count(states).await, 2);
}
