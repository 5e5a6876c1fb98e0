//! Figures of arbitrary windows, against a count of the file's rows that knows no index and no cube.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use siyu_proto::metrics::v1::{
    GetDormancyRequest, GetRepeatRequest, GetSalesRequest, GetSalesResponse,
};
use siyu_tests::support::{Sheet, ask, story};

use crate::demo::demo;

/// From, to (the first day that does not count).
const WINDOWS: &[(&str, &str)] = &[
    ("1997-01-01", "1997-01-02"),
    ("1997-01-31", "1997-02-02"),
    ("1997-02-10", "1997-05-05"),
    ("1997-06-30", "1998-01-01"),
    ("1998-01-05", "1998-06-30"),
    ("1996-01-01", "1999-01-01"),
];

/// One purchase.
struct Row {
    buyer: String,
    day: NaiveDate,
    cents: i64,
    pieces: i64,
}

/// Every purchase, and the days of each buyer.
struct File {
    rows: Vec<Row>,
    days: BTreeMap<String, BTreeSet<NaiveDate>>,
}

impl File {
    fn read() -> Self {
        let sheet = Sheet::cdnow(23_570);
        let row = |row: &String| Row {
            buyer: sheet.field(row, "buyer_id").to_owned(),
            day: sheet.field(row, "paid_at").parse().unwrap(),
            cents: sheet.field(row, "amount").replace('.', "").parse().unwrap(),
            pieces: sheet.field(row, "quantity").parse().unwrap(),
        };
        let rows: Vec<Row> = sheet.rows.iter().map(row).collect();
        let mut days: BTreeMap<String, BTreeSet<NaiveDate>> = BTreeMap::new();
        for row in &rows {
            days.entry(row.buyer.clone()).or_default().insert(row.day);
        }
        Self { rows, days }
    }

    /// Turnover, orders, pieces, buyers, new buyers, buyers of two days.
    fn sales(&self, from: NaiveDate, to: NaiveDate) -> [i64; 6] {
        let within = |day: &NaiveDate| (from..to).contains(day);
        let rows: Vec<&Row> = self.rows.iter().filter(|row| within(&row.day)).collect();
        let in_window = |days: &BTreeSet<NaiveDate>| days.iter().filter(|day| within(day)).count();
        [
            rows.iter().map(|row| row.cents).sum(),
            count(rows.len()),
            rows.iter().map(|row| row.pieces).sum(),
            count(self.days.values().filter(|days| in_window(days) > 0).count()),
            count(self.days.values().filter(|days| within(days.first().unwrap())).count()),
            count(self.days.values().filter(|days| in_window(days) > 1).count()),
        ]
    }

    /// Those who first bought in a window, and those of them who bought again within so many days, seen until a day.
    fn repeat(&self, from: NaiveDate, to: NaiveDate, within: i64, as_of: NaiveDate) -> (i64, i64) {
        let mut counts = (0, 0);
        for days in self.days.values() {
            let first = *days.first().unwrap();
            if !(from..to).contains(&first) {
                continue;
            }
            counts.0 += 1;
            let second = days.iter().nth(1).filter(|&&second| second <= as_of);
            let again = second.is_some_and(|&second| second - first <= TimeDelta::days(within));
            counts.1 += i64::from(again);
        }
        counts
    }

    /// Active, quiet, drowsy, dormant at the end of a day.
    fn silence(&self, as_of: NaiveDate) -> [i64; 4] {
        let mut counts = [0; 4];
        for days in self.days.values() {
            let Some(last) = days.range(..=as_of).next_back() else { continue };
            let silent = (as_of - *last).num_days();
            let place = [90, 180, 365].iter().filter(|&&limit| silent > limit).count();
            counts[place] += 1;
        }
        counts
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap()
}

fn found(sales: &GetSalesResponse) -> [i64; 6] {
    let of = sales.total.unwrap();
    [of.gmv_minor, of.orders, of.units, of.buyers, of.new_buyers, sales.buyers_two_days]
}

#[test]
fn every_window_of_the_sales_is_what_a_count_of_the_rows_gives() {
    story(async {
        let (client, file) = (demo().await.merchant.caller.client(), File::read());
        for (from, to) in WINDOWS {
            let request =
                GetSalesRequest { from_day: (*from).to_owned(), to_day: (*to).to_owned() };
            let reply = ask(request, async |q| client.sales().get_sales(q).await).await;
            let wanted = file.sales(from.parse().unwrap(), to.parse().unwrap());
            assert_eq!(found(&reply), wanted, "{from} to {to}");
            // Months and weeks are the same rows, cut in another way.
            for periods in [&reply.months, &reply.weeks] {
                let of = |figure: fn(&siyu_proto::metrics::v1::SalesFigures) -> i64| -> i64 {
                    periods.iter().map(|period| figure(period.figures.as_ref().unwrap())).sum()
                };
                let sums = [of(|f| f.gmv_minor), of(|f| f.orders), of(|f| f.units)];
                assert_eq!(sums, wanted[..3], "{from} to {to}");
                assert_eq!(of(|f| f.new_buyers), wanted[4], "{from} to {to}");
            }
        }
    });
}

#[test]
fn every_look_back_is_what_a_count_of_the_rows_gives() {
    story(async {
        let (client, file) = (demo().await.merchant.caller.client(), File::read());
        for (from, to) in WINDOWS {
            let as_of = to.parse::<NaiveDate>().unwrap() + TimeDelta::days(45);
            let (from_day, to_day) = ((*from).to_owned(), (*to).to_owned());
            let as_of_day = as_of.to_string();
            let request = GetRepeatRequest {
                from_day: from_day.clone(),
                to_day: to_day.clone(),
                as_of_day: as_of_day.clone(),
                days: vec![1, 30, 200],
            };
            let reply = ask(request, async |q| client.retention().get_repeat(q).await).await;
            for within in &reply.within {
                let (cohort, again) = file.repeat(
                    from.parse().unwrap(),
                    to.parse().unwrap(),
                    i64::from(within.days),
                    as_of,
                );
                let found = (reply.cohort, within.persons);
                assert_eq!(found, (cohort, again), "{from} to {to}, {} days", within.days);
            }
            let request = GetDormancyRequest { from_day, to_day, as_of_day };
            let reply = ask(request, async |q| client.retention().get_dormancy(q).await).await;
            let found = [reply.active, reply.quiet, reply.drowsy, reply.dormant];
            assert_eq!(found, file.silence(as_of), "at {as_of}");
        }
    });
}
