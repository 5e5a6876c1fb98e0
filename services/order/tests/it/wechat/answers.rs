//! Answers that get lost, are changed, forged or old: nothing follows from them.

use chrono::TimeDelta;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use super::{company::Mishap, paying::open};
use crate::till::Till;

async fn query(till: &Till, payment: &Payment) -> Result<Payment, Fault> {
    let request = QueryPaymentRequest { payment_id: payment.id.clone() };
    let reply = till.world.payments(1).query_payment(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().payment.unwrap())
}

fn is_silence(fault: &Fault) -> bool {
    (fault.code(), fault.reason()) == (Code::Unavailable, "PROVIDER_UNAVAILABLE")
}

#[tokio::test]
async fn an_attempt_whose_answer_got_lost_goes_on_under_the_same_number() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    company.mishaps(&[Mishap::Lost]);
    let lost = till.start_by("1", order, PaymentMethod::Native).await.unwrap_err();
    assert!(is_silence(&lost), "{lost:?}");
    assert_eq!(company.books(|books| books.trades.len()), 1, "it had its effect");
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    assert_eq!((payment.state(), payment.seq), (PaymentState::Pending, 1));
    assert_eq!(company.books(|books| books.trades.len()), 1);
    // Where the caller does not come back, a job goes on.
    let order = till.claim(2, 100).await;
    company.mishaps(&[Mishap::Lost]);
    till.start_by("2", order, PaymentMethod::Native).await.unwrap_err();
    till.pass(TimeDelta::minutes(2)).await;
    let payment = till.start_by("2", order, PaymentMethod::Native).await.unwrap();
    assert_eq!(payment.state(), PaymentState::Pending);
    assert_eq!(company.books(|books| books.trades.len()), 2);
}

#[tokio::test]
async fn answers_that_do_not_bear_the_companys_signature_change_nothing() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    for mishap in [Mishap::Unsigned, Mishap::Changed, Mishap::Old, Mishap::Forged, Mishap::Busy] {
        company.mishaps(&[mishap]);
        let silent = query(&till, &payment).await.unwrap_err();
        assert!(is_silence(&silent), "{mishap:?}: {silent:?}");
        assert_eq!(till.get(&payment).await, payment, "{mishap:?}");
    }
    assert_eq!(query(&till, &payment).await.unwrap().state(), PaymentState::Pending);
    company.pay(&payment.out_trade_no);
    assert_eq!(query(&till, &payment).await.unwrap().state(), PaymentState::Succeeded);
}

#[tokio::test]
async fn a_merchant_whom_the_company_does_not_believe_waits_and_nothing_is_begun() {
    let (till, company) = open().await;
    let mut account = super::accounts::wechat(&company.origin());
    let other = WechatAccount {
        private_key_pem: super::seal::COMPANY_KEY.into(),
        ..super::accounts::settings(&account)
    };
    account = super::accounts::with(other);
    super::accounts::save(&till.world, &[account]).await.unwrap();
    let order = till.claim(1, 100).await;
    let silent = till.start_by("1", order, PaymentMethod::Native).await.unwrap_err();
    assert!(is_silence(&silent), "{silent:?}");
    assert_eq!(company.refused(), ["the signature does not fit"]);
    assert!(company.books(|books| books.trades.is_empty()));
    // The key is put right, and a job goes on.
    let right = super::accounts::wechat(&company.origin());
    super::accounts::save(&till.world, &[right]).await.unwrap();
    till.pass(TimeDelta::minutes(2)).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    assert_eq!(payment.state(), PaymentState::Pending);
}

#[tokio::test]
async fn a_close_whose_answer_got_lost_is_asked_again() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    till.close(order).await.unwrap();
    company.mishaps(&[Mishap::Lost, Mishap::Forged, Mishap::Busy]);
    till.work().await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Closing);
    till.pass(TimeDelta::minutes(2)).await;
    assert_eq!(till.claim_of(order).await.state(), ClaimState::Closed);
    assert_eq!(till.get(&payment).await.state(), PaymentState::Closed);
}

#[tokio::test]
async fn a_number_that_the_company_refuses_ends_the_attempt_and_another_may_be_begun() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    // Somebody closed the number there before it was ours.
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    company.books(|books| books.trades.get_mut(&payment.out_trade_no).unwrap().state = "CLOSED");
    let mut owner = till.world.database.owner().await;
    sqlx::query("update payments set state = 'created'").execute(&mut owner).await.unwrap();
    let refused = till.start_by("1", order, PaymentMethod::Native).await.unwrap_err();
    assert_eq!(refused.reason(), "PROVIDER_REFUSED");
    assert!(refused.message().contains("ORDER_CLOSED"), "{refused:?}");
    assert_eq!(till.get(&payment).await.state(), PaymentState::Failed);
    let next = till.start_by("2", order, PaymentMethod::Native).await.unwrap();
    assert_eq!((next.state(), next.seq), (PaymentState::Pending, 2));
}

#[tokio::test]
async fn a_number_that_was_paid_before_its_answer_came_is_paid() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    company.pay(&payment.out_trade_no);
    let mut owner = till.world.database.owner().await;
    sqlx::query("update payments set state = 'created'").execute(&mut owner).await.unwrap();
    // It is refused because it is paid, and that is found out.
    let paid = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    assert_eq!(paid.state(), PaymentState::Succeeded);
}
