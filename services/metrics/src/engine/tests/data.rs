//! Reads the data set under `tests/data/cdnow`.

use std::fs;

use chrono::{DateTime, NaiveDate};
use serde_json::Value;
use siyu_kernel::{Currency, LocalDay, parse_decimal};

use crate::engine::{Cube, DayCell, Domain, Fact, Person};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cdnow/");

/// The published figures.
pub(super) fn truth() -> Value {
    serde_json::from_str(&fs::read_to_string(format!("{FOLDER}truth.json")).unwrap()).unwrap()
}

/// The rows of a file as fields.
pub(super) fn rows(file: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(format!("{FOLDER}{file}")).unwrap();
    reader.records().map(Result::unwrap).collect()
}

/// Dollars as cents.
pub(super) fn cents(text: &str) -> i64 {
    parse_decimal(text, Currency::parse("USD").unwrap()).unwrap()
}

/// A date as a day.
pub(super) fn day(text: &str) -> LocalDay {
    LocalDay::from_date(text.parse::<NaiveDate>().unwrap())
}

/// The orders of a file: persons are its customer numbers.
pub(super) fn facts(file: &str) -> Vec<Fact> {
    let fact = |row: csv::StringRecord| {
        let columns = row.len();
        let person: Person = row[columns - 4].parse().unwrap();
        Fact {
            person,
            day: day(&row[columns - 3]),
            paid_at: DateTime::UNIX_EPOCH,
            units: row[columns - 2].parse().unwrap(),
            amount_minor: cents(&row[columns - 1]),
            domain: Domain::Private,
            off_hours: false,
        }
    };
    rows(file).into_iter().map(fact).collect()
}

/// The cells of `facts`, by day.
pub(super) fn cells(facts: &[Fact]) -> Vec<(LocalDay, DayCell)> {
    let mut sorted = facts.to_vec();
    sorted.sort_by_key(|fact| fact.day);
    let days = sorted.chunk_by(|one, other| one.day == other.day);
    days.map(|facts| (facts[0].day, DayCell::build(facts).unwrap())).collect()
}

/// A cube of `facts`, folded at once.
pub(super) fn cube(facts: &[Fact]) -> Cube {
    Cube::new(Cube::default().plan(cells(facts)))
}
