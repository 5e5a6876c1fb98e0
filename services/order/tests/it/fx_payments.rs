//! Orders whose buyers are charged in another currency than the merchant's: what is asked for, what is taken, and what goes back.

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::*;
use siyu_testkit::FixedClock;

use crate::{
    abroad::{Abroad, given, money},
    checkouts::{by_card, card},
    market::reason,
    refunds::{amount, whole},
    wechat::{accounts, company::Company},
    world::World,
};

#[tokio::test]
async fn a_buyer_is_charged_what_is_shown_and_three_refunds_give_all_of_it_back() {
    let shop = Abroad::open().await;
    let reply = shop.place(shop.scarf("a", "JPY")).await.unwrap();
    let (order, checkout) = (reply.order.unwrap(), reply.checkout.unwrap());
    let shown = checkout.presentment.unwrap();
    assert_eq!((shown.payable_minor, shown.charge_minor), (2_993, Some(2_993)));
    assert_eq!((order.paid, checkout.cash), (money("USD", 1_999), money("USD", 1_999)));
    let claim = shop.claim(&order.id).await;
    assert_eq!((claim.cash, claim.charge), (money("USD", 1_999), money("JPY", 2_993)));
    // Whatever becomes of the rate.
    shop.rate("JPY", "160").await;
    let payment = shop.start("p", &order.id).await.unwrap();
    assert_eq!(payment.amount, money("JPY", 2_993));
    shop.pay(&payment).await;
    assert_eq!(shop.kept(&order.id).await.paid, money("JPY", 2_993));
    // What is held and told is in the merchant's currency.
    let told = shop.world.told().await;
    let paid = told[0].facts();
    assert_eq!((paid.paid_minor, paid.currency_code.as_str()), (1_999, "USD"));
    let held = shop.world.guarantee(order.id.parse().unwrap()).await;
    assert_eq!((held.held_minor, held.currency_code.as_str()), (1_999, "USD"));

    let asks = [amount(1, 666), amount(1, 666), whole()];
    assert_eq!(shop.back(&order.id, &asks).await, [RefundState::Succeeded; 3]);
    let parts = [997, 997, 999];
    assert_eq!(given(&shop.kept(&order.id).await), parts.map(|part| money("JPY", part)));
    assert_eq!(parts.iter().sum::<i64>(), 2_993);
    let held = shop.world.guarantee(order.id.parse().unwrap()).await;
    assert_eq!((held.refunded_minor, held.held_minor), (1_999, 0));
    assert_eq!(shop.world.get(1, &order.id).await.unwrap().state(), OrderState::Refunded);

    // Another order of the day is charged in dollars: both agree, each in its currency.
    shop.buy(shop.scarf("b", "")).await;
    let day = shop.reconcile().await;
    assert_eq!((day.rows, day.matched, day.open), (5, 5, 0));
    assert_eq!((day.paid_minor, day.refunded_minor), (0, 0), "two currencies have no sum");
    let sum = |code: &str, paid, refunded| StatementSum {
        paid: money(code, paid),
        refunded: money(code, refunded),
    };
    assert_eq!(day.sums, [sum("JPY", 2_993, 2_993), sum("USD", 1_999, 0)]);
}

#[tokio::test]
async fn the_right_number_in_another_currency_is_held_and_goes_back_in_that_one() {
    let shop = Abroad::open().await;
    let id = shop.waits(shop.scarf("a", "JPY")).await;
    let payment = shop.start("p", &id).await.unwrap();
    shop.owner("update sandbox_trades set currency = 'USD'").await;
    shop.pay(&payment).await;
    let held = shop.payment_of(&payment.id).await;
    assert_eq!(held.state(), PaymentState::HeldForReview);
    assert_eq!(held.problem, "another currency was paid than asked for");
    assert_eq!((held.amount, held.paid), (money("JPY", 2_993), money("USD", 2_993)));
    assert_eq!(shop.claim(&id).await.state(), ClaimState::Open);
    let request = ReturnPaymentRequest {
        request_id: "back".into(),
        payment_id: payment.id.clone(),
        reason: "not what was asked for".into(),
    };
    shop.world.payments(1).return_payment(request).await.unwrap();
    shop.work().await;
    assert_eq!(given(&shop.payment_of(&payment.id).await), [money("USD", 2_993)]);
    shop.books().await;
    // Of two payments that fit the second one goes back whole, in what was paid.
    let two = [shop.start("1", &id).await.unwrap(), shop.start("2", &id).await.unwrap()];
    for payment in &two {
        shop.simulate(payment, SandboxAct::Pay).await;
    }
    shop.work().await;
    let kept = shop.claim(&id).await.payment_id;
    let other = two.iter().find(|payment| payment.id != kept).unwrap();
    assert_eq!(given(&shop.payment_of(&other.id).await), [money("JPY", 2_993)]);
    shop.books().await;
    assert_eq!(shop.reconcile().await.open, 0);
}

#[tokio::test]
async fn what_a_card_leaves_is_charged_and_goes_back_beside_it() {
    let shop = Abroad::open().await;
    shop.world.member.give(&card(1), 1_000);
    let id = shop.buy(by_card(shop.scarf("a", "JPY"), 1, 1_000)).await;
    // 9.99 USD come to 1495.85265 JPY.
    let shown = shop.checkout(&id).await.presentment.unwrap();
    assert_eq!((shown.payable_minor, shown.charge_minor), (2_993, Some(1_496)));
    let claim = shop.claim(&id).await;
    assert_eq!((claim.cash, claim.charge), (money("USD", 999), money("JPY", 1_496)));
    assert_eq!(shop.back(&id, &[amount(1, 700), whole()]).await, [RefundState::Succeeded; 2]);
    // 3.50 of 7.00 go to the payment: 1496 × 350 / 999, floored.
    assert_eq!(given(&shop.kept(&id).await), [money("JPY", 524), money("JPY", 972)]);
    assert_eq!(shop.world.member.free(&card(1)), 1_000);
}

#[tokio::test]
async fn a_refund_that_failed_leaves_its_share_to_the_next_ones() {
    let shop = Abroad::open().await;
    let id = shop.buy(shop.scarf("a", "JPY")).await;
    let payment = shop.kept(&id).await;
    shop.simulate(&payment, SandboxAct::RefuseRefunds).await;
    assert_eq!(shop.back(&id, &[amount(1, 666)]).await, [RefundState::Failed]);
    shop.simulate(&payment, SandboxAct::TakeRefunds).await;
    let refund = shop.refund("again", &id, whole()).await.unwrap();
    shop.work().await;
    assert_eq!(shop.look(&refund).await.state(), RefundState::Succeeded);
    assert_eq!(given(&shop.kept(&id).await), [money("JPY", 997), money("JPY", 2_993)]);
    shop.books().await;
    assert_eq!(shop.reconcile().await.open, 0);
}

#[tokio::test]
async fn less_than_a_unit_waits_for_the_next_refund_and_nothing_is_charged_for_less() {
    let shop = Abroad::open().await;
    // 19.99 USD are 20 JPY.
    shop.rate("JPY", "1").await;
    let id = shop.buy(shop.scarf("a", "JPY")).await;
    let ends = shop.back(&id, &[amount(1, 50), amount(1, 50), whole()]).await;
    assert_eq!(ends, [RefundState::Succeeded; 3]);
    assert_eq!(given(&shop.kept(&id).await), [money("JPY", 1), money("JPY", 19)]);
    shop.rate("JPY", "0.01").await;
    assert_eq!(reason(shop.place(shop.scarf("b", "JPY")).await), "INVALID_FIELD");
    assert_eq!(shop.world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn wechat_pay_takes_an_order_that_is_charged_in_its_currency_and_no_other() {
    let clock = FixedClock::at("2024-06-01T00:00:00Z");
    let company = Company::open(&clock).await;
    let shop = Abroad::of(World::with(&clock, &[company.origin()]).await).await;
    accounts::save(&shop.world, &[accounts::wechat(&company.origin())]).await.unwrap();
    shop.rate("CNY", "7.25").await;
    let start = async |order_id: &str| -> Result<Payment, Fault> {
        let request = StartPaymentRequest {
            request_id: order_id.into(),
            order_id: order_id.into(),
            account_code: "wx".into(),
            method: PaymentMethod::Native.into(),
            description: "a scarf".into(),
            payer_id: String::new(),
        };
        let reply = shop.world.payments(1).start_payment(request).await.map_err(fault)?;
        Ok(reply.into_inner().payment.unwrap())
    };
    for code in ["JPY", "USD"] {
        let id = shop.waits(shop.scarf(code, code)).await;
        let refused = start(&id).await.unwrap_err();
        assert_eq!(
            (refused.reason(), &*refused.metadata()["currency_code"]),
            ("CURRENCY_NOT_TAKEN", code)
        );
    }
    let id = shop.waits(shop.scarf("c", "CNY")).await;
    let payment = start(&id).await.unwrap();
    // 144.9275 yuan.
    let number = payment.out_trade_no.as_str();
    let asked = company.books(|books| books.trades[number].created["amount"].clone());
    assert_eq!((asked["total"].as_i64(), asked["currency"].as_str()), (Some(14_493), Some("CNY")));
    shop.world.payments(1).receive_notification(company.pay(number)).await.unwrap();
    shop.work().await;
    assert_eq!(shop.world.get(1, &id).await.unwrap().state(), OrderState::Paid);
}

#[tokio::test]
async fn what_staff_record_is_what_the_buyer_is_charged() {
    let shop = Abroad::open().await;
    let id = shop.waits(shop.scarf("a", "JPY")).await;
    let record = async |amount_minor| {
        let request = RecordPaymentRequest {
            request_id: format!("record {amount_minor}"),
            order_id: id.clone(),
            account_code: "till".into(),
            method: PaymentMethod::Cash.into(),
            amount_minor,
            reference: "receipt 1".into(),
            operator: "the till".into(),
            ..Default::default()
        };
        let reply = shop.world.payments(1).record_payment(request).await.map_err(fault)?;
        Ok::<_, Fault>(reply.into_inner().payment.unwrap())
    };
    let refused = record(1_999).await.unwrap_err();
    let said = ["charge_minor", "currency_code"].map(|name| refused.metadata()[name].as_str());
    assert_eq!((refused.reason(), said), ("RECORDED_AMOUNT_WRONG", ["2993", "JPY"]));
    let paid = record(2_993).await.unwrap();
    assert_eq!((paid.state(), paid.paid), (PaymentState::Succeeded, money("JPY", 2_993)));
    let refund = shop.refund("r", &id, amount(1, 1_000)).await.unwrap();
    shop.work().await;
    let waits = shop.kept(&id).await.refunds.remove(0);
    assert_eq!(waits.amount, money("JPY", 1_497));
    let request = RecordPaymentRefundRequest {
        request_id: "out".into(),
        payment_refund_id: waits.id,
        reference: "slip 1".into(),
        operator: "the till".into(),
        ..Default::default()
    };
    shop.world.payments(1).record_payment_refund(request).await.unwrap();
    shop.work().await;
    assert_eq!(shop.look(&refund).await.state(), RefundState::Succeeded);
    shop.books().await;
}

#[tokio::test]
async fn an_order_from_before_is_charged_as_it_was_said_then() {
    let shop = Abroad::open().await;
    let id = shop.waits(shop.scarf("a", "JPY")).await;
    shop.owner("update payment_claims set charge_minor = null, charge_currency = null").await;
    shop.owner("update order_presentments set charge_minor = null").await;
    assert_eq!(shop.claim(&id).await.charge, money("USD", 1_999));
    let shown = shop.checkout(&id).await.presentment.unwrap();
    assert_eq!((shown.payable_minor, shown.charge_minor), (2_993, None));
    let payment = shop.start("p", &id).await.unwrap();
    shop.pay(&payment).await;
    assert_eq!(shop.back(&id, &[amount(1, 666), whole()]).await, [RefundState::Succeeded; 2]);
    assert_eq!(given(&shop.kept(&id).await), [money("USD", 666), money("USD", 1_333)]);
}
