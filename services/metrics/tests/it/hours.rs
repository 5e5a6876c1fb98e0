//! Orders outside the opening hours of their store.

use chrono::TimeDelta;
use siyu_kernel::kind;
use siyu_proto::{
    member::v1::{OpeningException, OpeningHours, OpeningSpan, Store, StoreChanged},
    order::v1::OrderFacts,
};
use siyu_testkit::{id, merchant};

use crate::world::{World, day, noon, sale, stamp};

fn store_id(n: u32) -> String {
    id::<kind::Store>(n).to_string()
}

/// Tells the hours of a store, and lets the service handle it.
async fn opens(world: &World, n: u32, zone: &str, hours: OpeningHours) {
    let (id, zone) = (store_id(n), zone.to_owned());
    let store = Store { id: id.clone(), zone, hours: Some(hours), ..Default::default() };
    let fact = StoreChanged { store: Some(store) };
    world.siblings["member"].tell(merchant(1), &id, noon(0), &fact).await;
    world.deliver("member").await;
}

/// Every day from one minute to another.
fn daily(open_minute: i32, close_minute: i32) -> OpeningHours {
    let span = |weekday| OpeningSpan { weekday, open_minute, close_minute };
    OpeningHours { weekly: (1..=7).map(span).collect(), exceptions: Vec::new() }
}

/// An order at a store, so many hours after noon in Shanghai of a day.
fn at(n: u32, store: u32, day: i64, hours: i64) -> OrderFacts {
    let store_id = if store == 0 { String::new() } else { store_id(store) };
    let pay_time = Some(stamp(noon(day) + TimeDelta::hours(hours)));
    OrderFacts { store_id, pay_time, ..sale(n, n, day, 100) }
}

async fn off_hours(world: &World) -> (i64, i64) {
    let shown = world.own.get_sales(1, "", "").await.unwrap();
    (shown.off_hours_orders, shown.off_hours_gmv_minor)
}

#[tokio::test]
async fn an_order_is_off_hours_by_the_clock_of_its_own_store() {
    let world = World::new().await;
    opens(&world, 1, "Asia/Shanghai", daily(600, 1_320)).await;
    opens(&world, 2, "America/New_York", daily(600, 1_320)).await;
    // Noon in Shanghai is 23:00 in New York.
    world.sell(1, &[at(1, 1, 0, 0), at(2, 2, 0, 0), at(3, 1, 0, 10), at(4, 1, 0, -2)]).await;
    assert_eq!(off_hours(&world).await, (2, 200));
}

#[tokio::test]
async fn an_order_without_a_store_or_of_an_unknown_one_keeps_the_usual_hours() {
    let world = World::new().await;
    world.sell(1, &[at(1, 0, 0, 0), at(2, 0, 0, 10), at(3, 9, 0, 10), at(4, 9, 0, 9)]).await;
    assert_eq!(off_hours(&world).await, (2, 200));
}

#[tokio::test]
async fn new_hours_of_a_store_are_applied_to_what_it_sold_before() {
    let world = World::new().await;
    opens(&world, 1, "Asia/Shanghai", daily(600, 1_320)).await;
    world.sell(1, &[at(1, 1, 0, 11), at(2, 1, 40, 11), at(3, 2, 40, 11)]).await;
    assert_eq!(off_hours(&world).await, (3, 300));
    // A bar: open until two in the morning.
    opens(&world, 1, "Asia/Shanghai", daily(1_080, 1_560)).await;
    assert_eq!(off_hours(&world).await, (1, 100));
    let holiday = OpeningException { day: day(40), spans: Vec::new() };
    let closed = OpeningHours { exceptions: vec![holiday], ..daily(1_080, 1_560) };
    opens(&world, 1, "Asia/Shanghai", closed).await;
    assert_eq!(off_hours(&world).await, (2, 200));
    assert!(world.own.rebuild(1).await.equal);
    // The same hours told again change nothing that is shown.
    let before = world.own.total().await;
    world.consumers["member"].reset(0).await.unwrap();
    world.deliver("member").await;
    assert_eq!((world.own.total().await, off_hours(&world).await), (before, (2, 200)));
}
