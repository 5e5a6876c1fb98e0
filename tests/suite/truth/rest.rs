//! REST says what gRPC says, of every figure.

use siyu_proto::metrics::v1::{
    GetCohortsRequest, GetDormancyRequest, GetEffectiveCustomersRequest, GetLifetimeValueRequest,
    GetPersonRfmRequest, GetProgressRequest, GetRepeatRequest, GetRfmRequest, GetSalesRequest,
    GetTriangleRequest, GetUserArpuRequest,
};
use siyu_tests::support::{ask, story};

use crate::demo::demo;

#[test]
fn what_was_sold_is_the_same_by_rest() {
    story(async {
        let merchant = &demo().await.merchant;
        let client = merchant.caller.client();
        let (from_day, to_day) = ("1997-02-03".to_owned(), "1998-02-03".to_owned());
        let request = GetSalesRequest { from_day, to_day };
        let reply = ask(request, async |q| client.sales().get_sales(q).await).await;
        merchant
            .caller
            .assert_rest_says("/v1/metrics/sales?from_day=1997-02-03&to_day=1998-02-03", &reply)
            .await;
        let reply = ask(GetSalesRequest::default(), async |q| client.sales().get_sales(q).await);
        merchant.caller.assert_rest_says("/v1/metrics/sales", &reply.await).await;
        let request = GetUserArpuRequest::default();
        let reply = ask(request, async |q| client.sales().get_user_arpu(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/user-arpu", &reply).await;
        let request = GetEffectiveCustomersRequest::default();
        let reply = ask(request, async |q| client.sales().get_effective_customers(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/effective-customers", &reply).await;
        let request = GetTriangleRequest::default();
        let reply = ask(request, async |q| client.triangle().get_triangle(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/triangle", &reply).await;
        let request = GetProgressRequest {};
        let reply = ask(request, async |q| client.maintenance().get_progress(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/progress", &reply).await;
    });
}

#[test]
fn who_comes_back_and_is_worth_what_is_the_same_by_rest() {
    story(async {
        let merchant = &demo().await.merchant;
        let client = merchant.caller.client();
        let request = GetRepeatRequest { days: vec![7, 400], ..Default::default() };
        let reply = ask(request, async |q| client.retention().get_repeat(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/repeat?days=7&days=400", &reply).await;
        let request = GetCohortsRequest::default();
        let reply = ask(request, async |q| client.retention().get_cohorts(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/cohorts", &reply).await;
        let request = GetDormancyRequest::default();
        let reply = ask(request, async |q| client.retention().get_dormancy(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/dormancy", &reply).await;
        let request = GetRfmRequest { window_days: -1, ..Default::default() };
        let reply = ask(request, async |q| client.value().get_rfm(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/rfm?window_days=-1", &reply).await;
        let request = GetLifetimeValueRequest::default();
        let reply = ask(request, async |q| client.value().get_lifetime_value(q).await).await;
        merchant.caller.assert_rest_says("/v1/metrics/lifetime-value", &reply).await;
        let person_id = merchant.persons("cdnow", &["00111"]).await["00111"].clone();
        let path = format!("/v1/metrics/persons/{person_id}/rfm?as_of_day=1998-01-31");
        let as_of_day = "1998-01-31".to_owned();
        let request = GetPersonRfmRequest { person_id, as_of_day, ..Default::default() };
        let reply = ask(request, async |q| client.value().get_person_rfm(q).await).await;
        merchant.caller.assert_rest_says(&path, &reply).await;
    });
}
