use chrono::TimeDelta;
use futures::future::join_all;
use siyu_kernel::Fault;
use siyu_proto::order::v1::*;

use crate::till::{Till, stand};

async fn paid(till: &Till, minor: i64) -> Payment {
    let order = till.claim(1, minor).await;
    let payment = till.start("1", order).await.unwrap();
    till.pay(&payment).await;
    till.work().await;
    till.get(&payment).await
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Fault>) -> String {
    refused.unwrap_err().reason().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_refunds_of_sixty_of_a_hundred_at_once_one_is_made() {
    let till = Till::open().await;
    let payment = paid(&till, 100).await;
    let (a, b) = tokio::join!(till.refund(&payment, "a", 60), till.refund(&payment, "b", 60));
    let (made, refused): (Vec<_>, Vec<_>) = [a, b].into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    let fault = refused.into_iter().next().unwrap().unwrap_err();
    assert_eq!(
        (fault.reason(), fault.metadata()["left_minor"].as_str()),
        ("REFUND_EXCEEDS_PAYMENT", "40")
    );
    till.work().await;
    let back = vec![(PaymentRefundState::Succeeded, 60)];
    assert_eq!(stand(&till.get(&payment).await), (PaymentState::Succeeded, back));
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_refunds_are_asked_for_no_more_goes_back_than_was_paid() {
    let till = Till::open().await;
    let payment = paid(&till, 100).await;
    let keys: Vec<String> = (0..32).map(|n| n.to_string()).collect();
    let made = join_all(keys.iter().map(|key| till.refund(&payment, key, 7))).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 14, "14 times 7 is 98");
    till.work().await;
    let back = till.world.count("select sum(amount_minor)::bigint from sandbox_refunds").await;
    assert_eq!(back, 98);
}

#[tokio::test]
async fn a_refund_that_fails_may_be_made_again_under_another_key() {
    let till = Till::open().await;
    let payment = paid(&till, 100).await;
    till.simulate(&payment, SandboxAct::RefuseRefunds, 0).await.unwrap();
    till.refund(&payment, "a", 100).await.unwrap();
    assert_eq!(reason(till.refund(&payment, "b", 1).await), "REFUND_EXCEEDS_PAYMENT");
    till.work().await;
    let failed = till.get(&payment).await;
    assert_eq!(stand(&failed).1, [(PaymentRefundState::Failed, 100)]);
    assert_eq!(failed.refunds[0].failure, "the payment cannot be given back");
    till.simulate(&payment, SandboxAct::TakeRefunds, 0).await.unwrap();
    till.refund(&payment, "b", 100).await.unwrap();
    till.work().await;
    let back = [(PaymentRefundState::Failed, 100), (PaymentRefundState::Succeeded, 100)];
    assert_eq!(stand(&till.get(&payment).await).1, back);
    assert_eq!(till.world.count("select count(*) from sandbox_refunds").await, 1);
}

#[tokio::test]
async fn a_refund_whose_answer_got_lost_is_asked_for_and_never_made_twice() {
    let till = Till::open().await;
    let payment = paid(&till, 100).await;
    till.simulate(&payment, SandboxAct::SwallowAnswers, 1).await.unwrap();
    till.refund(&payment, "a", 30).await.unwrap();
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Unknown, 30)]);
    till.pass(TimeDelta::minutes(1)).await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Succeeded, 30)]);
    assert_eq!(till.world.count("select count(*) from sandbox_refunds").await, 1);
    // The process dies after the call: it is found sending, and asked for first.
    till.refund(&payment, "b", 20).await.unwrap();
    till.work().await;
    let mut owner = till.world.database.owner().await;
    let died = "update payment_refunds set state = 'sending', ended_at = null, due_at = created_at where key = 'b'";
    sqlx::query(died).execute(&mut owner).await.unwrap();
    till.work().await;
    let back = [(PaymentRefundState::Succeeded, 30), (PaymentRefundState::Succeeded, 20)];
    assert_eq!(stand(&till.get(&payment).await).1, back);
    assert_eq!(till.world.count("select count(*) from sandbox_refunds").await, 2);
}

#[tokio::test]
async fn a_key_is_one_refund() {
    let till = Till::open().await;
    let payment = paid(&till, 100).await;
    let first = till.refund(&payment, "a", 30).await.unwrap();
    assert_eq!(till.refund(&payment, "a", 30).await.unwrap(), first);
    assert_eq!(first.out_refund_no, "00000000000000000000000001-1-r1");
    assert_eq!(reason(till.refund(&payment, "a", 31).await), "REFUND_KEY_REUSED");
    for minor in [0, -1, 71] {
        let refused = reason(till.refund(&payment, "b", minor).await);
        assert_eq!(refused, "REFUND_EXCEEDS_PAYMENT", "{minor}");
    }
    let order = till.claim(2, 100).await;
    let unpaid = till.start("2", order).await.unwrap();
    assert_eq!(reason(till.refund(&unpaid, "a", 1).await), "PAYMENT_NOT_PAID");
}
