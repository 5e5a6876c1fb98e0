//! The days of a report. Pure.

use chrono::{Datelike, NaiveDate};
use siyu_kernel::LocalDay;

/// The last day of the quarter before the one that a day is in.
pub fn quarter_before(day: LocalDay) -> LocalDay {
    let date = day.date();
    let first_month = (date.month0() / 3) * 3 + 1;
    let start = NaiveDate::from_ymd_opt(date.year(), first_month, 1);
    let start = start.expect("every quarter has a first day");
    LocalDay::from_date(start.pred_opt().expect("years begin at 1900"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarter_before_ends_before_this_one_begins() {
        let day = |text: &str| LocalDay::from_date(text.parse().unwrap());
        for (today, end) in [
            ("2024-06-01", "2024-03-31"),
            ("2024-07-01", "2024-06-30"),
            ("2024-01-15", "2023-12-31"),
            ("2024-12-31", "2024-09-30"),
        ] {
            assert_eq!(quarter_before(day(today)), day(end), "{today}");
        }
    }
}
