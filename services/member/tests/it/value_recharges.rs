use chrono::TimeDelta;
use siyu_kernel::Clock;
use siyu_proto::member::v1::*;

use crate::value::Till;

#[tokio::test]
async fn a_recharge_puts_what_the_plan_says_on_the_card_and_keeps_it_as_it_was() {
    let till = Till::new().await;
    let person = till.person("o").await;
    let card = till.card(&person).await;
    let plan = RechargePlan {
        pay_minor: 100_000,
        bonus_minor: 20_000,
        bonus_valid_days: 90,
        limit_per_person: 1,
        ..Default::default()
    };
    let plan = till.offer(plan).await.unwrap();
    let ask = RechargeRequest {
        card_id: card.clone(),
        plan_id: plan.id.clone(),
        payment_reference: "wx-1".into(),
        ..Default::default()
    };
    let reply = till.recharge(ask.clone()).await.unwrap();
    let recharge = reply.recharge.unwrap();
    assert_eq!((recharge.principal_minor, recharge.bonus_minor), (100_000, 20_000));
    assert_eq!(
        (recharge.plan_name.as_str(), recharge.payment_reference.as_str()),
        ("offer", "wx-1")
    );
    let now_on = reply.card.unwrap();
    assert_eq!((now_on.principal_minor, now_on.bonus_minor), (100_000, 20_000));
    assert_eq!(till.recharge(ask.clone()).await.unwrap_err().reason(), "RECHARGE_PLAN_LIMIT");
    // Another card of the same person counts too.
    let second = RechargeRequest { card_id: till.card(&person).await, ..ask };
    assert_eq!(till.recharge(second).await.unwrap_err().reason(), "RECHARGE_PLAN_LIMIT");
    let told = till.world.told::<ValueRecharged>().await;
    assert_eq!(told[0].2.recharge.as_ref(), Some(&recharge));
    // Principal stays for ever, a bonus as long as was shown before payment.
    till.world.clock.advance(TimeDelta::days(90));
    assert_eq!(till.has(&card).await, (100_000, 0));
    till.run_jobs().await;
    assert_eq!(till.world.told::<ValueBonusExpired>().await[0].2.bonus_minor, 20_000);
    assert_eq!(till.has(&card).await, (100_000, 0));
    till.sound().await;
}

#[tokio::test]
async fn a_plan_is_offered_from_its_start_until_before_its_end() {
    let till = Till::new().await;
    let card = till.filled(1, 0).await;
    let second = |n| Some(prost_types::Timestamp { seconds: n, nanos: 0 });
    let now = till.world.clock.now().timestamp();
    let with = |start_time, end_time| RechargePlan {
        pay_minor: 100,
        start_time,
        end_time,
        ..Default::default()
    };
    for (plan, is_offered) in [
        (with(second(now), second(now + 1)), true),
        (with(second(now + 1), None), false),
        (with(second(now - 9), second(now)), false),
    ] {
        let plan_id = till.offer(plan).await.unwrap().id;
        let ask = RechargeRequest { card_id: card.clone(), plan_id, ..Default::default() };
        let reason = till.recharge(ask).await.err().map(|refused| refused.reason().to_owned());
        assert_eq!(reason.is_none(), is_offered, "{reason:?}");
    }
    let plan_id = till.offer(with(None, None)).await.unwrap().id;
    let close = CloseRechargePlanRequest { request_id: till.fresh(), plan_id: plan_id.clone() };
    till.recharges().close_recharge_plan(close).await.unwrap();
    let ask = RechargeRequest { card_id: card, plan_id, ..Default::default() };
    assert_eq!(till.recharge(ask).await.unwrap_err().reason(), "RECHARGE_PLAN_CLOSED");
}

#[tokio::test]
async fn limits_are_told_before_and_kept_when_it_is_recorded() {
    let till = Till::new().await;
    let card = till.filled(400_000, 0).await;
    let check =
        CheckRechargeRequest { card_id: card.clone(), amount_minor: 100_001, ..Default::default() };
    let told = till.recharges().check_recharge(check).await.unwrap().into_inner();
    assert!(!told.allowed);
    let finding = &told.findings[0];
    assert_eq!((finding.limit(), finding.limit_minor), (PrepaidLimit::Card, 500_000));
    assert_eq!(finding.value_minor, 500_001);
    let ask =
        RechargeRequest { card_id: card.clone(), amount_minor: 100_001, ..Default::default() };
    let refused = till.recharge(ask.clone()).await.unwrap_err();
    assert_eq!(refused.reason(), "PREPAID_LIMIT_EXCEEDED");
    assert_eq!(refused.metadata()["limit"], "PREPAID_LIMIT_CARD");
    till.recharge(RechargeRequest { amount_minor: 100_000, ..ask }).await.unwrap();
    assert_eq!(till.has(&card).await, (500_000, 0));
}

#[tokio::test]
async fn an_issuer_is_warned_once_when_it_comes_near_to_its_limit_and_stopped_at_it() {
    let till = Till::new().await;
    let issuer = till.issue(IssuerScale::Small, 1_000_000).await;
    let person_id = till.person("o").await;
    let open = OpenValueCardRequest { issuer_id: issuer.id, person_id, ..Default::default() };
    let card = till.open(open).await.unwrap().id;
    let add = |amount_minor| {
        till.recharge(RechargeRequest { card_id: card.clone(), amount_minor, ..Default::default() })
    };
    // 40 % of 1,000,000 is the limit, nine tenths of it are near.
    assert_eq!(add(359_999).await.unwrap().alerts, []);
    assert_eq!(add(1).await.unwrap().alerts.len(), 1);
    assert_eq!(add(40_000).await.unwrap().alerts.len(), 1);
    let refused = add(1).await.unwrap_err();
    assert_eq!(refused.metadata()["limit"], "PREPAID_LIMIT_ISSUER_BALANCE");
    assert_eq!(till.world.told::<PrepaidLimitNeared>().await.len(), 1);
    // What is spent makes room.
    till.pay(&[(&card, 1)]).await.unwrap();
    add(1).await.unwrap();
}

#[tokio::test]
async fn a_recharge_is_given_back_bonus_first_and_spent_bonus_is_kept_from_the_principal() {
    let till = Till::new().await;
    let refund = |spend: i64, blame| {
        let till = &till;
        async move {
            let card = till.card(&till.person(&till.fresh()).await).await;
            let recharge = till.fill(&card, 300_000, 100_000).await;
            if spend > 0 {
                till.pay(&[(&card, spend)]).await.unwrap();
            }
            let back = till.take_back(&recharge.id, blame).await.unwrap();
            assert_eq!(till.has(&card).await, (0, 0));
            (back.refunded_minor, back.bonus_taken_minor, back.kept_minor)
        }
    };
    assert_eq!(refund(0, ValueFault::Consumer).await, (300_000, 100_000, 0));
    // In the ratio of both: 60,000 and 20,000 are spent.
    assert_eq!(refund(80_000, ValueFault::Consumer).await, (220_000, 80_000, 20_000));
    assert_eq!(refund(80_000, ValueFault::Merchant).await, (240_000, 80_000, 0));
    assert_eq!(refund(359_400, ValueFault::Merchant).await, (30_450, 10_150, 0));
    assert_eq!(refund(359_400, ValueFault::Consumer).await, (0, 10_150, 30_450));
    till.sound().await;
}

#[tokio::test]
async fn a_recharge_is_given_back_once_and_not_out_of_a_later_one() {
    let till = Till::new().await;
    let card = till.filled(1, 0).await;
    till.pay(&[(&card, 1)]).await.unwrap();
    let first = till.fill(&card, 1_000, 0).await;
    till.pay(&[(&card, 900)]).await.unwrap();
    let second = till.fill(&card, 500, 0).await;
    // The newest is spent last: of the first 100 are left.
    let back = till.take_back(&first.id, ValueFault::Consumer).await.unwrap();
    assert_eq!(back.refunded_minor, 100);
    assert_eq!(till.has(&card).await, (500, 0));
    let again = till.take_back(&first.id, ValueFault::Consumer).await.unwrap_err();
    assert_eq!(again.reason(), "RECHARGE_REFUNDED");
    till.pay(&[(&card, 500)]).await.unwrap();
    let nothing = till.take_back(&second.id, ValueFault::Consumer).await.unwrap_err();
    assert_eq!(nothing.reason(), "NOTHING_TO_REFUND");
}
