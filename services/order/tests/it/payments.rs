use chrono::TimeDelta;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::till::{Till, stand};

fn reason<T: std::fmt::Debug>(refused: Result<T, Fault>) -> String {
    refused.unwrap_err().reason().to_owned()
}

#[tokio::test]
async fn a_buyer_pays_and_the_claim_is_paid_by_what_the_company_tells() {
    let till = Till::open().await;
    let order = till.claim(1, 8_800).await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Open);
    let payment = till.start("1", order).await.unwrap();
    assert_eq!((payment.state(), payment.seq), (PaymentState::Pending, 1));
    assert_eq!(payment.out_trade_no, "00000000000000000000000001-1");
    assert_eq!(payment.code_url, "sandbox://pay/box/00000000000000000000000001-1");
    assert_eq!(till.start("1", order).await.unwrap(), payment, "a repeat is the same attempt");
    till.pay(&payment).await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Pending, "it is worked on later");
    till.work().await;
    let paid = till.get(&payment).await;
    assert_eq!(paid.state(), PaymentState::Succeeded);
    assert_eq!(paid.paid.as_ref().unwrap().minor_units, 8_800);
    assert_eq!(paid.code_url, "", "nobody pays it once more");
    let claim = till.claim_of(order).await;
    assert_eq!((claim.state(), claim.payment_id), (ClaimState::Paid, payment.id.clone()));
    // Told again, and again, nothing changes.
    for _ in 0..3 {
        till.pay(&payment).await;
        till.work().await;
    }
    assert_eq!(till.get(&payment).await, paid);
    let told = till.world.count("select times::bigint from payment_notifications").await;
    assert_eq!(told, 4, "one event, which came four times");
    assert_eq!(reason(till.start("2", order).await), "CLAIM_NOT_OPEN");
    assert_eq!(reason(till.close(order).await), "CLAIM_PAID");
}

#[tokio::test]
async fn what_nobody_told_is_asked_for() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.simulate(&payment, SandboxAct::PaySilently, 0).await.unwrap();
    till.work().await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Pending);
    let request = QueryPaymentRequest { payment_id: payment.id.clone() };
    let asked = till.world.payments(1).query_payment(request).await.unwrap().into_inner();
    assert_eq!(asked.payment.unwrap().state(), PaymentState::Succeeded);
    // Where nobody asks, a job does.
    let order = till.claim(2, 100).await;
    let payment = till.start("2", order).await.unwrap();
    till.simulate(&payment, SandboxAct::PaySilently, 0).await.unwrap();
    till.pass(TimeDelta::minutes(1)).await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
}

#[tokio::test]
async fn another_amount_is_held_for_review_and_pays_nothing() {
    let till = Till::open().await;
    let order = till.claim(1, 8_800).await;
    let payment = till.start("1", order).await.unwrap();
    till.simulate(&payment, SandboxAct::Pay, 8_799).await.unwrap();
    till.work().await;
    let held = till.get(&payment).await;
    assert_eq!(held.state(), PaymentState::HeldForReview);
    assert_eq!(held.problem, "another amount was paid than asked for");
    assert_eq!(held.paid.unwrap().minor_units, 8_799);
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Open);
    // The buyer may pay by another attempt.
    let second = till.start("2", order).await.unwrap();
    till.pay(&second).await;
    till.work().await;
    assert_eq!(till.claim_of(order).await.payment_id, second.id);
    assert_eq!(till.get(&payment).await.state(), PaymentState::HeldForReview);
}

#[tokio::test]
async fn of_two_payments_of_one_order_one_is_kept_and_the_other_goes_back() {
    let till = Till::open().await;
    till.save_account("other").await;
    let order = till.claim(1, 8_800).await;
    let first = till.start("1", order).await.unwrap();
    let second = till.start_with("2", order, "other").await.unwrap();
    assert_eq!((first.seq, second.seq), (1, 2));
    till.pay(&second).await;
    till.pay(&first).await;
    till.work().await;
    // Both are told at the same moment: the one that is worked on first is kept.
    let kept = till.claim_of(order).await.payment_id;
    let (kept, other) = if kept == first.id { (first, second) } else { (second, first) };
    assert_eq!(stand(&till.get(&kept).await), (PaymentState::Succeeded, vec![]));
    let back = vec![(PaymentRefundState::Succeeded, 8_800)];
    assert_eq!(stand(&till.get(&other).await), (PaymentState::Surplus, back));
    assert_eq!(till.claim_of(order).await.payment_id, kept.id);
}

#[tokio::test]
async fn a_paid_claim_closes_its_other_attempts() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let first = till.start("1", order).await.unwrap();
    let second = till.start("2", order).await.unwrap();
    till.pay(&first).await;
    till.work().await;
    assert_eq!(till.get(&second).await.state(), PaymentState::Closed);
    let refused = till.simulate(&second, SandboxAct::Pay, 0).await;
    assert_eq!(reason(refused), "SANDBOX_REFUSED", "nobody can pay it any more");
}

#[tokio::test]
async fn a_claim_is_closed_after_its_attempts_and_a_payment_in_between_pays_it() {
    let till = Till::open().await;
    let unpaid = till.claim(1, 100).await;
    let open = till.start("1", unpaid).await.unwrap();
    let claim = till.close(unpaid).await.unwrap();
    assert_eq!(claim.state.as_str(), "closing", "the company is asked first");
    assert_eq!(reason(till.start("3", unpaid).await), "CLAIM_NOT_OPEN");
    till.work().await;
    assert_eq!(till.claim_of(unpaid).await.state(), ClaimState::Closed);
    assert_eq!(till.get(&open).await.state(), PaymentState::Closed);
    // The buyer was faster than the question.
    let paid = till.claim(2, 100).await;
    let payment = till.start("2", paid).await.unwrap();
    till.close(paid).await.unwrap();
    till.simulate(&payment, SandboxAct::PaySilently, 0).await.unwrap();
    till.work().await;
    assert_eq!(till.claim_of(paid).await.state(), ClaimState::Paid);
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
    // With nothing begun it is closed at once.
    let bare = till.claim(3, 100).await;
    assert_eq!(till.close(bare).await.unwrap().state.as_str(), "closed");
}

#[tokio::test]
async fn nothing_to_pay_is_paid_at_once() {
    let till = Till::open().await;
    let order = till.claim(1, 0).await;
    let claim = till.claim_of(order).await;
    assert_eq!((claim.state(), claim.payment_id.as_str()), (ClaimState::Paid, ""));
    assert_eq!(reason(till.start("1", order).await), "CLAIM_NOT_OPEN");
}

#[tokio::test]
async fn a_request_is_one_attempt_and_its_key_no_other() {
    let till = Till::open().await;
    let (one, two) = (till.claim(1, 100).await, till.claim(2, 100).await);
    let first = till.start("1", one).await.unwrap();
    assert_eq!(reason(till.start("1", two).await), "REQUEST_ID_REUSED");
    let all = (0..16).map(|_| till.start("2", two));
    let started = futures::future::join_all(all).await;
    let ids: std::collections::BTreeSet<String> =
        started.into_iter().map(|payment| payment.unwrap().id).collect();
    assert_eq!(ids.len(), 1);
    assert!(!ids.contains(&first.id));
    assert_eq!(till.world.count("select count(*) from payments").await, 2);
    assert_eq!(till.world.count("select count(*) from sandbox_trades").await, 2);
}

#[tokio::test]
async fn an_order_takes_so_many_attempts_and_no_more() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    for n in 1..=50 {
        assert_eq!(till.start(&n.to_string(), order).await.unwrap().seq, n);
    }
    assert_eq!(reason(till.start("51", order).await), "TOO_MANY_PAYMENTS");
}

#[tokio::test]
async fn what_is_not_there_is_named_and_nobody_sees_anothers() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let unknown = till.start_with("1", order, "none").await.unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.metadata()["resource"].as_str()),
        (Code::NotFound, "provider account")
    );
    let nobody = till.start("1", siyu_testkit::id(9)).await.unwrap_err();
    assert_eq!(
        (nobody.code(), nobody.metadata()["resource"].as_str()),
        (Code::NotFound, "payment claim")
    );
    let payment = till.start("1", order).await.unwrap();
    let request = GetPaymentRequest { payment_id: payment.id.clone() };
    let foreign = till.world.payments(2).get_payment(request).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(foreign).code(), Code::NotFound);
    till.world.clock.advance(TimeDelta::minutes(15));
    assert_eq!(reason(till.start("2", order).await), "CLAIM_NOT_OPEN", "its time is over");
}

#[tokio::test]
async fn a_forged_notification_is_kept_aside_and_the_true_one_is_taken() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.pay(&payment).await;
    let list = ListNotificationsRequest::default();
    let told = till.world.payments(1).list_notifications(list).await.unwrap().into_inner();
    let mut told = told.notifications.into_iter().next().unwrap();
    told.body = told.body.replace("\"amount_minor\":100", "\"amount_minor\":100 ");
    let forged = ReceiveNotificationRequest {
        account_code: "box".into(),
        headers: told.headers,
        body: told.body,
    };
    let answer = till.world.payments(1).receive_notification(forged).await.unwrap().into_inner();
    assert_eq!((answer.state(), answer.answer_status), (NotificationState::Refused, 401));
    let replay = ReplayNotificationRequest { notification_id: answer.notification_id.clone() };
    let refused = till.world.payments(1).replay_notification(replay).await.unwrap_err();
    assert_eq!(siyu_grpc::fault(refused).reason(), "NOTIFICATION_REFUSED");
    till.work().await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
    let replay = ReplayNotificationRequest { notification_id: told.id };
    let again = till.world.payments(1).replay_notification(replay).await.unwrap().into_inner();
    assert_eq!(again.notification.unwrap().state(), NotificationState::Processed);
    assert_eq!(till.get(&payment).await.refunds.len(), 0, "a replay pays nothing twice");
}

#[tokio::test]
async fn payments_are_listed_by_order_and_by_state() {
    let till = Till::open().await;
    let (one, two) = (till.claim(1, 100).await, till.claim(2, 100).await);
    for n in 0..5 {
        till.start(&format!("a{n}"), one).await.unwrap();
    }
    let other = till.start("b", two).await.unwrap();
    till.pay(&other).await;
    till.work().await;
    let list = async |order_id: String, state: PaymentState| {
        let mut request = ListPaymentsRequest {
            order_id,
            state: state.into(),
            page_size: 2,
            ..Default::default()
        };
        let mut found = Vec::new();
        loop {
            let page =
                till.world.payments(1).list_payments(request.clone()).await.unwrap().into_inner();
            found.extend(page.payments.into_iter().map(|payment| payment.seq));
            if page.next_page_token.is_empty() {
                return found;
            }
            request.page_token = page.next_page_token;
        }
    };
    assert_eq!(list(one.to_string(), PaymentState::Unspecified).await, [5, 4, 3, 2, 1]);
    assert_eq!(list(String::new(), PaymentState::Succeeded).await, [1]);
    assert_eq!(list(String::new(), PaymentState::Unspecified).await.len(), 6);
}
