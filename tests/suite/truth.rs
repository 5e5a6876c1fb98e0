//! What is true of the CDNOW orders, and what the suite says of them: the figures of `tests/data/cdnow/truth.json`, computed
//! with pandas, against the answers of the public API, to the cent and the person.

mod models;
mod rest;
mod windows;

use serde_json::{Value, json};
use siyu_proto::metrics::v1::{
    GetCohortsRequest, GetDormancyRequest, GetDormancyResponse, GetEffectiveCustomersRequest,
    GetPersonRfmRequest, GetRepeatRequest, GetSalesRequest, GetSalesResponse, SalesFigures,
};
use siyu_tests::support::{Merchant, ask, report, story};

use crate::demo::demo;

const TRUTH: &str = include_str!("../data/cdnow/truth.json");

/// What is known of all orders.
pub(crate) fn truth() -> Value {
    let all: Value = serde_json::from_str(TRUTH).unwrap();
    all["full"].clone()
}

pub(crate) async fn sales(merchant: &Merchant) -> GetSalesResponse {
    let client = merchant.caller.client();
    ask(GetSalesRequest::default(), async |q| client.sales().get_sales(q).await).await
}

pub(crate) async fn dormancy(merchant: &Merchant) -> GetDormancyResponse {
    let client = merchant.caller.client();
    ask(GetDormancyRequest::default(), async |q| client.retention().get_dormancy(q).await).await
}

/// An amount in cents.
fn cents(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn int(number: &Value) -> i64 {
    number.as_i64().unwrap()
}

#[test]
fn turnover_orders_pieces_and_buyers_are_exact() {
    story(async {
        let (merchant, truth) = (&demo().await.merchant, truth());
        let sales = sales(merchant).await;
        let wanted = SalesFigures {
            gmv_minor: cents(&truth["gmv"]),
            orders: int(&truth["rows"]),
            units: int(&truth["units"]),
            buyers: int(&truth["customers"]),
            new_buyers: int(&truth["customers"]),
            repeat_buyers: 0,
        };
        assert_eq!(sales.total.as_ref(), Some(&wanted));
        assert_eq!(sales.private_domain, Some(wanted), "every order is of the private domain");
        let basis = sales.basis.unwrap();
        assert_eq!(basis.from_day, truth["date_min"]);
        assert_eq!(basis.as_of_day, truth["date_max"]);
        // By days, as the papers count; by rows, whoever has a second order of whatever day.
        assert_eq!(sales.buyers_two_days, int(&truth["customers_with_2plus_days"]));
        let client = merchant.caller.client();
        let request = GetEffectiveCustomersRequest::default();
        let effective =
            ask(request, async |q| client.sales().get_effective_customers(q).await).await;
        assert_eq!(effective.repeat, int(&truth["customers_with_2plus_rows"]));
        assert_eq!((effective.first, effective.effective), (23_570, 23_570));
    });
}

#[test]
fn every_month_is_exact() {
    story(async {
        let truth = truth();
        let months = sales(&demo().await.merchant).await.months;
        let found: Value = months
            .iter()
            .map(|month| {
                let of = month.figures.as_ref().unwrap();
                let figures = json!({
                    "orders": of.orders, "gmv": of.gmv_minor, "buyers": of.buyers, "units": of.units,
                    "new_buyers": of.new_buyers, "repeat_buyers": of.repeat_buyers,
                });
                (month.period.clone(), figures)
            })
            .collect();
        let mut wanted = truth["monthly"].clone();
        for month in wanted.as_object_mut().unwrap().values_mut() {
            month["gmv"] = cents(&month["gmv"]).into();
        }
        assert_eq!(found, wanted);
    });
}

#[test]
fn who_buys_again_within_days_is_exact() {
    story(async {
        let (merchant, truth) = (&demo().await.merchant, truth());
        let client = merchant.caller.client();
        let request = GetRepeatRequest::default();
        let repeat = ask(request, async |q| client.retention().get_repeat(q).await).await;
        assert_eq!(repeat.cohort, int(&truth["customers"]));
        let found: Vec<(i32, i64)> = repeat.within.iter().map(|w| (w.days, w.persons)).collect();
        let wanted = [30, 90, 180, 365]
            .map(|days| (days, int(&truth[format!("repeat_within_{days}d_customers")])));
        assert_eq!(found, wanted);
    });
}

#[test]
fn every_cell_of_the_cohorts_is_exact() {
    story(async {
        let (merchant, truth) = (&demo().await.merchant, truth());
        let client = merchant.caller.client();
        let request = GetCohortsRequest::default();
        let cohorts = ask(request, async |q| client.retention().get_cohorts(q).await).await;
        let found: Value =
            cohorts.cohorts.iter().map(|c| (c.month.clone(), json!(c.active))).collect();
        assert_eq!(found, truth["cohort_active_buyers"]);
        assert!(cohorts.cohorts.iter().all(|c| c.size == c.active[0]), "{cohorts:?}");
    });
}

#[test]
fn silence_and_return_are_exact() {
    story(async {
        let (merchant, truth) = (&demo().await.merchant, truth());
        let found = dormancy(merchant).await;
        assert_eq!(found.dormant, int(&truth["dormant_gt365d_asof"]));
        assert_eq!(found.drowsy, int(&truth["dormant_181_365_asof"]));
        assert_eq!(found.active + found.quiet, int(&truth["active_le180_asof"]));
        assert_eq!(found.reactivations, int(&truth["reactivation_events_gap_gt365"]));
        assert_eq!(found.reactivated_persons, int(&truth["reactivation_customers_gap_gt365"]));
        let gmv = cents(&truth["reactivation_gmv_gap_gt365_first_order_day"]);
        assert_eq!(found.reactivated_gmv_minor, gmv);
    });
}

#[test]
fn recency_frequency_and_money_of_a_person_are_exact() {
    story(async {
        let (merchant, truth) = (&demo().await.merchant, truth());
        let examples = truth["rfm_examples"].as_object().unwrap();
        let buyers: Vec<&str> = examples.keys().map(String::as_str).collect();
        let persons = merchant.persons("cdnow", &buyers).await;
        let client = merchant.caller.client();
        for (buyer, wanted) in examples {
            let person_id = persons[buyer].clone();
            let request = GetPersonRfmRequest { person_id, window_days: -1, ..Default::default() };
            let reply = ask(request, async |q| client.value().get_person_rfm(q).await).await;
            let rfm = reply.rfm.unwrap();
            let found = json!({
                "recency_days": rfm.recency_days,
                "frequency_days": rfm.frequency_days,
                "monetary": format!("{}.{:02}", rfm.monetary_minor / 100, rfm.monetary_minor % 100),
            });
            assert_eq!(&found, wanted, "{buyer}");
        }
    });
}

#[test]
fn the_quotients_of_the_report_are_the_known_ones_to_six_decimals() {
    story(async {
        let (merchant, truth) = (&demo().await.merchant, truth());
        let report = report(merchant).await;
        assert_eq!(report["arpu"], truth["arpu"]);
        assert_eq!(report["aov"], truth["aov_rows"]);
        for days in [30, 90, 180, 365] {
            let found = &report["repeat_rate_within_days"][days.to_string()];
            assert_eq!(found, &truth[format!("repeat_within_{days}d_rate")], "{days}");
        }
        assert_eq!(report["first_time_buyers"], truth["customers"]);
        assert_eq!(report["repeat_buyers"], truth["customers_with_2plus_days"]);
    });
}
