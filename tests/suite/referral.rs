//! The third side of the triangle: an old customer brings a new one, and buys in a field of which the first order was not.

use chrono::TimeDelta;
use siyu_kernel::Clock;
use siyu_proto::{
    distribution::v1::{
        BindCustomerRequest, CreatePromoterRequest, binding_service_client::BindingServiceClient,
        promoter_service_client::PromoterServiceClient,
    },
    metrics::v1::{GetTriangleRequest, GetTriangleResponse},
    order::v1::ExternalOrder,
};
use siyu_runtime::SystemClock;
use siyu_tests::support::{Merchant, ask, order, run_until_idle, story, suite};

/// An order so many days ago, in a field.
fn bought(no: &str, buyer: &str, days_ago: i64, field: &str) -> ExternalOrder {
    let mut order = order(no, buyer, SystemClock.now() - TimeDelta::days(days_ago), &[5_000]);
    field.clone_into(&mut order.lines[0].category);
    order
}

async fn triangle(merchant: &Merchant) -> GetTriangleResponse {
    run_until_idle(&merchant.place).await;
    let client = merchant.caller.client();
    ask(GetTriangleRequest::default(), async |q| client.triangle().get_triangle(q).await).await
}

async fn bind(merchant: &Merchant, promoter: &str, customer: &str) {
    let request = CreatePromoterRequest { person_id: promoter.to_owned(), ..Default::default() };
    let mut promoters = PromoterServiceClient::new(merchant.caller.grpc());
    let reply = ask(request, async |q| promoters.create_promoter(q).await).await;
    let request = BindCustomerRequest {
        person_id: customer.to_owned(),
        promoter_id: reply.promoter.unwrap().id,
        ..Default::default()
    };
    let mut bindings = BindingServiceClient::new(merchant.caller.grpc());
    ask(request, async |q| bindings.bind_customer(q).await).await;
}

#[test]
fn who_was_brought_by_an_old_customer_counts_for_the_third_side() {
    story(async {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        // Two old customers, of whom one buys again, in another field; the other one only in its own.
        merchant
            .take_in(vec![
                bought("1", "old", 200, "phones"),
                bought("2", "other", 150, "phones"),
                bought("3", "old", 20, "cases"),
                bought("4", "other", 10, "phones"),
            ])
            .await;
        let before = triangle(&merchant).await;
        assert!(before.flags.iter().any(|flag| flag == "referral_unmeasured"), "{before:?}");
        assert_eq!(before.current.unwrap().referral_rate, None);

        // The new one is known before the first order: a click comes first.
        merchant.take_in(vec![bought("5", "stranger", 5, "phones")]).await;
        let persons = merchant.persons("shop", &["old", "stranger"]).await;
        bind(&merchant, &persons["old"], &persons["stranger"]).await;
        let late = triangle(&merchant).await;
        assert_eq!(late.current.unwrap().referral, Some(0.0), "the click came after the order");

        let unpaid = ExternalOrder {
            status: "created".to_owned(),
            pay_time: None,
            ..bought("6", "friend", 0, "phones")
        };
        merchant.take_in(vec![unpaid]).await;
        let friend = merchant.persons("shop", &["friend", "other"]).await;
        bind(&merchant, &friend["other"], &friend["friend"]).await;
        let mut paid = bought("7", "friend", 0, "phones");
        paid.pay_time = Some(siyu_tests::support::timestamp(SystemClock.now()));
        merchant.take_in(vec![paid]).await;
        let after = triangle(&merchant).await;
        let current = after.current.unwrap();
        // One new buyer for two old ones, half of whom bought in a field that was not their first.
        assert_eq!(current.referral, Some(0.5), "{current:?}");
        assert_eq!(current.influence, Some(0.5), "{current:?}");
        assert_eq!(current.referral_rate, Some(0.25), "{current:?}");
        assert!(!after.flags.iter().any(|flag| flag == "referral_unmeasured"), "{:?}", after.flags);
    });
}
