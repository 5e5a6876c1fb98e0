//! An order that is cancelled at the moment at which it may be paid, step by step.

use chrono::TimeDelta;
use siyu_kernel::{Clock, Currency};
use siyu_order::{
    claim::{self, charge::Cash},
    order::{advance, domain::OrderId},
};
use siyu_proto::order::v1::*;

use crate::{
    checkouts::{Buyer, by_card, card},
    market::reason,
};

#[tokio::test]
async fn an_order_whose_claim_is_opened_while_it_is_cancelled_can_be_paid_until_it_is_cancelled_again()
 {
    let buyer = Buyer::with_sandbox().await;
    buyer.world.member.give(&card(1), 10_000);
    // What is held of the card is not known yet, so that nothing may be paid in cash.
    buyer.world.member.lose_answers(10);
    buyer.place(by_card(buyer.cart("a"), 1, 10_000)).await.unwrap_err();
    buyer.world.member.lose_answers(0);
    let known = buyer.world.orders(1).list_orders(ListOrdersRequest::default()).await.unwrap();
    let order_id = known.into_inner().orders.remove(0).id;
    let id: OrderId = order_id.parse().unwrap();

    let now = buyer.world.clock.now();
    let mut opens = buyer.begin().await;
    advance::lock(&mut opens, id, "").await.unwrap();
    let commits = async {
        buyer.until_somebody_waits().await;
        let currency = Currency::parse("CNY").unwrap();
        let cash = Cash { currency, minor: 20_000, charge: None };
        let until = now + TimeDelta::minutes(10);
        claim::open(&buyer.world.app, &mut opens, id, cash, until, now).await.unwrap();
        opens.commit().await.unwrap();
    };
    let (cancelled, ()) = tokio::join!(buyer.cancel(&order_id), commits);
    assert_eq!(reason(cancelled), "STORE_CONFLICT");
    assert_eq!(buyer.world.get(1, &order_id).await.unwrap().state(), OrderState::Created);
    buyer.start("p", &order_id).await.unwrap();
    buyer.cancel(&order_id).await.unwrap();
    buyer.work().await;
    assert_eq!(buyer.world.get(1, &order_id).await.unwrap().state(), OrderState::Cancelled);
    let open = "select count(*) from payment_claims where state <> 'closed'";
    assert_eq!(buyer.world.count(open).await, 0);
    buyer.books().await;
}

#[tokio::test]
async fn an_order_that_was_cancelled_is_not_revived_without_its_pieces() {
    let buyer = Buyer::with_sandbox().await;
    let order = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    let payment = buyer.start("p", &order.id).await.unwrap();
    // Nothing in the service does so; the claim is open still.
    let mut owner = buyer.world.database.owner().await;
    sqlx::query("update orders set state = 'cancelled'").execute(&mut owner).await.unwrap();
    let request = SimulatePaymentRequest {
        payment_id: payment.id,
        act: SandboxAct::Pay.into(),
        ..Default::default()
    };
    drop(buyer.world.payments(1).simulate_payment(request).await);
    buyer.work().await;
    assert_eq!(buyer.world.get(1, &order.id).await.unwrap().state(), OrderState::Cancelled);
}
