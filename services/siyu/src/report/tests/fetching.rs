//! The calls behind a report: of which days they ask, and what is done when orders come in meanwhile.

use chrono::NaiveDate;

use super::{fake::Metrics, fixture::merchant};
use crate::report::{Report, Window, fetch};

async fn fetched(metrics: &Metrics, window: Window) -> Report {
    let merchant = merchant();
    let fetching =
        metrics.serve(|client| async move { Box::pin(fetch(&client, &merchant, window)).await });
    Box::pin(fetching).await.unwrap()
}

/// The days that were asked for, each once.
fn asked(metrics: &Metrics) -> Vec<String> {
    let mut asked: Vec<String> =
        metrics.asked.lock().unwrap().iter().map(|days| days.join(" ")).collect();
    asked.sort();
    asked.dedup();
    asked
}

#[tokio::test]
async fn a_report_without_a_window_is_of_the_days_that_the_suite_names() {
    let metrics = Metrics::default();
    let report = fetched(&metrics, Window::default()).await;
    assert_eq!(
        asked(&metrics),
        ["  ", "  1998-06-30", "1997-01-01 1998-07-01 ", "1997-01-01 1998-07-01 1998-06-30",]
    );
    assert_eq!(
        (report.from.as_str(), report.to.as_str(), report.as_of.as_str()),
        ("1997-01-01", "1998-07-01", "1998-06-30")
    );
}

#[tokio::test]
async fn a_day_of_the_look_that_is_given_is_the_one_that_is_asked_for() {
    let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
    let window =
        Window { from: day("1997-01-01"), to: day("1998-07-01"), as_of: day("1998-12-31") };
    let metrics = Metrics::default();
    let report = fetched(&metrics, window).await;
    assert_eq!(report.as_of, "1998-12-31");
    let asked = asked(&metrics);
    assert!(!asked.iter().any(|days| days.ends_with("1998-06-30")), "{asked:?}");
}

#[tokio::test]
async fn a_report_is_asked_for_again_when_orders_come_in_and_says_so_when_they_do_not_stop() {
    let cases = [(0, 1, true), (1, 2, true), (2, 3, true), (9, 3, false)];
    for (busy, attempts, consistent) in cases {
        let metrics = Metrics::busy_for(busy);
        let report = fetched(&metrics, Window::default()).await;
        assert_eq!((metrics.attempts(), report.consistent), (attempts, consistent), "{busy}");
    }
}
