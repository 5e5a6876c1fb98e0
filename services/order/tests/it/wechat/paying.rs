use siyu_order::payment::wechat::crypto::Verifier;
use siyu_proto::order::v1::*;
use siyu_testkit::FixedClock;

use super::{
    books::{APPID, MCHID},
    company::{Company, again},
    seal::MERCHANT_PUBLIC,
};
use crate::till::{Till, stand};

pub(crate) async fn open() -> (Till, Company) {
    let clock = FixedClock::at("2024-06-01T00:00:00Z");
    let company = Company::open(&clock).await;
    (Till::beside(&company, &clock).await, company)
}

#[tokio::test]
async fn a_buyer_scans_pays_and_the_claim_is_paid() {
    let (till, company) = open().await;
    let order = till.claim(1, 8_800).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    assert_eq!(payment.code_url, format!("weixin://wxpay/bizpayurl?pr={}", payment.out_trade_no));
    let created = company.books(|books| books.trades[&payment.out_trade_no].created.clone());
    assert_eq!(created["amount"]["total"], 8_800);
    assert_eq!(created["description"], "a shirt 衬衫");
    assert_eq!(created["time_expire"], "2024-06-01T08:16:00+08:00");
    let told = company.pay(&payment.out_trade_no);
    let answer = till.tell(&told).await;
    assert_eq!((answer.state(), answer.answer_status), (NotificationState::Received, 200));
    assert_eq!(answer.answer_body, r#"{"code":"SUCCESS","message":"成功"}"#);
    till.work().await;
    let paid = till.get(&payment).await;
    assert_eq!(paid.state(), PaymentState::Succeeded);
    assert_eq!(paid.provider_transaction_id, format!("42{}", payment.out_trade_no));
    assert_eq!(till.claim_of(order).await.payment_id, payment.id);
    assert_eq!(company.refused(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_device_hands_over_bears_the_merchants_signature() {
    let (till, _company) = open().await;
    let key = Verifier::read("own", MERCHANT_PUBLIC).unwrap();
    let order = till.claim(1, 100).await;
    let value = |payment: &Payment, name: &str| {
        let found = payment.parameters.iter().find(|parameter| parameter.name == name);
        found.unwrap_or_else(|| panic!("{name}: {payment:?}")).value.clone()
    };
    let payment = till.start_by("1", order, PaymentMethod::Jsapi).await.unwrap();
    let [app, time, nonce, package] =
        ["appId", "timeStamp", "nonceStr", "package"].map(|name| value(&payment, name));
    assert_eq!(package, format!("prepay_id=wx{}", payment.out_trade_no));
    let text = format!("{app}\n{time}\n{nonce}\n{package}\n");
    assert!(key.verify(&text, &value(&payment, "paySign")));
    assert_eq!((app.as_str(), value(&payment, "signType").as_str()), (APPID, "RSA"));
    assert_eq!(till.start_by("1", order, PaymentMethod::Jsapi).await.unwrap(), payment);
    let payment = till.start_by("2", order, PaymentMethod::App).await.unwrap();
    let [app, time, nonce, id] =
        ["appid", "timestamp", "noncestr", "prepayid"].map(|name| value(&payment, name));
    assert!(key.verify(&format!("{app}\n{time}\n{nonce}\n{id}\n"), &value(&payment, "sign")));
    assert_eq!(value(&payment, "partnerid"), MCHID);
    assert_eq!(value(&payment, "package"), "Sign=WXPay");
}

#[tokio::test]
async fn closing_asks_the_company_first_and_money_in_between_is_kept() {
    let (till, company) = open().await;
    let (unpaid, paid) = (till.claim(1, 100).await, till.claim(2, 100).await);
    let open = till.start_by("1", unpaid, PaymentMethod::Native).await.unwrap();
    let late = till.start_by("2", paid, PaymentMethod::Native).await.unwrap();
    till.close(unpaid).await.unwrap();
    till.close(paid).await.unwrap();
    let told = company.pay(&late.out_trade_no);
    till.work().await;
    assert_eq!(till.claim_of(unpaid).await.state(), ClaimState::Closed);
    assert_eq!(company.books(|books| books.trades[&open.out_trade_no].state), "CLOSED");
    assert_eq!(till.claim_of(paid).await.state(), ClaimState::Paid);
    till.tell(&told).await;
    till.work().await;
    assert_eq!(stand(&till.get(&late).await), (PaymentState::Succeeded, vec![]));
}

#[tokio::test]
async fn a_second_payment_goes_back_through_the_company() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    let first = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    let second = till.start_by("2", order, PaymentMethod::App).await.unwrap();
    let (one, two) = (company.pay(&first.out_trade_no), company.pay(&second.out_trade_no));
    till.tell(&two).await;
    till.work().await;
    till.tell(&one).await;
    till.work().await;
    let back = vec![(PaymentRefundState::Succeeded, 100)];
    assert_eq!(stand(&till.get(&first).await), (PaymentState::Surplus, back));
    assert_eq!(stand(&till.get(&second).await), (PaymentState::Succeeded, vec![]));
    let refunds = company.books(|books| books.refunds.keys().cloned().collect::<Vec<_>>());
    assert_eq!(refunds, [format!("{}-r1", first.out_trade_no)]);
}

#[tokio::test]
async fn a_request_that_is_sent_again_by_a_listener_has_no_effect() {
    let (till, company) = open().await;
    let order = till.claim(1, 100).await;
    till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    let heard = company.last();
    assert_eq!(again(&company, heard.clone()).await, 401);
    let (method, path, authorization, body) = heard;
    let dearer = body.replace("\"total\":100", "\"total\":900");
    assert_ne!(dearer, body);
    assert_eq!(again(&company, (method, path, authorization, dearer)).await, 401);
    assert_eq!(company.refused(), ["it came before", "the signature does not fit"]);
    let totals = company.books(|books| {
        let all = books.trades.values().map(|trade| trade.created["amount"]["total"].clone());
        all.collect::<Vec<_>>()
    });
    assert_eq!(totals, [100]);
}

#[tokio::test]
async fn another_currency_or_a_paused_account_is_refused() {
    let (till, company) = open().await;
    let order = till.claim_in(1, 100, "USD").await;
    let refused = till.start_by("1", order, PaymentMethod::Native).await.unwrap_err();
    assert_eq!(refused.reason(), "CURRENCY_NOT_TAKEN");
    let mut account = super::accounts::wechat(&company.origin());
    account.paused = true;
    super::accounts::save(&till.world, &[account]).await.unwrap();
    let order = till.claim(2, 100).await;
    let refused = till.start_by("2", order, PaymentMethod::Native).await.unwrap_err();
    assert_eq!(refused.reason(), "ACCOUNT_PAUSED");
    assert!(company.books(|books| books.trades.is_empty()));
}
