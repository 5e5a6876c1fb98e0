use chrono::TimeDelta;
use serde_json::json;
use siyu_proto::order::v1::*;

use super::{
    company::{Company, Mishap},
    paying::open,
    seal::notice,
};
use crate::till::{Till, stand};

async fn paid(till: &Till, company: &Company) -> Payment {
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    till.tell(&company.pay(&payment.out_trade_no)).await;
    till.work().await;
    payment
}

fn told(company: &Company, payment: &Payment, n: u32, status: &str) -> ReceiveNotificationRequest {
    let number = format!("{}-r{n}", payment.out_trade_no);
    let mut clear = json!({
        "mchid": super::books::MCHID, "out_trade_no": payment.out_trade_no,
        "out_refund_no": number, "refund_id": format!("50{number}"), "refund_status": status,
    });
    if status == "SUCCESS" {
        clear["success_time"] = json!("2024-06-01T09:00:00+08:00");
    }
    let event = format!("RF-{number}-{status}");
    notice(&event, &format!("REFUND.{status}"), company.now(), &clear)
}

#[tokio::test]
async fn a_refund_that_takes_its_time_ends_when_the_company_tells() {
    let (till, company) = open().await;
    company.books(|books| books.refunds_are = "PROCESSING");
    let payment = paid(&till, &company).await;
    till.refund(&payment, "a", 40).await.unwrap();
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Processing, 40)]);
    till.tell(&told(&company, &payment, 1, "SUCCESS")).await;
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Succeeded, 40)]);
    // What was told before and comes later does not take it back.
    till.tell(&told(&company, &payment, 1, "CLOSED")).await;
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Succeeded, 40)]);
    let more = till.refund(&payment, "b", 61).await.unwrap_err();
    assert_eq!(more.reason(), "REFUND_EXCEEDS_PAYMENT");
}

#[tokio::test]
async fn a_refund_that_is_closed_gives_its_amount_free_and_an_abnormal_one_does_not() {
    let (till, company) = open().await;
    company.books(|books| books.refunds_are = "PROCESSING");
    let payment = paid(&till, &company).await;
    till.refund(&payment, "a", 60).await.unwrap();
    till.work().await;
    till.tell(&told(&company, &payment, 1, "ABNORMAL")).await;
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Processing, 60)]);
    assert!(till.refund(&payment, "b", 60).await.is_err(), "the money has left");
    till.tell(&told(&company, &payment, 1, "CLOSED")).await;
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Failed, 60)]);
    till.refund(&payment, "b", 60).await.unwrap();
}

#[tokio::test]
async fn a_refund_whose_answer_got_lost_is_sent_once() {
    let (till, company) = open().await;
    let payment = paid(&till, &company).await;
    company.mishaps(&[Mishap::Lost]);
    till.refund(&payment, "a", 40).await.unwrap();
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Unknown, 40)]);
    assert_eq!(company.books(|books| books.refunds.len()), 1, "it had its effect");
    company.mishaps(&[Mishap::Forged, Mishap::Busy]);
    till.pass(TimeDelta::minutes(3)).await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Succeeded, 40)]);
    assert_eq!(company.books(|books| books.refunds.len()), 1);
}

#[tokio::test]
async fn a_refund_that_never_arrived_is_sent_again_under_its_number() {
    let (till, company) = open().await;
    let payment = paid(&till, &company).await;
    company.mishaps(&[Mishap::Busy]);
    till.refund(&payment, "a", 40).await.unwrap();
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Unknown, 40)]);
    assert!(company.books(|books| books.refunds.is_empty()));
    till.pass(TimeDelta::minutes(1)).await;
    assert_eq!(stand(&till.get(&payment).await).1, [(PaymentRefundState::Succeeded, 40)]);
    let numbers = company.books(|books| books.refunds.keys().cloned().collect::<Vec<_>>());
    assert_eq!(numbers, [format!("{}-r1", payment.out_trade_no)]);
}

#[tokio::test]
async fn whatever_was_said_of_a_refund_the_company_takes_it() {
    let (till, company) = open().await;
    let payment = paid(&till, &company).await;
    let long = "the buyer says that it is too small 太小了，太小了，太小了，太小了，太小了，太小了，太小了";
    assert!(long.len() > 80);
    for (key, reason) in [("a", ""), ("b", long), ("c", "too small")] {
        till.refund_because(&payment, key, (10, reason)).await.unwrap();
        till.work().await;
    }
    let back = (PaymentRefundState::Succeeded, 10);
    assert_eq!(stand(&till.get(&payment).await).1, [back, back, back]);
}
