//! How refunds end: what is left of an order that is wholly refunded, and what becomes of a part that is refused.

use siyu_kernel::Code;
use siyu_proto::order::v1::*;

use crate::{
    checkouts::{Buyer, by_card, card},
    market::Market,
    refund_rewards::{kept, rewards, void},
    refunds::{pieces, whole},
};

fn amount(line_no: i32, amount_minor: i64) -> RefundAsk {
    let line = RefundLine { line_no, quantity: 0, amount_minor };
    RefundAsk { lines: vec![line], ..RefundAsk::default() }
}

#[tokio::test]
async fn an_order_whose_money_went_back_without_its_pieces_reserves_none_any_more() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    // One scarf with its money, then all other money by amounts.
    for (key, ask) in [("1", pieces(2, 1)), ("2", amount(2, 5_000)), ("3", amount(1, 20_000))] {
        let pieces = (buyer.pieces("dress-m").await.1, buyer.pieces("scarf").await.1);
        assert_eq!(pieces.0, 1, "before {key}");
        let refund = buyer.refund(key, &id, ask).await.unwrap();
        buyer.work().await;
        assert_eq!(buyer.look(&refund).await.state(), RefundState::Succeeded);
    }
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Refunded);
    assert_eq!((buyer.pieces("dress-m").await, buyer.pieces("scarf").await), ((100, 0), (100, 0)));
    buyer.books().await;
}

#[tokio::test]
async fn value_that_is_refused_waits_for_somebody_and_then_goes_back() {
    let buyer = Buyer::with_sandbox().await;
    buyer.world.member.give(&card(1), 10_000);
    let id = buyer.buy(by_card(buyer.cart("a"), 1, 10_000)).await;
    buyer.world.member.refuse_backs(Some((Code::FailedPrecondition, "CARD_CLOSED")));
    let refund = buyer.refund("r", &id, whole()).await.unwrap();
    buyer.work().await;
    let stuck = buyer.look(&refund).await;
    assert_eq!(stuck.state(), RefundState::Processing);
    let parts: Vec<_> = stuck.parts.iter().map(|p| (p.done, p.failure.as_str())).collect();
    assert_eq!(parts, [(true, ""), (false, "CARD_CLOSED")]);

    // Agreeing once more is no way out, and wakes nobody.
    let due = "select count(*) from refunds where due_at is not null";
    buyer.decide(&refund, RefundDecision::Agree).await.unwrap();
    assert_eq!(buyer.world.count(due).await, 0);
    let mut owner = buyer.world.database.owner().await;
    sqlx::query("update refunds set due_at = created_at").execute(&mut owner).await.unwrap();
    buyer.work().await;
    assert_eq!(buyer.world.count(due).await, 0, "nor does the job go round it");
    // The money of the part is neither held for the merchant nor anywhere else: it is the buyer's.
    let request = GetGuaranteeRequest { order_id: id.clone() };
    let shown = buyer.world.guarantees(1).get_guarantee(request).await.unwrap().into_inner();
    let guarantee = shown.guarantee.unwrap();
    assert_eq!((guarantee.held_minor, guarantee.refunded_minor), (0, 30_000));
    buyer.books().await;

    // Refused again, then given back.
    buyer.decide(&refund, RefundDecision::Retry).await.unwrap();
    assert_eq!(buyer.look(&refund).await.parts[1].failure, "CARD_CLOSED");
    buyer.world.member.refuse_backs(None);
    buyer.decide(&refund, RefundDecision::Retry).await.unwrap();
    let ended = buyer.decide(&refund, RefundDecision::Retry).await.unwrap();
    assert_eq!((ended.state(), ended.parts[1].done), (RefundState::Succeeded, true));
    assert_eq!(buyer.world.member.free(&card(1)), 10_000);
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Refunded);
    buyer.books().await;
}

#[tokio::test]
async fn a_token_that_the_member_service_does_not_take_loses_nobody_anything() {
    let buyer = Buyer::with_sandbox().await;
    buyer.world.member.give(&card(1), 10_000);
    let id = buyer.buy(by_card(buyer.cart("a"), 1, 10_000)).await;
    buyer.world.member.refuse_backs(Some((Code::Unauthenticated, "TOKEN_EXPIRED")));
    let refund = buyer.refund("r", &id, whole()).await.unwrap();
    buyer.work().await;
    assert_eq!(buyer.look(&refund).await.parts[1].failure, "", "it is tried again");
    buyer.world.member.refuse_backs(None);
    buyer.world.clock.advance(chrono::TimeDelta::minutes(10));
    buyer.work().await;
    assert_eq!(buyer.look(&refund).await.state(), RefundState::Succeeded);
    assert_eq!(buyer.world.member.free(&card(1)), 10_000);
    buyer.books().await;
}

/// An order that paid with one coupon and gave another: a refund of one piece that nobody has decided, and one of the rest that
/// has gone back. Gives the order, both coupons and both refunds.
async fn rest_first(market: &Market) -> (String, [String; 2], [Refund; 2]) {
    let ann = market.person(1);
    let used = market.give("g1", "small", &[ann], "").await.unwrap().remove(0);
    market.world.member.give(&card(1), 29_900);
    let order = market.order(by_card(market.cart("a"), 1, 29_900)).await.unwrap().id;
    assert_eq!(market.coupon(ann, &used).await.state(), CouponState::Used);
    let given = market.give("g2", "small", &[ann], &order).await.unwrap().remove(0);
    let request = RequestRefundRequest {
        request_id: "1".into(),
        order_id: order.clone(),
        ask: Some(pieces(2, 1)),
        ..RequestRefundRequest::default()
    };
    let reply = market.world.refunds(1).request_refund(request).await.unwrap();
    let part = reply.into_inner().refund.unwrap();
    let rest = market.refund("2", &order, whole()).await.unwrap();
    let plan = rest.plan.as_ref().unwrap();
    assert_eq!((rest.state(), plan.fully), (RefundState::Succeeded, true));
    assert_eq!(rewards(&rest), [(given.clone(), kept("partial"))].into(), "a piece is left");
    assert_eq!(market.world.get(1, &order).await.unwrap().state(), OrderState::Paid);
    assert_eq!(market.coupon(ann, &used).await.state(), CouponState::Used);
    assert_eq!(market.coupon(ann, &given).await.state(), CouponState::Issued);
    (order, [used, given], [part, rest])
}

#[tokio::test]
async fn an_order_lives_on_where_the_refund_before_that_of_the_rest_is_rejected() {
    let market = Market::generous(1).await;
    let (order, [used, given], [part, _]) = rest_first(&market).await;
    let part = market.decide(&part, RefundDecision::Reject).await.unwrap();
    assert_eq!(part.state(), RefundState::Rejected);
    assert_eq!(market.world.get(1, &order).await.unwrap().state(), OrderState::Paid);
    assert_eq!(market.pieces("scarf").await.1, 1, "it is still for the buyer");
    // What is left goes back later, and everything with it.
    let last = market.refund("3", &order, whole()).await.unwrap();
    assert_eq!(last.plan.as_ref().unwrap().coupon_ids, std::slice::from_ref(&used));
    assert_eq!(rewards(&last), [(given.clone(), void())].into());
    ended(&market, &order, [&used, &given]).await;
}

#[tokio::test]
async fn an_order_ends_with_the_refund_that_is_back_last() {
    let market = Market::generous(1).await;
    let (order, [used, given], [part, _]) = rest_first(&market).await;
    let part = market.decide(&part, RefundDecision::Agree).await.unwrap();
    assert_eq!((part.state(), part.plan.as_ref().unwrap().fully), (RefundState::Succeeded, false));
    assert_eq!(rewards(&part), [(given.clone(), void())].into());
    ended(&market, &order, [&used, &given]).await;
}

/// Nothing is left of an order, and of its coupons what then is.
async fn ended(market: &Market, order: &str, [used, given]: [&str; 2]) {
    let ann = market.person(1);
    assert_eq!(market.world.get(1, order).await.unwrap().state(), OrderState::Refunded);
    assert_eq!(market.coupon(ann, used).await.state(), CouponState::Issued);
    assert_eq!(market.coupon(ann, given).await.state(), CouponState::Void);
    assert_eq!((market.pieces("dress-m").await.1, market.pieces("scarf").await.1), (0, 0));
    market.books().await;
}
