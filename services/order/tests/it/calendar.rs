//! The turn of the year in Shanghai, and clocks that are a day off: times end when the merchant's calendar says, and a clock
//! that jumps ends nothing twice.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_proto::order::v1::*;

use crate::{
    checkouts::Buyer,
    coupons::{claim, off, save},
};

fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

fn payable(reply: &PlaceOrderResponse) -> i64 {
    reply.checkout.as_ref().unwrap().payable.as_ref().unwrap().minor_units
}

#[tokio::test]
async fn a_coupon_of_one_day_ends_at_the_midnight_that_begins_the_year_in_shanghai() {
    let buyer = Buyer::new().await;
    let mut day = off("day", 1_000);
    day.validity = Some(coupon_template::Validity::Relative(RelativeValidity {
        start_after_days: 0,
        days: 1,
    }));
    save(&buyer.world, &[day]).await.unwrap();
    // Half past eleven at night on the last day of the year; in UTC it is still afternoon.
    buyer.world.clock.set(at("2024-12-31T15:30:00Z"));
    let coupon = claim(&buyer.world, "c", "day", &buyer.person).await.unwrap();
    assert_eq!(coupon.valid_time_to.unwrap().seconds, at("2024-12-31T16:00:00Z").timestamp());

    buyer.world.clock.set(at("2024-12-31T15:59:59Z"));
    let with = buyer.place(buyer.cart("a")).await.unwrap();
    assert_eq!(payable(&with), 29_000);
    // It was ordered in time, and paid for in the new year: the price stands.
    buyer.world.clock.set(at("2024-12-31T16:10:00Z"));
    buyer.work().await;
    let id = with.order.unwrap().id;
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Created);
    assert!(buyer.checkout(&id).await.price_confirmed);
    buyer.cancel(&id).await.unwrap();
    // It comes back as what it is by now: over.
    let without = buyer.place(buyer.cart("b")).await.unwrap();
    assert_eq!(payable(&without), 30_000);
    buyer.books().await;
}

#[tokio::test]
async fn an_order_of_the_old_year_ends_in_the_new_one_to_the_second() {
    let buyer = Buyer::with_sandbox().await;
    buyer.world.clock.set(at("2024-12-31T15:50:00Z"));
    let left = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    let begun = buyer.place(buyer.cart("b")).await.unwrap().order.unwrap();
    buyer.start("p", &begun.id).await.unwrap();
    let state = async |id: &str| buyer.world.get(1, id).await.unwrap().state();
    buyer.world.clock.set(at("2024-12-31T16:04:59Z"));
    buyer.work().await;
    assert_eq!(state(&left.id).await, OrderState::Created);
    assert_eq!(state(&begun.id).await, OrderState::Created);
    buyer.world.clock.set(at("2024-12-31T16:05:00Z"));
    buyer.work().await;
    assert_eq!(state(&left.id).await, OrderState::Cancelled);
    assert_eq!(state(&begun.id).await, OrderState::Cancelled, "the company has closed it");
    assert_eq!((buyer.pieces("dress-m").await, buyer.pieces("scarf").await), ((100, 0), (100, 0)));
    buyer.books().await;
}

#[tokio::test]
async fn a_clock_that_is_a_day_behind_ends_nothing_and_one_that_is_ahead_ends_it_once() {
    let buyer = Buyer::with_sandbox().await;
    let noon = at("2024-06-01T04:00:00Z");
    buyer.world.clock.set(noon);
    let open = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    let paid = buyer.buy(buyer.cart("b")).await;
    let state = async |id: &str| buyer.world.get(1, id).await.unwrap().state();
    buyer.world.clock.set(noon - TimeDelta::days(1));
    buyer.work().await;
    assert_eq!(state(&open.id).await, OrderState::Created);
    // What is asked for while the clock is behind has its effect all the same.
    let part = buyer.refund("r", &paid, crate::refunds::pieces(2, 1)).await.unwrap();
    buyer.work().await;
    assert_eq!(buyer.look(&part).await.state(), RefundState::Succeeded);

    for jump in [TimeDelta::days(1), TimeDelta::zero(), TimeDelta::days(1)] {
        buyer.world.clock.set(noon + jump);
        buyer.work().await;
        assert_eq!(state(&open.id).await, OrderState::Cancelled);
        assert_eq!(state(&paid).await, OrderState::Paid);
    }
    assert_eq!(buyer.events(&open.id).await, ["placed", "cancelled"]);
    let released = "select count(*) from stock_movements where cause = 'released'";
    assert_eq!(buyer.world.count(released).await, 3, "two lines of the one, a piece of the other");
    buyer.books().await;
}
