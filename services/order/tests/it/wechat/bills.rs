//! Statements as WeChat Pay gives them.

use chrono::TimeDelta;
use siyu_proto::order::v1::*;

use super::{
    company::{Company, Mishap},
    paying::open,
};
use crate::{
    reconciliation::{DAY, differences, fetched, import},
    till::Till,
};

const NAMES: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
    付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,\
    商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n";

fn paid(number: &str, yuan: &str) -> String {
    format!(
        "`2024-06-01 08:00:05,`wx,`19,`0,`,`42{number},`{number},`o,`NATIVE,`SUCCESS,`OTHERS,`CNY,`{yuan},`0.00,`0,`0,\
         `0.00,`0.00,`,`,`shirt,`,`0.01,`0.60%,`{yuan},`0.00,`\n"
    )
}

fn back(number: &str, yuan: &str) -> String {
    format!(
        "`2024-06-01 09:00:05,`wx,`19,`0,`,`42{number},`{number},`o,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50{number},\
         `{number}-r1,`{yuan},`0.00,`ORIGINAL,`SUCCESS,`shirt,`,`-0.01,`0.60%,`0.00,`{yuan},`\n"
    )
}

fn bill(lines: &[String]) -> String {
    format!("{NAMES}{}总交易单数,应结订单总金额\n`2,`1.00\n", lines.concat())
}

/// A payment of 88.05 of which 20.05 went back; then the day is over.
async fn sold() -> (Till, Company, String) {
    let (till, company) = open().await;
    let order = till.claim(1, 8_805).await;
    let payment = till.start_by("1", order, PaymentMethod::Native).await.unwrap();
    till.tell(&company.pay(&payment.out_trade_no)).await;
    till.work().await;
    till.refund(&payment, "a", 2_005).await.unwrap();
    till.work().await;
    till.world.clock.advance(TimeDelta::days(1));
    (till, company, payment.out_trade_no)
}

#[tokio::test]
async fn a_bill_is_fetched_and_compared() {
    let (till, company, number) = sold().await;
    let early = import(&till, fetched("wx")).await.unwrap_err();
    assert_eq!(early.reason(), "STATEMENT_NOT_READY");
    let right = bill(&[paid(&number, "88.05"), back(&number, "20.05")]);
    company.books(|books| books.bills.insert(DAY.into(), right));
    let day = import(&till, fetched("wx")).await.unwrap();
    assert_eq!((day.rows, day.matched, day.open), (2, 2, 0));
    assert_eq!((day.paid_minor, day.refunded_minor), (8_805, 2_005));
    let wrong = bill(&[paid(&number, "88.04"), back(&number, "20.05"), paid("other", "1.00")]);
    company.books(|books| books.bills.insert(DAY.into(), wrong));
    let day = import(&till, fetched("wx")).await.unwrap();
    assert_eq!((day.rows, day.matched, day.open), (3, 1, 2));
    let amounts: Vec<i64> =
        differences(&till).await.iter().map(|d| d.amount.as_ref().unwrap().minor_units).collect();
    assert_eq!(amounts, [-1, 100]);
}

#[tokio::test]
async fn a_bill_that_is_not_what_the_company_signed_is_not_taken() {
    let (till, company, number) = sold().await;
    company.books(|books| books.bills.insert(DAY.into(), bill(&[paid(&number, "88.05")])));
    company.next_file_is_changed();
    let refused = import(&till, fetched("wx")).await.unwrap_err();
    assert_eq!(refused.reason(), "PROVIDER_UNAVAILABLE");
    company.mishaps(&[Mishap::Forged]);
    let refused = import(&till, fetched("wx")).await.unwrap_err();
    assert_eq!(refused.reason(), "PROVIDER_UNAVAILABLE");
    assert_eq!(till.world.count("select count(*) from statement_rows").await, 0);
}
