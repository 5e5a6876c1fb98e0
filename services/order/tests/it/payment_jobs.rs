//! What a lost answer, a silent company and a process that dies leave behind, and how it ends.

use chrono::TimeDelta;
use siyu_kernel::Code;
use siyu_proto::order::v1::*;

use crate::till::{Till, stand};

#[tokio::test]
async fn a_claim_whose_time_is_over_is_closed_and_its_attempts_with_it() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.pass(TimeDelta::minutes(14)).await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Open);
    till.pass(TimeDelta::minutes(2)).await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Closed);
    assert_eq!(till.get(&payment).await.state(), PaymentState::Closed);
}

#[tokio::test]
async fn a_company_that_does_not_answer_is_asked_until_it_does() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.simulate(&payment, SandboxAct::PaySilently, 0).await.unwrap();
    till.simulate(&payment, SandboxAct::SwallowAnswers, 3).await.unwrap();
    let request = QueryPaymentRequest { payment_id: payment.id.clone() };
    let silent = till.world.payments(1).query_payment(request).await.unwrap_err();
    let silent = siyu_grpc::fault(silent);
    assert_eq!((silent.code(), silent.reason()), (Code::Unavailable, "PROVIDER_UNAVAILABLE"));
    assert_eq!(till.get(&payment).await.state(), PaymentState::Pending, "silence is no failure");
    till.pass(TimeDelta::minutes(5)).await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
}

#[tokio::test]
async fn a_close_without_an_answer_is_tried_again_and_money_in_between_is_kept() {
    let till = Till::open().await;
    let (unpaid, paid) = (till.claim(1, 100).await, till.claim(2, 100).await);
    let open = till.start("1", unpaid).await.unwrap();
    let late = till.start("2", paid).await.unwrap();
    till.simulate(&open, SandboxAct::SwallowAnswers, 2).await.unwrap();
    till.simulate(&late, SandboxAct::SwallowAnswers, 1).await.unwrap();
    till.simulate(&late, SandboxAct::PaySilently, 0).await.unwrap();
    till.close(unpaid).await.unwrap();
    till.close(paid).await.unwrap();
    till.work().await;
    assert_eq!(till.claim_of(unpaid).await.state(), ClaimState::Closing);
    assert_eq!(till.claim_of(paid).await.state(), ClaimState::Closing);
    till.pass(TimeDelta::minutes(2)).await;
    assert_eq!(till.claim_of(unpaid).await.state(), ClaimState::Closed);
    assert_eq!(till.claim_of(paid).await.state(), ClaimState::Paid);
    assert_eq!(till.get(&late).await.state(), PaymentState::Succeeded);
}

#[tokio::test]
async fn what_a_process_that_died_had_stored_is_handed_over_by_another() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    // As it stands when the process dies between the commit and the call.
    let mut owner = till.world.database.owner().await;
    sqlx::query("delete from sandbox_trades").execute(&mut owner).await.unwrap();
    sqlx::query("update payments set state = 'created', prepay = ''")
        .execute(&mut owner)
        .await
        .unwrap();
    till.pass(TimeDelta::minutes(1)).await;
    assert_eq!(till.get(&payment).await.state(), PaymentState::Pending);
    assert_eq!(till.start("1", order).await.unwrap().code_url, payment.code_url);
}

#[tokio::test]
async fn money_that_comes_after_the_close_goes_back_by_itself() {
    let till = Till::open().await;
    let order = till.claim(1, 8_800).await;
    let payment = till.start("1", order).await.unwrap();
    till.close(order).await.unwrap();
    till.work().await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Closed);
    // The company took money all the same.
    let mut owner = till.world.database.owner().await;
    sqlx::query("update sandbox_trades set state = 'open'").execute(&mut owner).await.unwrap();
    till.pay(&payment).await;
    till.work().await;
    let back = vec![(PaymentRefundState::Succeeded, 8_800)];
    assert_eq!(stand(&till.get(&payment).await), (PaymentState::Surplus, back));
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Closed);
}

#[tokio::test]
async fn a_notification_of_something_unknown_is_kept_until_it_is_known() {
    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    let mut owner = till.world.database.owner().await;
    till.pay(&payment).await;
    sqlx::query("update payments set out_trade_no = 'other'").execute(&mut owner).await.unwrap();
    till.work().await;
    let list = ListNotificationsRequest {
        state: NotificationState::Unmatched.into(),
        ..ListNotificationsRequest::default()
    };
    let told = till.world.payments(1).list_notifications(list).await.unwrap().into_inner();
    let id = told.notifications[0].id.clone();
    sqlx::query("update payments set out_trade_no = '00000000000000000000000001-1'")
        .execute(&mut owner)
        .await
        .unwrap();
    let replay = ReplayNotificationRequest { notification_id: id };
    till.world.payments(1).replay_notification(replay).await.unwrap();
    assert_eq!(till.get(&payment).await.state(), PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_refused_some_is_kept_for_some_days() {
    let till = Till::open().await;
    till.save_account("other").await;
    let forged = |account: &str, n: usize| ReceiveNotificationRequest {
        account_code: account.into(),
        headers: Vec::new(),
        body: format!("forged {n}"),
    };
    let kept = "select count(*) from payment_notifications where state = 'refused'";
    let requests: Vec<_> = (0..60).map(|n| forged("box", n)).collect();
    let answers = futures::future::join_all(requests.iter().map(|told| till.tell(told))).await;
    assert!(answers.iter().all(|a| a.state() == NotificationState::Refused));
    assert!(answers.iter().all(|a| a.answer_status == 401));
    let stored = answers.iter().filter(|answer| !answer.notification_id.is_empty()).count();
    assert_eq!((stored, till.world.count(kept).await), (20, 20));
    // Another account has its own, and so has another hour.
    assert!(!till.tell(&forged("other", 0)).await.notification_id.is_empty());
    till.world.clock.advance(TimeDelta::hours(1));
    assert!(!till.tell(&forged("box", 60)).await.notification_id.is_empty());
    assert_eq!(till.world.count(kept).await, 22);
    // What the company told is never in their way, and stays when they go.
    let order = till.claim(1, 100).await;
    let payment = till.start("1", order).await.unwrap();
    till.pay(&payment).await;
    till.world.clock.advance(TimeDelta::days(7) - TimeDelta::minutes(30));
    till.work().await;
    assert_eq!(till.world.count(kept).await, 1, "the others came more than a week ago");
    let told = "select count(*) from payment_notifications where state = 'processed'";
    assert_eq!(till.world.count(told).await, 1);
    // One that was believed once stays, whatever a later look makes of it.
    let doubted = "update payment_notifications set state = 'refused', event_id = null where state = 'processed'";
    sqlx::query(doubted).execute(&mut till.world.database.owner().await).await.unwrap();
    till.world.clock.advance(TimeDelta::days(8));
    till.work().await;
    assert_eq!(till.world.count(kept).await, 1);
}
