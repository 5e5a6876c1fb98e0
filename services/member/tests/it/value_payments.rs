use siyu_grpc::fault;
use siyu_kernel::{Code, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    value::{Till, charges, gave},
    world::fields,
};

#[tokio::test]
async fn a_payment_takes_both_buckets_in_their_ratio_unless_the_merchant_says_otherwise() {
    let till = Till::new().await;
    let card = till.filled(300_000, 100_000).await;
    let first = till.pay(&[(&card, 359_400)]).await.unwrap();
    assert_eq!(gave(&first), [(269_550, 89_850)]);
    assert_eq!(till.has(&card).await, (30_450, 10_150));
    till.rule(|policy| policy.set_consumption_order(ConsumptionOrder::BonusFirst)).await;
    let second = till.pay(&[(&card, 10_000)]).await.unwrap();
    assert_eq!(gave(&second), [(0, 10_000)]);
    assert_eq!(second.consumption_order(), ConsumptionOrder::BonusFirst);
    till.rule(|policy| policy.set_consumption_order(ConsumptionOrder::PrincipalFirst)).await;
    assert_eq!(gave(&till.pay(&[(&card, 30_500)]).await.unwrap()), [(30_450, 50)]);
    // What was fixed when it was paid decides what comes back.
    till.refund(&second.id, 0).await.unwrap();
    assert_eq!(till.has(&card).await, (0, 10_100));
    let told = till.world.told::<ValuePaid>().await;
    assert_eq!(told.len(), 3);
    assert_eq!(told[0].2.payment.as_ref(), Some(&first));
    till.sound().await;
}

#[tokio::test]
async fn refunds_in_parts_return_each_bucket_exactly_what_it_gave_and_never_more() {
    let till = Till::new().await;
    let (a, b) = (till.filled(1_000, 333).await, till.filled(77, 7).await);
    let payment = till.pay(&[(&a, 501), (&b, 20)]).await.unwrap();
    let gave = gave(&payment);
    let mut back = vec![(0, 0); 2];
    for amount in [1, 99, 250, 7, 0] {
        let reply = till.refund(&payment.id, amount).await.unwrap();
        for returned in reply.returns {
            let part = usize::from(returned.card_id == b);
            back[part].0 += returned.principal_minor;
            back[part].1 += returned.bonus_minor;
        }
    }
    assert_eq!(back, gave);
    assert_eq!((till.has(&a).await, till.has(&b).await), ((1_000, 333), (77, 7)));
    for amount in [0, 1] {
        let refused = till.refund(&payment.id, amount).await.unwrap_err();
        assert_eq!(refused.reason(), "EXCEEDS_ORIGINAL");
    }
    till.sound().await;
}

#[tokio::test]
async fn several_cards_pay_together_or_none_of_them_does() {
    let till = Till::new().await;
    let (rich, poor) = (till.filled(1_000, 0).await, till.filled(10, 0).await);
    let refused = till.pay(&[(&rich, 500), (&poor, 11)]).await.unwrap_err();
    assert_eq!(refused.reason(), "INSUFFICIENT_BALANCE");
    assert_eq!((till.has(&rich).await, till.has(&poor).await), ((1_000, 0), (10, 0)));
    let payment = till.pay(&[(&rich, 500), (&poor, 10)]).await.unwrap();
    assert_eq!((payment.amount_minor, payment.captured_minor), (510, 510));
    let twice = till.pay(&[(&rich, 1), (&rich, 1)]).await.unwrap_err();
    assert_eq!(fields(&twice), ["charges[1].card_id"]);
    let unknown = id::<kind::ValueCard>(9).to_string();
    let missing = till.pay(&[(&rich, 1), (&unknown, 1)]).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    till.sound().await;
}

#[tokio::test]
async fn a_named_card_pays_for_its_holder_only() {
    let till = Till::new().await;
    let card = till.filled(1_000, 0).await;
    let pay = async |person_id: String| {
        let charges = charges(&[(&card, 1)]);
        let request_id = till.fresh();
        let request = PayValueRequest { request_id, charges, person_id, ..Default::default() };
        till.values().pay_value(request).await.map_err(fault)
    };
    let other = till.person("somebody else").await;
    assert_eq!(pay(other).await.unwrap_err().reason(), "VALUE_CARD_OF_ANOTHER");
    pay(till.look(&card).await.person_id).await.unwrap();
}

#[tokio::test]
async fn a_refund_opens_a_closed_card_again_or_goes_to_another_one_as_the_rules_say() {
    let till = Till::new().await;
    let person = till.person("o").await;
    let (card, other) = (till.card(&person).await, till.card(&person).await);
    till.fill(&card, 1_000, 100).await;
    let payment = till.pay(&[(&card, 1_100)]).await.unwrap();
    till.close(&card).await.unwrap();
    till.refund(&payment.id, 110).await.unwrap();
    assert_eq!(till.look(&card).await.state(), ValueCardState::Active);
    assert_eq!(till.has(&card).await, (100, 10));

    till.pay(&[(&card, 110)]).await.unwrap();
    till.close(&card).await.unwrap();
    till.rule(|policy| policy.set_closed_card_refund(ClosedCardRefund::Divert)).await;
    let reply = till.refund(&payment.id, 550).await.unwrap();
    assert_eq!(reply.returns[0].into_card_id, other);
    assert_eq!(till.look(&card).await.state(), ValueCardState::Closed);
    assert_eq!((till.has(&card).await, till.has(&other).await), ((0, 0), (500, 50)));
    // Nobody else to take it: the card itself.
    till.freeze(&other).await;
    let reply = till.refund(&payment.id, 0).await.unwrap();
    assert_eq!(reply.returns[0].into_card_id, card);
    assert_eq!(till.has(&card).await, (400, 40));
    till.sound().await;
}

#[tokio::test]
async fn bonus_that_expired_meanwhile_comes_back_for_a_while() {
    let till = Till::new().await;
    let card = till.filled(1, 0).await;
    let plan = RechargePlan {
        pay_minor: 1_000,
        bonus_minor: 1_000,
        bonus_valid_days: 10,
        ..Default::default()
    };
    let plan_id = till.offer(plan).await.unwrap().id;
    let ask = RechargeRequest { card_id: card.clone(), plan_id, ..Default::default() };
    till.recharge(ask).await.unwrap();
    let payment = till.pay(&[(&card, 2_001)]).await.unwrap();
    till.world.clock.advance(chrono::TimeDelta::days(11));
    till.refund(&payment.id, 0).await.unwrap();
    assert_eq!(till.has(&card).await, (1_001, 1_000));
    till.world.clock.advance(chrono::TimeDelta::days(30));
    till.run_jobs().await;
    assert_eq!(till.has(&card).await, (1_001, 0));
    till.sound().await;
}

#[tokio::test]
async fn the_payments_for_an_order_are_found_by_it() {
    let till = Till::new().await;
    let card = till.filled(1_000, 0).await;
    let pay = async |order: &str| {
        let request = PayValueRequest {
            request_id: till.fresh(),
            charges: charges(&[(&card, 10)]),
            order_reference: order.into(),
            ..Default::default()
        };
        till.values().pay_value(request).await.unwrap().into_inner().payment.unwrap()
    };
    let first = pay("T1").await;
    pay("T2").await;
    let second = pay("T1").await;
    let request = ListValuePaymentsRequest { order_reference: "T1".into(), ..Default::default() };
    let reply = till.values().list_value_payments(request).await.unwrap().into_inner();
    assert_eq!(reply.payments, [first.clone(), second]);
    let request = GetValuePaymentRequest { payment_id: first.id.clone() };
    let reply = till.values().get_value_payment(request).await.unwrap().into_inner();
    assert_eq!(reply.payment.unwrap(), first);
}
