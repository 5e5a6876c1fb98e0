use chrono::TimeDelta;
use siyu_proto::member::v1::*;

use crate::value::{Till, gave};

#[tokio::test]
async fn a_hold_reserves_and_a_capture_takes_a_part_and_frees_the_rest() {
    let till = Till::new().await;
    let (a, b) = (till.filled(300, 100).await, till.filled(50, 50).await);
    let held = till.hold(&[(&a, 200), (&b, 40)]).await.unwrap();
    assert_eq!((held.state(), held.captured_minor), (ValuePaymentState::Held, 0));
    assert_eq!(gave(&held), [(150, 50), (20, 20)]);
    assert_eq!((till.has(&a).await, till.has(&b).await), ((150, 50), (30, 30)));
    assert_eq!(till.look(&a).await.principal_minor, 300);
    let beyond = till.capture(&held.id, 241).await.unwrap_err();
    assert_eq!(beyond.reason(), "EXCEEDS_HOLD");
    let paid = till.capture(&held.id, 120).await.unwrap();
    assert_eq!((paid.state(), paid.captured_minor), (ValuePaymentState::Paid, 120));
    assert_eq!(gave(&paid), [(75, 25), (10, 10)]);
    assert_eq!((till.has(&a).await, till.has(&b).await), ((225, 75), (40, 40)));
    till.refund(&held.id, 0).await.unwrap();
    assert_eq!((till.has(&a).await, till.has(&b).await), ((300, 100), (50, 50)));
    till.sound().await;
}

#[tokio::test]
async fn a_hold_ends_once() {
    let till = Till::new().await;
    let card = till.filled(1_000, 0).await;
    let voided = till.hold(&[(&card, 600)]).await.unwrap();
    let more = till.hold(&[(&card, 600)]).await.unwrap_err();
    assert_eq!(more.reason(), "INSUFFICIENT_BALANCE");
    assert_eq!(till.void(&voided.id).await.unwrap().state(), ValuePaymentState::Voided);
    assert_eq!(till.capture(&voided.id, 0).await.unwrap_err().reason(), "HOLD_VOIDED");
    assert_eq!(till.refund(&voided.id, 1).await.unwrap_err().reason(), "VALUE_NOT_PAID");
    let taken = till.hold(&[(&card, 600)]).await.unwrap();
    till.capture(&taken.id, 0).await.unwrap();
    assert_eq!(till.void(&taken.id).await.unwrap_err().reason(), "HOLD_POSTED");
    assert_eq!(till.capture(&taken.id, 0).await.unwrap_err().reason(), "HOLD_POSTED");
    assert_eq!(till.has(&card).await, (400, 0));
    till.sound().await;
}

#[tokio::test]
async fn a_hold_whose_time_is_over_is_free_again() {
    let till = Till::new().await;
    let card = till.filled(1_000, 100).await;
    let held = till.hold(&[(&card, 1_100)]).await.unwrap();
    till.world.clock.advance(TimeDelta::minutes(30));
    for refused in [till.capture(&held.id, 0).await, till.void(&held.id).await] {
        assert_eq!(refused.unwrap_err().reason(), "HOLD_EXPIRED");
    }
    till.run_jobs().await;
    assert_eq!(till.has(&card).await, (1_000, 100));
    assert_eq!(till.capture(&held.id, 0).await.unwrap_err().reason(), "HOLD_EXPIRED");
    let told = till.world.told::<ValueHoldReleased>().await;
    assert_eq!(told[0].2.payment.as_ref().unwrap().state(), ValuePaymentState::Expired);
    till.sound().await;
}

#[tokio::test]
async fn held_bonus_stays_good_for_its_hold_when_it_expires_meanwhile() {
    let till = Till::new().await;
    let card = till.filled(1, 0).await;
    let plan = RechargePlan {
        pay_minor: 999,
        bonus_minor: 1_000,
        bonus_valid_days: 1,
        ..Default::default()
    };
    let plan_id = till.offer(plan).await.unwrap().id;
    let ask = RechargeRequest { card_id: card.clone(), plan_id, ..Default::default() };
    till.recharge(ask).await.unwrap();
    let charges = crate::value::charges(&[(&card, 2_000)]);
    let request_id = till.fresh();
    let hold = HoldValueRequest { request_id, charges, hold_minutes: 2_880, ..Default::default() };
    let held = till.values().hold_value(hold).await.unwrap().into_inner().payment.unwrap();
    till.world.clock.advance(TimeDelta::hours(36));
    till.run_jobs().await;
    let paid = till.capture(&held.id, 1_000).await.unwrap();
    assert_eq!(gave(&paid), [(500, 500)]);
    till.run_jobs().await;
    assert_eq!(till.has(&card).await, (500, 0));
    till.sound().await;
}
