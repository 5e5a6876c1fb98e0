//! Flash sales under a rush: pieces are reserved for many orders at once, before the orders are stored.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::{
    future::join_all,
    stream::{self, StreamExt as _},
};
use sha2::{Digest, Sha256};
use siyu_kernel::Id;
use siyu_order::stock::{self, Demand, Key, Request};
use siyu_proto::order::v1::{place_order_request::Activity, *};
use siyu_testkit::{SeededIds, id, merchant};

use crate::{
    market::{Market, days, reason},
    stock::sound,
};

/// A sale of dresses, of which so many pieces are set aside.
async fn sale(market: &Market, pieces: i64, per_person: i64) {
    let (valid_time_from, valid_time_to) = days();
    let sale = FlashSale {
        code: "noon".into(),
        name: "at noon".into(),
        sku: "dress-m".into(),
        unit_minor: 9_900,
        per_person,
        pay_minutes: 5,
        valid_time_from,
        valid_time_to,
        paused: false,
    };
    let request = UpsertFlashSalesRequest { sales: vec![sale] };
    market.world.flash_sales(1).upsert_flash_sales(request).await.unwrap();
    let bucket = StockBucket { channel: "flash:noon".into(), quantity: pieces };
    let request = SetBucketsRequest {
        request_id: "buckets".into(),
        sku: "dress-m".into(),
        location: "main".into(),
        buckets: vec![bucket],
    };
    market.world.stocks(1).set_buckets(request).await.unwrap();
}

fn entry() -> Activity {
    Activity::FlashSale(FlashSaleEntry { sale_code: "noon".into() })
}

/// Pieces of the sale that nobody has reserved.
async fn left(market: &Market) -> i64 {
    let sql = "select (buckets ->> 'flash:noon')::bigint from stocks where sku = 'dress-m'";
    market.world.count(sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_buyers_of_fifty_pieces_get_exactly_fifty() {
    let market = Market::new(1_000).await;
    sale(&market, 50, 1).await;
    let buy = |n: usize| market.order(market.cart_of(n, "dress-m", entry()));
    let replies: Vec<_> = stream::iter((1..=1_000).map(buy)).buffer_unordered(40).collect().await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    let reasons: BTreeSet<_> = lost.into_iter().map(reason).collect();
    assert_eq!((won.len(), reasons), (50, BTreeSet::from(["STOCK_SHORT"])));
    assert_eq!(market.pieces("dress-m").await, (100, 50));
    assert_eq!(left(&market).await, 0);
    assert_eq!(market.world.count("select count(*) from stock_reservations").await, 50);
    assert_eq!(market.world.count("select sum(taken)::bigint from activity_counts").await, 50);
    sound(&market.world).await;
    // Those who do not pay give their pieces back, once.
    market.world.clock.advance(TimeDelta::minutes(6));
    market.work().await;
    assert_eq!(market.pieces("dress-m").await, (100, 0));
    assert_eq!(left(&market).await, 50);
    sound(&market.world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_piece_goes_to_one_request_however_often_it_comes_at_once() {
    let market = Market::new(2).await;
    sale(&market, 1, 0).await;
    let cart = market.cart_of(1, "dress-m", entry());
    let replies = join_all((0..24).map(|_| market.place(cart.clone()))).await;
    let replies: Vec<PlaceOrderResponse> = replies.into_iter().map(Result::unwrap).collect();
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(market.pieces("dress-m").await, (100, 1));
    assert_eq!(reason(market.order(market.cart_of(2, "dress-m", entry())).await), "STOCK_SHORT");
    sound(&market.world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_after_it_was_reserved_is_free_for_the_next_buyer() {
    let market = Market::new(3).await;
    sale(&market, 1, 1).await;
    let wrong = PlaceOrderRequest {
        expected_payable_minor: Some(1),
        ..market.cart_of(1, "dress-m", entry())
    };
    let refused = join_all((0..8).map(|_| market.order(wrong.clone()))).await;
    assert!(refused.into_iter().all(|refused| reason(refused) == "PRICE_CHANGED"));
    assert_eq!((left(&market).await, market.pieces("dress-m").await), (1, (100, 0)));
    market.order(market.cart_of(2, "dress-m", entry())).await.unwrap();
    assert_eq!(reason(market.order(market.cart_of(3, "dress-m", entry())).await), "STOCK_SHORT");
    sound(&market.world).await;
}

#[tokio::test]
async fn what_was_reserved_for_an_order_that_never_came_comes_back_by_itself() {
    let market = Market::new(1).await;
    sale(&market, 2, 1).await;
    let now = siyu_kernel::Clock::now(&market.world.clock);
    let demand = Demand {
        line_no: 1,
        key: Key { sku: "dress-m".into(), location: "main".into() },
        channel: "flash:noon".into(),
        quantity: 2,
    };
    let lost = Request {
        order_id: id(77),
        demands: vec![demand],
        expires_at: Some(now + TimeDelta::minutes(1)),
    };
    let mut tx = market.world.database.db().tenant(merchant(1)).await.unwrap();
    stock::reserve(&mut tx, &lost, now, &SeededIds::new(9)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    market.work().await;
    assert_eq!(left(&market).await, 0);
    market.world.clock.advance(TimeDelta::minutes(2));
    market.work().await;
    assert_eq!((left(&market).await, market.pieces("dress-m").await), (2, (100, 0)));
    // An order that came too late for its pieces does not get them.
    let mut tx = market.world.database.db().tenant(merchant(1)).await.unwrap();
    let late = stock::claim(&mut tx, &lost, now).await;
    assert_eq!(reason(late), "RESERVATION_LOST");
    drop(tx);
    // One that is stored keeps them, whatever its time.
    let order = market.order(market.cart_of(1, "dress-m", entry())).await.unwrap();
    let mut tx = market.world.database.db().tenant(merchant(1)).await.unwrap();
    let now = siyu_kernel::Clock::now(&market.world.clock) + TimeDelta::days(1);
    let (known, cause) = (order.id.parse().unwrap(), stock::ReleaseCause::Expired);
    stock::give_back_ahead(&mut tx, known, cause, now, &SeededIds::new(10)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(left(&market).await, 1);
    sound(&market.world).await;
}

#[tokio::test]
async fn what_a_call_that_died_had_reserved_is_not_taken_for_more_pieces_than_it_is() {
    let market = Market::new(1).await;
    sale(&market, 8, 0).await;
    let cart = market.cart_of(1, "dress-m", entry());
    // The id of such an order follows from its request: the first call reserved a piece and got no further.
    let digest = Sha256::new()
        .chain_update(merchant(1).uuid().as_bytes())
        .chain_update(b"order")
        .chain_update(cart.request_id.as_bytes())
        .finalize();
    let (bytes, _) = digest.split_first_chunk().unwrap();
    let now = siyu_kernel::Clock::now(&market.world.clock);
    let demand = Demand {
        line_no: 1,
        key: Key { sku: "dress-m".into(), location: "main".into() },
        channel: "flash:noon".into(),
        quantity: 1,
    };
    let died = Request {
        order_id: Id::from_uuid(uuid::Builder::from_custom_bytes(*bytes).into_uuid()),
        demands: vec![demand],
        expires_at: Some(now + TimeDelta::minutes(1)),
    };
    let mut tx = market.world.database.db().tenant(merchant(1)).await.unwrap();
    stock::reserve(&mut tx, &died, now, &SeededIds::new(9)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    // The buyer wants five now.
    let five = CartLine { sku: "dress-m".into(), quantity: 5 };
    let more = PlaceOrderRequest { lines: vec![five], ..cart };
    assert_eq!(reason(market.order(more.clone()).await), "RESERVATION_LOST");
    assert_eq!((left(&market).await, market.pieces("dress-m").await), (8, (100, 0)));
    let order = market.order(more).await.unwrap();
    assert_eq!(order.id, died.order_id.to_string());
    assert_eq!((left(&market).await, market.pieces("dress-m").await), (3, (100, 5)));
    sound(&market.world).await;
}
