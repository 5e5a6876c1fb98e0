//! One request fifty times at the same moment: one effect, fifty equal answers; and its key is good for no other request.

use std::collections::BTreeSet;

use futures::future::join_all;
use siyu_kernel::Code;
use siyu_proto::order::v1::*;

use crate::{
    checkouts::{Buyer, by_card, card},
    coupons::{claim, off, save},
    member::HoldState,
    refunds::{pieces, whole},
};

const AT_ONCE: usize = 50;

/// A cart with a coupon, points and a card, and the price that its buyer saw.
async fn full(buyer: &Buyer, key: &str) -> PlaceOrderRequest {
    let policy = CheckoutPolicy {
        points_per: 100,
        points_minor: 100,
        points_share_max_bp: 5_000,
        ..CheckoutPolicy::default()
    };
    buyer.rules(policy).await;
    save(&buyer.world, &[off(key, 1_000)]).await.unwrap();
    claim(&buyer.world, key, key, &buyer.person).await.unwrap();
    buyer.world.member.give(&card(1), 50_000);
    buyer.world.member.give(&buyer.person, 2_000);
    let expected_payable_minor = Some(30_000 - 1_000 - 2_000);
    let cart = PlaceOrderRequest { points_max: 2_000, expected_payable_minor, ..buyer.cart(key) };
    by_card(cart, 1, 7_000)
}

/// Places an order; asks again where the answer took too long, as a client does on a slow day.
async fn insist(buyer: &Buyer, cart: &PlaceOrderRequest) -> PlaceOrderResponse {
    loop {
        match buyer.place(cart.clone()).await {
            Ok(reply) => return reply,
            Err(fault) if fault.code() == Code::DeadlineExceeded => {}
            Err(fault) => panic!("{fault:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_takes_its_coupon_its_points_and_its_value_once() {
    let buyer = Buyer::new().await;
    let cart = full(&buyer, "a").await;
    let replies = join_all((0..AT_ONCE).map(|_| insist(&buyer, &cart))).await;
    let brief = |reply: &PlaceOrderResponse| {
        let checkout = reply.checkout.clone().unwrap();
        (reply.order.clone().unwrap().id, checkout.payable, checkout.coupon_ids, checkout.rows)
    };
    let first = brief(&replies[0]);
    assert_eq!(first.2.len(), 1, "the coupon is used");
    assert!(replies.iter().all(|reply| brief(reply) == first));

    let other = PlaceOrderRequest { shipping_minor: 1, ..cart.clone() };
    assert_eq!(buyer.place(other).await.unwrap_err().reason(), "REQUEST_ID_REUSED");
    assert_eq!(brief(&buyer.place(cart).await.unwrap()), first, "the first answer stands");
    assert_eq!(buyer.world.count("select count(*) from orders").await, 1);
    let locked = "select count(*) from coupons where state = 'locked'";
    assert_eq!(buyer.world.count(locked).await, 1);
    assert_eq!(buyer.world.member.holds(), [HoldState::Open; 2]);
    assert_eq!((buyer.pieces("dress-m").await, buyer.pieces("scarf").await), ((100, 1), (100, 2)));
    buyer.books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_begun_once() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap().id;
    let begun = join_all((0..AT_ONCE).map(|_| buyer.start("once", &id))).await;
    let begun: Vec<Payment> = begun.into_iter().map(Result::unwrap).collect();
    let brief = |p: &Payment| (p.id.clone(), p.seq, p.out_trade_no.clone(), p.amount.clone());
    let first = brief(&begun[0]);
    assert!(!begun[0].code_url.is_empty(), "{:?}", begun[0]);
    let same = |one: &Payment| brief(one) == first && one.code_url == begun[0].code_url;
    assert!(begun.iter().all(same), "{begun:#?}");
    assert_eq!(buyer.world.count("select count(*) from payments").await, 1);
    assert_eq!(buyer.world.count("select count(*) from sandbox_trades").await, 1);

    let another = buyer.place(buyer.cart("b")).await.unwrap().order.unwrap().id;
    let fault = buyer.start("once", &another).await.unwrap_err();
    assert_eq!(fault.reason(), "REQUEST_ID_REUSED");
    buyer.pay(&begun[0]).await;
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Paid);
    assert_eq!(brief(&buyer.start("once", &id).await.unwrap()), first, "it is that attempt");
    buyer.books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_asked_for_once() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    let asked = join_all((0..AT_ONCE).map(|_| buyer.refund("once", &id, pieces(2, 1)))).await;
    let asked: Vec<Refund> = asked.into_iter().map(Result::unwrap).collect();
    let plans: BTreeSet<String> =
        asked.iter().map(|refund| format!("{} {:?}", refund.id, refund.plan)).collect();
    assert_eq!(plans.len(), 1, "{plans:?}");
    let fault = buyer.refund("once", &id, whole()).await.unwrap_err();
    assert_eq!(fault.reason(), "REQUEST_ID_REUSED");
    buyer.work().await;
    assert_eq!(buyer.world.count("select count(*) from payment_refunds").await, 1);
    assert_eq!(buyer.world.get(1, &id).await.unwrap().paid.unwrap().minor_units, 25_000);
    buyer.books().await;
}
