//! Replies as the suite gives them for the CDNOW orders.

use serde_json::Value;
use siyu_proto::{
    member::v1::Merchant,
    metrics::v1::{
        Basis, Cohort, GetCohortsResponse, GetDormancyResponse, GetEffectiveCustomersResponse,
        GetLifetimeValueResponse, GetRepeatResponse, GetRfmResponse, GetSalesResponse,
        GetTriangleResponse, GetUserArpuResponse, Pillars as PillarsReply, RepeatWithin,
        RfmSegmentCount, SalesFigures, SalesPeriod,
    },
    r#type::v1::Ratio,
};

use crate::report::{Pillars, Triangle, fetch::Replies};

const TRUTH: &str = include_str!("../../../../../tests/data/cdnow/truth.json");
/// Persons by segment: made up, but summing to the buyers of the last 365 days.
const SEGMENTS: [i64; 8] = [2431, 388, 119, 402, 910, 1644, 57, 2399];

pub(in super::super) fn merchant() -> Merchant {
    Merchant {
        id: "mch_01h455vb4pex5vsknk084sn02q".to_owned(),
        name: "Demo 唱片店".to_owned(),
        zone: "America/New_York".to_owned(),
        currency_code: "USD".to_owned(),
        create_time: None,
    }
}

pub(in super::super) fn cdnow() -> Replies {
    let truth: Value = serde_json::from_str(TRUTH).unwrap();
    let full = &truth["full"];
    let total = SalesFigures {
        gmv_minor: minor(&full["gmv"]),
        orders: int(&full["rows"]),
        units: int(&full["units"]),
        buyers: int(&full["customers"]),
        new_buyers: int(&full["customers"]),
        repeat_buyers: 0,
    };
    let months = full["monthly"].as_object().unwrap();
    let months: Vec<SalesPeriod> =
        months.iter().map(|(month, figures)| period(month, figures)).collect();
    let sales = GetSalesResponse {
        basis: basis("1997-01-01", "1998-07-01"),
        total: Some(total),
        buyers_two_days: int(&full["customers_with_2plus_days"]),
        arpu: ratio(total.gmv_minor, total.buyers),
        aov: ratio(total.gmv_minor, total.orders),
        private_domain: Some(total),
        off_hours_orders: total.orders,
        off_hours_gmv_minor: total.gmv_minor,
        weeks: vec![SalesPeriod { period: "1997-W01".to_owned(), ..months[0].clone() }],
        months,
    };
    let within = [30, 90, 180, 365].map(|days| {
        let persons = int(&full[format!("repeat_within_{days}d_customers")]);
        RepeatWithin { days, persons, rate: ratio(persons, total.buyers), complete: days < 365 }
    });
    Replies {
        repeat: GetRepeatResponse { basis: None, cohort: total.buyers, within: within.to_vec() },
        cohorts: cohorts(&full["cohort_active_buyers"]),
        dormancy: dormancy(full),
        rfm: rfm(),
        effective: GetEffectiveCustomersResponse {
            first: total.buyers,
            repeat: 11_662,
            first_and_repeat: 11_662,
            effective: total.buyers,
            stored_unmeasured: true,
            ..GetEffectiveCustomersResponse::default()
        },
        lifetime: GetLifetimeValueResponse {
            frequency_per_year: Some(1.98),
            aov: ratio(total.gmv_minor, total.orders),
            ..GetLifetimeValueResponse::default()
        },
        users: GetUserArpuResponse {
            connections_unmeasured: true,
            ..GetUserArpuResponse::default()
        },
        triangle: without_connections(),
        sales,
    }
}

/// A merchant without a fact.
pub(in super::super) fn nothing() -> Replies {
    Replies {
        sales: GetSalesResponse { basis: basis("1998-06-30", "1998-07-01"), ..Default::default() },
        repeat: GetRepeatResponse::default(),
        cohorts: GetCohortsResponse::default(),
        dormancy: GetDormancyResponse::default(),
        rfm: GetRfmResponse::default(),
        lifetime: GetLifetimeValueResponse::default(),
        effective: GetEffectiveCustomersResponse::default(),
        users: GetUserArpuResponse::default(),
        triangle: GetTriangleResponse::default(),
    }
}

/// The worked example of the triangle's definition (reference §1.1).
pub(in super::super) fn triangle() -> Triangle {
    let pillars = |power, value, rate| Pillars {
        connected: 100_000,
        property_power: Some(power),
        customer_value_minor: Some(value),
        referral_rate: Some(rate),
        ..Pillars::default()
    };
    Triangle {
        current: pillars(70_200.0, 23_760.0, 0.03),
        baseline: pillars(45_000.0, 18_000.0, 0.02),
        baseline_day: "1997-06-30".to_owned(),
        baseline_version: 1,
        area: Some(2.762_275),
        index: Some(212.64),
        balance: Some(145.63),
        shares: vec![44.99, 26.99, 40.67],
        flags: vec!["influence_mode=breadth".to_owned()],
    }
}

fn dormancy(full: &Value) -> GetDormancyResponse {
    GetDormancyResponse {
        active: 3210,
        quiet: int(&full["active_le180_asof"]) - 3210,
        drowsy: int(&full["dormant_181_365_asof"]),
        dormant: int(&full["dormant_gt365d_asof"]),
        reactivated_persons: int(&full["reactivation_customers_gap_gt365"]),
        reactivations: int(&full["reactivation_events_gap_gt365"]),
        reactivated_gmv_minor: minor(&full["reactivation_gmv_gap_gt365_first_order_day"]),
        ..GetDormancyResponse::default()
    }
}

fn without_connections() -> GetTriangleResponse {
    GetTriangleResponse {
        current: Some(PillarsReply {
            repeat_rate: Some(0.4321),
            lifetime_value_minor: Some(14_169.5),
            customer_value_minor: Some(6122.64),
            ..PillarsReply::default()
        }),
        baseline: Some(PillarsReply::default()),
        baseline_day: "1997-06-30".to_owned(),
        flags: ["connections_unmeasured", "reach_unmeasured", "referral_unmeasured"]
            .map(str::to_owned)
            .to_vec(),
        ..GetTriangleResponse::default()
    }
}

fn rfm() -> GetRfmResponse {
    let segments = (1..).zip(SEGMENTS).map(|(segment, persons)| RfmSegmentCount {
        segment,
        persons,
        monetary_minor: 0,
    });
    GetRfmResponse {
        persons: SEGMENTS.iter().sum(),
        segments: segments.collect(),
        ..Default::default()
    }
}

fn cohorts(of: &Value) -> GetCohortsResponse {
    let cohorts = of.as_object().unwrap().iter().map(|(month, active)| {
        let active: Vec<i64> = active.as_array().unwrap().iter().map(int).collect();
        Cohort { month: month.clone(), size: active[0], active }
    });
    GetCohortsResponse { basis: None, cohorts: cohorts.collect() }
}

fn period(month: &str, of: &Value) -> SalesPeriod {
    let figures = SalesFigures {
        gmv_minor: minor(&of["gmv"]),
        orders: int(&of["orders"]),
        units: int(&of["units"]),
        buyers: int(&of["buyers"]),
        new_buyers: int(&of["new_buyers"]),
        repeat_buyers: int(&of["repeat_buyers"]),
    };
    SalesPeriod {
        period: month.to_owned(),
        from_day: format!("{month}-01"),
        figures: Some(figures),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as the replies want it")]
fn basis(from_day: &str, to_day: &str) -> Option<Basis> {
    Some(Basis {
        from_day: from_day.to_owned(),
        to_day: to_day.to_owned(),
        as_of_day: "1998-06-30".to_owned(),
        zone: "America/New_York".to_owned(),
        currency_code: "USD".to_owned(),
        definition_version: "1".to_owned(),
        facts_version: 140,
        facts_time: None,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "as the replies want it")]
fn ratio(numerator: i64, denominator: i64) -> Option<Ratio> {
    Some(Ratio { numerator, denominator })
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

fn minor(value: &Value) -> i64 {
    let dollars = siyu_kernel::Currency::parse("USD").unwrap();
    siyu_kernel::parse_decimal(value.as_str().unwrap(), dollars).unwrap()
}
