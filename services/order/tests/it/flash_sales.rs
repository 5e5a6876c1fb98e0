//! Flash sales: a price for a short time, so many pieces for each, little time to pay.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_proto::order::v1::{place_order_request::Activity, *};

use crate::market::{Market, days, reason};

async fn sale(market: &Market, pay_minutes: i32) {
    let (valid_time_from, valid_time_to) = days();
    let sale = FlashSale {
        code: "noon".into(),
        name: "at noon".into(),
        sku: "dress-m".into(),
        unit_minor: 9_900,
        per_person: 2,
        pay_minutes,
        valid_time_from,
        valid_time_to,
        paused: false,
    };
    let request = UpsertFlashSalesRequest { sales: vec![sale] };
    market.world.flash_sales(1).upsert_flash_sales(request).await.unwrap();
}

fn entry() -> Activity {
    Activity::FlashSale(FlashSaleEntry { sale_code: "noon".into() })
}

#[tokio::test]
async fn an_order_of_a_sale_has_its_price_its_stock_and_its_time_to_pay() {
    let market = Market::new(1).await;
    sale(&market, 0).await;
    let reply = market.place(market.cart_of(1, "dress-m", entry())).await.unwrap();
    let (order, checkout) = (reply.order.unwrap(), reply.checkout.unwrap());
    assert_eq!(order.paid.unwrap().minor_units, 9_900);
    let waits = checkout.pay_deadline_time.unwrap().seconds - order.create_time.unwrap().seconds;
    assert_eq!(waits, 5 * 60);
    assert!(market.checkout(&order.id).await.price_confirmed);
    let channel = "select count(*) from activity_orders where stock_channel = 'flash:noon'";
    assert_eq!(market.world.count(channel).await, 1);
    market.world.clock.advance(TimeDelta::minutes(5));
    market.work().await;
    assert_eq!(market.state(&order.id).await, OrderState::Cancelled);
    market.world.clock.advance(TimeDelta::days(2));
    let late =
        PlaceOrderRequest { request_id: "late".into(), ..market.cart_of(1, "dress-m", entry()) };
    assert_eq!(reason(market.order(late).await), "ACTIVITY_CLOSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_gets_as_many_pieces_as_the_sale_allows_whatever_is_tried_at_once() {
    let market = Market::new(1).await;
    sale(&market, 5).await;
    let cart = |n: i32| PlaceOrderRequest {
        request_id: format!("{n}"),
        ..market.cart_of(1, "dress-m", entry())
    };
    let replies = join_all((0..24).map(|n| market.order(cart(n)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (2, 22));
    for refused in lost {
        assert_eq!(reason(refused), "ACTIVITY_LIMIT_REACHED");
    }
    // What ends unpaid is given back, once.
    let first = won.into_iter().next().unwrap().unwrap();
    for _ in 0..2 {
        market.cancel(&first.id).await.unwrap();
    }
    assert_eq!(market.world.count("select taken from activity_counts").await, 1);
    market.order(cart(99)).await.unwrap();
    assert_eq!(reason(market.order(cart(100)).await), "ACTIVITY_LIMIT_REACHED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_once_is_one_order_though_the_limit_is_reached() {
    let market = Market::new(1).await;
    sale(&market, 5).await;
    let two = CartLine { sku: "dress-m".into(), quantity: 2 };
    let cart = PlaceOrderRequest { lines: vec![two], ..market.cart_of(1, "dress-m", entry()) };
    let replies = join_all((0..24).map(|_| market.order(cart.clone()))).await;
    let ids: std::collections::BTreeSet<String> =
        replies.into_iter().map(|reply| reply.unwrap().id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(market.world.count("select taken from activity_counts").await, 2);
}

#[tokio::test]
async fn who_comes_too_late_is_told_so_before_anybody_else_is_asked() {
    let market = Market::new(1).await;
    sale(&market, 5).await;
    let calls = market.world.member.calls();
    let many = CartLine { sku: "dress-m".into(), quantity: 101 };
    let cart = PlaceOrderRequest { lines: vec![many], ..market.cart_of(1, "dress-m", entry()) };
    assert_eq!(reason(market.order(cart).await), "STOCK_SHORT");
    assert_eq!(market.world.member.calls(), calls);
    // Who is nobody, or cannot be asked about, reserves nothing.
    let stranger: siyu_kernel::Id<siyu_kernel::kind::Person> = siyu_testkit::id(77);
    let cart = market.cart_of(1, "dress-m", entry());
    let nobody = PlaceOrderRequest { person_id: stranger.to_string(), ..cart.clone() };
    assert_eq!(reason(market.order(nobody).await), "NOT_FOUND");
    market.world.member.fail(1);
    assert!(market.order(cart.clone()).await.is_err());
    assert_eq!(
        market.world.count("select count(*) from stock_movements where cause = 'reserved'").await,
        0
    );
    market.order(cart).await.unwrap();
}
