//! Which stores are asked by where they stand and when they are open.

use AssignmentState as S;
use chrono::TimeDelta;
use siyu_kernel::Code;
use siyu_proto::{
    member::v1::{OpeningException, OpeningHours, Store},
    order::v1::*,
    r#type::v1::GeoPoint,
};
use siyu_testkit::merchant;

use crate::{
    buyers::Members,
    depot::{Depot, site},
    member::daily,
    world::NOW,
};

/// Eight in the morning in Shanghai, in minutes before the shops open at ten.
const TO_TEN: i64 = 120;

const fn point(latitude_e6: i32, longitude_e6: i32) -> GeoPoint {
    GeoPoint { latitude_e6: Some(latitude_e6), longitude_e6: Some(longitude_e6) }
}

/// A point so many metres north of the door of the buyer: nine of a million degrees are one.
const fn north_of_door(metres: i32) -> GeoPoint {
    point(31_230_400 + metres * 9, 121_473_700)
}

impl Depot {
    fn store(&self, name: &str, how: impl FnOnce(&mut Store)) {
        self.world.member.change(merchant(1), name, how);
    }

    fn stands(&self, name: &str, point: GeoPoint) {
        self.store(name, |store| store.point = Some(point));
    }

    fn opens(&self, name: &str, hours: OpeningHours) {
        self.store(name, |store| store.hours = Some(hours));
    }

    /// Until nobody remembers what stores were like before.
    fn wait(&self) {
        self.world.clock.advance(TimeDelta::seconds(10));
    }

    /// Buys something that goes to the door; gives the order.
    async fn buy_home(&self, key: &str, method: DeliveryMethod) -> String {
        let cart = self.cart_by(key, method, "");
        self.buy(PlaceOrderRequest { destination: Some(north_of_door(0)), ..cart }).await
    }

    /// The stores that are asked for the last part of an order, in their order, by name.
    async fn asked(&self, names: &[&str], order_id: &str) -> Vec<String> {
        let part = self.parts(order_id).await.pop().unwrap();
        let ids = std::iter::once(&part.store_id).chain(&part.candidate_store_ids);
        let of = |id: &String| self.stores.iter().position(|store| store == id);
        ids.filter_map(of).map(|n| names[n].to_owned()).collect()
    }

    /// How the first part stands, and in how many minutes after the instant of the clock its offer ends.
    async fn offer(&self, order_id: &str) -> (S, String, Option<i64>) {
        let part = self.parts(order_id).await.remove(0);
        let ends = part.expire_time.map(|at| (at.seconds - NOW) / 60);
        (part.state(), part.store_id.clone(), ends)
    }
}

fn hours(open: i32, close: i32) -> OpeningHours {
    OpeningHours { weekly: daily(open * 60, close * 60), exceptions: Vec::new() }
}

#[tokio::test]
async fn a_courier_starts_from_the_nearest_store_that_reaches_the_buyer() {
    let names = ["a", "b", "c", "d"];
    let depot = Depot::new(&names).await;
    depot.stands("a", north_of_door(4_000));
    depot.stands("b", north_of_door(-2_000));
    depot.stands("c", north_of_door(1_000));
    let reaches = |name, radius_m| FulfilmentSite { radius_m, ..site(name) };
    depot.sites(&[reaches("b", 2_100), reaches("c", 900)]).await.unwrap();
    depot.wait();
    let id = depot.buy_home("x", DeliveryMethod::Local).await;
    // The nearest is out of its own reach, and of one nobody knows where it stands.
    assert_eq!(depot.asked(&names, &id).await, ["b", "a"]);
    // Who knows the way of the courier knows better than the points.
    let way = |code: &str, distance_m| SiteDistance { location_code: code.into(), distance_m };
    let request = RouteOrderRequest {
        request_id: "r".into(),
        order_id: id.clone(),
        distances: vec![way("b", 2_200), way("c", 850), way("d", 9_000)],
    };
    depot.world.fulfilment(1).route_order(request).await.unwrap();
    assert_eq!(depot.asked(&names, &id).await, ["c", "a", "d"]);
    // Its buyer chose a store: what it weighs beside the way is its own.
    let cart = depot.cart_by("own", DeliveryMethod::Local, "a");
    let cart = PlaceOrderRequest { destination: Some(north_of_door(0)), ..cart };
    let own = depot.buy(cart).await;
    assert_eq!(depot.asked(&names, &own).await, ["b", "a"], "2000 metres and another store");
}

#[tokio::test]
async fn a_parcel_starts_near_its_buyer_and_never_from_a_store_that_might_not_reach_him() {
    let names = ["a", "b", "c"];
    let depot = Depot::new(&names).await;
    depot.stands("b", north_of_door(30_000));
    depot.stands("c", north_of_door(5_000));
    depot.wait();
    let id = depot.buy_home("x", DeliveryMethod::Parcel).await;
    // Nobody knows where "a" stands: it counts as far as "b", and has the smaller id.
    assert_eq!(depot.asked(&names, &id).await, ["c", "a", "b"]);
    let unknown = depot.buy(depot.cart("y")).await;
    assert_eq!(depot.asked(&names, &unknown).await, ["a", "b", "c"], "by what they have to do");
    depot.sites(&[FulfilmentSite { radius_m: 900_000, ..site("a") }]).await.unwrap();
    let id = depot.buy_home("z", DeliveryMethod::Parcel).await;
    assert_eq!(depot.asked(&names, &id).await, ["c", "b"]);
    let unknown = depot.buy(depot.cart("w")).await;
    assert_eq!(depot.asked(&names, &unknown).await, ["b", "c"]);
}

#[tokio::test]
async fn a_store_that_opens_before_the_promise_is_asked_and_has_its_time_from_then_on() {
    let depot = Depot::new(&["north", "south"]).await;
    depot.opens("north", hours(10, 22));
    let closed = |day: &str| OpeningException { day: day.into(), spans: Vec::new() };
    let holidays = vec![closed("2024-06-01"), closed("2024-06-02")];
    depot.opens("south", OpeningHours { exceptions: holidays, ..hours(10, 22) });
    depot.wait();
    let id = depot.buy(depot.cart("a")).await;
    let north = depot.stores[0].clone();
    assert_eq!(depot.offer(&id).await, (S::Offered, north.clone(), Some(TO_TEN + 10)));
    assert_eq!(depot.asked(&["north", "south"], &id).await, ["north"], "on a holiday until monday");
    depot.world.clock.advance(TimeDelta::minutes(TO_TEN + 9));
    depot.work().await;
    assert_eq!(depot.offer(&id).await.0, S::Offered);
    depot.world.clock.advance(TimeDelta::minutes(1));
    depot.work().await;
    assert_eq!(depot.offer(&id).await.0, S::Headquarters);

    // Open already: from now on. On the day before the holiday nobody is closed for it.
    let open = depot.buy(depot.cart("b")).await;
    assert_eq!(depot.offer(&open).await, (S::Offered, north, Some(TO_TEN + 20)));
    // A longer promise reaches the monday, and a short one no door that is shut.
    let promise = |promise_hours| FulfilmentPolicy { promise_hours, ..Default::default() };
    assert_eq!(depot.policy(promise(0)).await.promise_hours, 24);
    depot.policy(promise(72)).await;
    let later = depot.buy(depot.cart("c")).await;
    assert_eq!(depot.asked(&["north", "south"], &later).await, ["south", "north"]);
    assert_eq!(depot.offer(&later).await.2, Some(TO_TEN + 10 + 2 * 1_440));
    depot.policy(promise(1)).await;
    depot.world.clock.advance(TimeDelta::hours(12));
    let night = depot.buy(depot.cart("d")).await;
    assert_eq!(depot.offer(&night).await.0, S::Headquarters);
}

#[tokio::test]
async fn a_store_is_open_by_its_own_clock_and_one_that_is_shut_hands_nothing_over() {
    let depot = Depot::new(&["bund", "broadway"]).await;
    depot.opens("bund", hours(10, 22));
    // Eight in the evening in New York.
    depot.opens("broadway", hours(10, 22));
    depot.store("broadway", |store| store.zone = "America/New_York".into());
    depot.policy(FulfilmentPolicy { promise_hours: 1, ..Default::default() }).await;
    depot.wait();
    let id = depot.buy(depot.cart("a")).await;
    assert_eq!(depot.asked(&["bund", "broadway"], &id).await, ["broadway"]);
    let fetched = depot.cart_by("b", DeliveryMethod::PickUp, "bund");
    let fetched = depot.buy(PlaceOrderRequest { destination: Some(point(0, 0)), ..fetched }).await;
    assert_eq!(depot.offer(&fetched).await.0, S::Headquarters, "shut");
    let fetched = depot.cart_by("c", DeliveryMethod::PickUp, "broadway");
    let fetched = depot.buy(PlaceOrderRequest { destination: Some(point(0, 0)), ..fetched }).await;
    assert_eq!(depot.asked(&["bund", "broadway"], &fetched).await, ["broadway"], "its buyer comes");
}

#[tokio::test]
async fn an_order_waits_to_be_routed_while_nobody_knows_the_hours() {
    let depot = Depot::new(&["north"]).await;
    let placed = depot.place(depot.cart("a")).await.unwrap().order.unwrap().id;
    let payment = depot.start("a", &placed).await.unwrap();
    depot.wait();
    depot.world.member.fail(1_000);
    depot.pay(&payment).await;
    depot.work().await;
    assert_eq!(
        (depot.state(&placed).await, depot.parts(&placed).await),
        (OrderState::Paid, vec![])
    );
    depot.world.member.fail(0);
    depot.work().await;
    assert_eq!(depot.parts(&placed).await, [], "it was put off");
    depot.wait();
    depot.work().await;
    assert_eq!(depot.asked(&["north"], &placed).await, ["north"]);
}

#[tokio::test]
async fn where_the_goods_go_is_a_point_on_the_earth_and_forgotten_with_its_buyer() {
    let depot = Depot::new(&[]).await;
    let cart = |key: &str, at| PlaceOrderRequest { destination: Some(at), ..depot.cart(key) };
    let half = GeoPoint { latitude_e6: Some(1), longitude_e6: None };
    for (at, field) in [
        (half, "destination.longitude_e6"),
        (point(90_000_001, 0), "destination.latitude_e6"),
        (point(0, -180_000_001), "destination.longitude_e6"),
    ] {
        let refused = depot.place(cart("x", at)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(refused.violations()[0].field, field);
    }
    depot.buy(cart("none", GeoPoint::default())).await;
    depot.buy(cart("equator", point(0, 0))).await;
    let kept = "select count(*) from checkouts where latitude_e6 is not null";
    assert_eq!(depot.world.count(kept).await, 1);
    Members::new(&depot.world).await.erased(&depot.world, &depot.person, &[]).await;
    assert_eq!(depot.world.count(kept).await, 0);
}
