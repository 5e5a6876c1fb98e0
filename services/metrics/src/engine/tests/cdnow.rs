//! 69,659 real orders: every figure that `truth.json` gives for them, through the cube.

use std::sync::LazyLock;

use serde_json::Value;
use siyu_kernel::LocalDay;

use super::data::{cents, cube, day, facts, truth};
use crate::engine::{Cube, Look, Month, Ratio, Window};

struct Cdnow {
    cube: Cube,
    truth: Value,
    whole: Window,
    as_of: LocalDay,
}

/// Folded once for all tests of this file.
fn load() -> &'static Cdnow {
    static CDNOW: LazyLock<Cdnow> = LazyLock::new(|| {
        let truth = truth()["full"].clone();
        let (first, last) = (&truth["date_min"], &truth["date_max"]);
        let as_of = day(last.as_str().unwrap());
        let whole = Window::new(day(first.as_str().unwrap()), as_of.plus(1)).unwrap();
        assert_eq!(truth["asof"].as_str().unwrap(), as_of.to_string());
        Cdnow { cube: cube(&facts("cdnow_full.csv")), truth, whole, as_of }
    });
    &CDNOW
}

impl Cdnow {
    fn count(&self, key: &str) -> u64 {
        self.truth[key].as_u64().unwrap_or_else(|| panic!("no count {key}"))
    }

    fn minor(&self, key: &str) -> i64 {
        cents(self.truth[key].as_str().unwrap_or_else(|| panic!("no amount {key}")))
    }

    /// The published quotients have six decimals; amounts are in dollars, so `unit` is 100 for cents.
    fn assert_rate(&self, ratio: Ratio, unit: i64, key: &str) {
        let micros = Ratio::new(ratio.num * 1_000_000, ratio.den * unit).round_half_up().unwrap();
        let published = format!("{:.6}", self.truth[key].as_f64().unwrap()).replace('.', "");
        assert_eq!(micros, published.parse::<i64>().unwrap(), "{key}");
    }
}

#[test]
fn sales_of_the_whole_period_equal_the_published_figures() {
    let cdnow = load();
    let sales = cdnow.cube.sales(cdnow.whole);
    assert_eq!(cdnow.cube.span(), Some(cdnow.whole));
    assert_eq!(sales.sums.orders, cdnow.count("rows"));
    assert_eq!(sales.sums.gmv_minor, cdnow.minor("gmv"));
    assert_eq!(u64::try_from(sales.sums.units).unwrap(), cdnow.count("units"));
    assert_eq!(sales.sums.zero_orders, cdnow.count("zero_amount_rows"));
    assert_eq!(sales.buyers, cdnow.count("customers"));
    assert_eq!(sales.new_buyers, cdnow.count("customers"));
    assert_eq!(sales.repeat_buyers, cdnow.count("customers_with_2plus_days"));
    assert_eq!(sales.repeat_order_buyers, cdnow.count("customers_with_2plus_rows"));
    let rate = |part| Ratio::of_counts(part, sales.buyers);
    cdnow.assert_rate(rate(sales.repeat_buyers), 1, "repeat_rate_days_whole_period");
    cdnow.assert_rate(rate(sales.repeat_order_buyers), 1, "repeat_rate_rows_whole_period");
    cdnow.assert_rate(sales.aov, 100, "aov_rows");
    let paid = sales.sums.orders - sales.sums.zero_orders;
    cdnow.assert_rate(Ratio::per(sales.sums.gmv_minor, paid), 100, "aov_rows_nonzero");
    cdnow.assert_rate(sales.arpu, 100, "arpu");
    cdnow.assert_rate(Ratio::of_counts(sales.sums.orders, sales.buyers), 1, "orders_per_customer");
    let top = cdnow.cube.top_share(cdnow.whole, 10);
    cdnow.assert_rate(top, 1, "top_10pct_customers_gmv_share");
    let customer_days: u64 =
        cdnow.cube.days(cdnow.whole).map(|(_, slice)| slice.buyers.len()).sum();
    assert_eq!(customer_days, cdnow.count("customer_days"));
    assert_eq!(sales.sums.orders - customer_days, cdnow.count("same_day_extra_rows"));
}

#[test]
fn every_month_equals_the_published_month() {
    let cdnow = load();
    let months = cdnow.cube.sales(cdnow.whole).months;
    let published = cdnow.truth["monthly"].as_object().unwrap();
    assert_eq!(months.len(), published.len());
    for (month, (name, truth)) in months.iter().zip(published) {
        let count = |key: &str| truth[key].as_u64().unwrap();
        assert_eq!(month.window.start().to_string(), format!("{name}-01"));
        assert_eq!(month.sums.orders, count("orders"), "{name}");
        assert_eq!(month.sums.gmv_minor, cents(truth["gmv"].as_str().unwrap()), "{name}");
        assert_eq!(u64::try_from(month.sums.units).unwrap(), count("units"), "{name}");
        assert_eq!(month.buyers, count("buyers"), "{name}");
        assert_eq!(month.new_buyers, count("new_buyers"), "{name}");
        assert_eq!(month.repeat_buyers, count("repeat_buyers"), "{name}");
    }
}

#[test]
fn weeks_and_days_sum_to_the_whole() {
    let cdnow = load();
    let sales = cdnow.cube.sales(cdnow.whole);
    let first = sales.weeks.first().unwrap().window;
    // 1997-01-01 was a Wednesday: the first week has five days in the window.
    assert_eq!((first.days(), sales.weeks.len()), (5, 79));
    for buckets in [&sales.weeks, &sales.months] {
        let total = |of: fn(&crate::engine::Bucket) -> u64| buckets.iter().map(of).sum::<u64>();
        assert_eq!(total(|bucket| bucket.sums.orders), sales.sums.orders);
        assert_eq!(total(|bucket| bucket.new_buyers), sales.buyers);
    }
}

#[test]
fn repurchase_within_30_90_180_and_365_days_equals_the_published_figures() {
    let cdnow = load();
    let window = Window::new(cdnow.whole.start(), day("1997-04-01")).unwrap();
    let within = [30, 90, 180, 365];
    for repeat in cdnow.cube.repeat(window, &within, cdnow.as_of) {
        let key = format!("repeat_within_{}d", repeat.within_days);
        assert_eq!(repeat.persons, cdnow.count("customers"));
        assert_eq!(repeat.repeated, cdnow.count(&format!("{key}_customers")));
        cdnow.assert_rate(repeat.rate(), 1, &format!("{key}_rate"));
        assert!(repeat.complete && repeat.observed == repeat.persons, "{repeat:?}");
    }
    // At the end of 1997 the year is not over for anyone who came in 1997.
    let early = cdnow.cube.repeat(window, &[365, 180], day("1997-12-31"));
    assert_eq!((early[0].complete, early[0].observed), (false, 0));
    assert!(early[1].complete && early[1].repeated == 8_827);
    // First purchases lie between the published days, and everyone has one.
    let (first, last) = (&cdnow.truth["first_purchase_min"], &cdnow.truth["first_purchase_max"]);
    let (first, last) = (day(first.as_str().unwrap()), day(last.as_str().unwrap()));
    let days = cdnow.cube.series(cdnow.whole, crate::engine::Grain::Day);
    let mut new = days.iter().filter(|bucket| bucket.new_buyers > 0).map(|b| b.window.start());
    assert_eq!((new.next(), new.next_back()), (Some(first), Some(last)));
}

#[test]
fn every_cell_of_the_cohort_matrix_equals_the_published_one() {
    let cdnow = load();
    let (from, to) = (Month::of(cdnow.whole.start()), Month::of(day("1997-03-01")));
    let cohorts = cdnow.cube.cohorts(from, to, 20, cdnow.as_of);
    let published = cdnow.truth["cohort_active_buyers"].as_object().unwrap();
    assert_eq!(cohorts.rows.len(), published.len());
    for (row, (name, truth)) in cohorts.rows.iter().zip(published) {
        assert_eq!(format!("{}-{:02}", row.month.year(), row.month.month()), *name);
        let mut expected: Vec<Option<u64>> =
            truth.as_array().unwrap().iter().map(Value::as_u64).collect();
        assert_eq!(expected[0], Some(row.size), "{name}");
        // What lies after the data is nothing, not zero.
        expected.resize(20, None);
        assert_eq!(row.active, expected, "{name}");
        assert_eq!(row.share(19), None);
    }
}

#[test]
fn dormancy_and_reactivation_equal_the_published_figures() {
    let cdnow = load();
    let dormancy = cdnow.cube.dormancy(cdnow.as_of);
    assert_eq!(dormancy.dormant, cdnow.count("dormant_gt365d_asof"));
    assert_eq!(dormancy.drowsy, cdnow.count("dormant_181_365_asof"));
    assert_eq!(dormancy.active + dormancy.quiet, cdnow.count("active_le180_asof"));
    assert_eq!((dormancy.persons, dormancy.lost), (cdnow.count("customers"), 0));
    let back = cdnow.cube.reactivation(cdnow.whole);
    assert_eq!(back.events, cdnow.count("reactivation_events_gap_gt365"));
    assert_eq!(back.persons, cdnow.count("reactivation_customers_gap_gt365"));
    let gmv = cdnow.minor("reactivation_gmv_gap_gt365_first_order_day");
    assert_eq!(back.gmv_minor, gmv);
    assert_eq!((back.dormant_at_start, back.rate().value()), (0, None));
    assert_eq!(back.became_dormant, dormancy.dormant + back.persons);
}

#[test]
fn rfm_of_the_published_customers_comes_out() {
    let cdnow = load();
    let rfm = cdnow.cube.rfm(cdnow.as_of, Look::Whole).unwrap();
    for (customer, truth) in cdnow.truth["rfm_examples"].as_object().unwrap() {
        let row = rfm.find(customer.parse().unwrap()).unwrap();
        let figures = (u64::from(row.recency_days), u64::from(row.frequency_days));
        let count = |key: &str| truth[key].as_u64().unwrap();
        assert_eq!(figures, (count("recency_days"), count("frequency_days")), "{customer}");
        assert_eq!(row.monetary_minor, cents(truth["monetary"].as_str().unwrap()), "{customer}");
    }
    assert_eq!(rfm.sums[1..], [67_591, 250_031_563]);
    assert_eq!(rfm.segments.iter().sum::<u64>(), cdnow.count("customers"));
    assert_eq!(rfm.find(0), None);
    // Within the last year only: someone who bought once in 1997-01 has frequency 0, and keeps the recency.
    let year = cdnow.cube.rfm(cdnow.as_of, Look::Days(365)).unwrap();
    let row = year.find(1).unwrap();
    assert_eq!((row.recency_days, row.frequency_days, row.monetary_minor), (545, 0, 0));
}
