//! Notifications: repeated, late, out of order, tampered with, forged.

use chrono::TimeDelta;
use serde_json::json;
use siyu_proto::order::v1::*;

use super::{
    books::{APPID, MCHID},
    paying::open,
    seal::{COMPANY_KEY, MERCHANT_KEY, SERIAL, notice, request},
};
use crate::till::stand;

#[tokio::test]
async fn the_same_event_is_one_event_however_often_it_comes() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    let told = company.pay(&payment.out_trade_no);
    let all = (0..8).map(|_| till.tell(&told));
    let answers = futures::future::join_all(all).await;
    assert!(answers.iter().all(|answer| answer.answer_status == 200));
    assert!(answers.iter().all(|a| a.notification_id == answers[0].notification_id));
    till.work().await;
    // It comes once more when everything is done, with another time and signature.
    till.world.clock.advance(TimeDelta::minutes(4));
    let told = request(COMPANY_KEY, SERIAL, company.now(), told.body);
    assert_eq!(till.tell(&told).await.state(), NotificationState::Processed);
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await), (PaymentState::Succeeded, vec![]));
    assert_eq!(till.world.count("select times::bigint from payment_notifications").await, 9);
}

#[tokio::test]
async fn what_was_changed_forged_or_is_old_is_refused_and_takes_nobodys_place() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    let told = company.pay(&payment.out_trade_no);
    let mut changed = told.clone();
    changed.body = changed.body.replace("TRANSACTION", "TRANSACTIOM");
    let mut unsigned = told.clone();
    unsigned.headers.retain(|header| header.name != "Wechatpay-Signature");
    let mut probe = told.clone();
    for header in probe.headers.iter_mut().filter(|header| header.name == "Wechatpay-Signature") {
        header.value = format!("WECHATPAY/SIGNTEST/{}", header.value);
    }
    let forged = request(MERCHANT_KEY, SERIAL, company.now(), told.body.clone());
    let stranger = request(COMPANY_KEY, "77", company.now(), told.body.clone());
    let old = request(COMPANY_KEY, SERIAL, company.now() - 301, told.body.clone());
    let ahead = request(COMPANY_KEY, SERIAL, company.now() + 301, told.body.clone());
    let odd = request(COMPANY_KEY, SERIAL, company.now(), "{}".into());
    let swapped =
        told.body.replace("\"associated_data\":\"transaction\"", "\"associated_data\":\"refund\"");
    assert_ne!(swapped, told.body);
    let swapped = request(COMPANY_KEY, SERIAL, company.now(), swapped);
    let cases = [
        (changed, "its signature does not fit"),
        (unsigned, "it bears no Wechatpay-Signature"),
        (probe, "its signature does not fit"),
        (forged, "its signature does not fit"),
        (stranger, "it is signed with the key 77, which is not known"),
        (old, "its time is too far from ours"),
        (ahead, "its time is too far from ours"),
        (odd, "it cannot be read"),
        (swapped, "what it says cannot be opened with the key"),
    ];
    for (wrong, why) in cases {
        let answer = till.tell(&wrong).await;
        assert_eq!(
            (answer.state(), answer.answer_status),
            (NotificationState::Refused, 401),
            "{why}"
        );
        let list = ListNotificationsRequest { page_size: 1, ..Default::default() };
        let kept = till.world.payments(1).list_notifications(list).await.unwrap().into_inner();
        assert!(
            kept.notifications[0].problem.starts_with(why),
            "{}",
            kept.notifications[0].problem
        );
    }
    till.work().await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Pending);
    till.tell(&told).await;
    till.work().await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
}

#[tokio::test]
async fn one_that_came_before_its_key_was_known_is_replayed_as_of_then() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    let told = company.pay(&payment.out_trade_no);
    let told = request(COMPANY_KEY, "PUB_KEY_ID_2", company.now(), told.body);
    let answer = till.tell(&told).await;
    assert_eq!(answer.state(), NotificationState::Refused);
    // Hours later somebody adds the key.
    till.world.clock.advance(TimeDelta::minutes(14));
    let mut settings = super::accounts::settings(&super::accounts::wechat(&company.origin()));
    let pem = super::seal::COMPANY_PUBLIC.into();
    settings.provider_keys.push(ProviderKey { serial: "PUB_KEY_ID_2".into(), pem });
    super::accounts::save(&till.world, &[super::accounts::with(settings)]).await.unwrap();
    let replay = ReplayNotificationRequest { notification_id: answer.notification_id };
    let replayed = till.world.payments(1).replay_notification(replay).await.unwrap().into_inner();
    assert_eq!(replayed.notification.unwrap().state(), NotificationState::Processed);
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
}

#[tokio::test]
async fn another_amount_currency_or_account_is_held_for_review() {
    let (till, company) = open().await;
    let fine = json!({
        "appid": APPID, "mchid": MCHID, "trade_state": "SUCCESS", "transaction_id": "42",
        "success_time": "2024-06-01T08:00:05+08:00", "amount": {"total": 100, "currency": "CNY"},
    });
    let cases = [
        ("/amount/total", json!(99), "another amount was paid than asked for"),
        ("/amount/currency", json!("HKD"), "another currency was paid than asked for"),
        ("/mchid", json!("1900000002"), "another account got the money than was asked"),
        ("/appid", json!("wx2"), "another account got the money than was asked"),
    ];
    for (n, (field, value, problem)) in (1_u32..).zip(cases) {
        let order = till.claim(n, 100).await;
        let payment = till.start_by(&n.to_string(), order, PaymentMethod::Native).await.unwrap();
        let mut told = fine.clone();
        *told.pointer_mut(field).unwrap() = value;
        told["out_trade_no"] = json!(payment.out_trade_no);
        let event = format!("EV{n}");
        till.tell(&notice(&event, "TRANSACTION.SUCCESS", company.now(), &told)).await;
        till.work().await;
        let held = till.get(&payment).await;
        assert_eq!((held.state(), held.problem.as_str()), (PaymentState::HeldForReview, problem));
        assert_eq!(till.claim_of(order).await.state(), ClaimState::Open);
        // What was held stays held, whatever is told later.
        told = fine.clone();
        told["out_trade_no"] = json!(payment.out_trade_no);
        till.tell(&notice(&format!("{event}b"), "TRANSACTION.SUCCESS", company.now(), &told)).await;
        till.work().await;
        assert_eq!(till.get(&payment).await, held);
    }
}

#[tokio::test]
async fn money_that_is_told_long_after_the_close_goes_back() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    till.close(order).await.unwrap();
    till.work().await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Closed);
    till.world.clock.advance(TimeDelta::hours(20));
    company.books(|books| books.trades.get_mut(&payment.out_trade_no).unwrap().state = "NOTPAY");
    let told = company.pay(&payment.out_trade_no);
    till.tell(&told).await;
    till.work().await;
    let back = vec![(PaymentRefundState::Succeeded, 100)];
    assert_eq!(stand(&till.get(&payment).await), (PaymentState::Surplus, back));
}

#[tokio::test]
async fn what_concerns_nothing_here_is_taken_and_what_is_not_known_is_marked() {
    let (till, company) = open().await;
    let other = notice("EV1", "COUPON.USE", company.now(), &json!({"stock_id": "1"}));
    let unknown = json!({
        "appid": APPID, "mchid": MCHID, "trade_state": "SUCCESS", "transaction_id": "42",
        "out_trade_no": "nobodys", "success_time": "2024-06-01T08:00:05+08:00",
        "amount": {"total": 100, "currency": "CNY"},
    });
    let unknown = notice("EV2", "TRANSACTION.SUCCESS", company.now(), &unknown);
    till.tell(&other).await;
    till.tell(&unknown).await;
    till.work().await;
    let list = ListNotificationsRequest::default();
    let kept = till.world.payments(1).list_notifications(list).await.unwrap().into_inner();
    let states: Vec<_> = kept.notifications.iter().map(Notification::state).collect();
    assert_eq!(states, [NotificationState::Unmatched, NotificationState::Processed]);
}
