//! Reads the values of a condition.

use chrono::{DateTime, NaiveDate};
use siyu_kernel::{Fault, LocalDay};
use siyu_proto::member::v1::Operator;

use super::Spans;

/// The largest number that a condition may name: ten thousand million units of a currency, far from any overflow.
const NUMBER_MAX: i64 = 1_000_000_000_000;

/// What a field should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Known.
    Known,
    /// A number, a day or an instant among these.
    Spans(Spans),
    /// One of these words.
    Words(Vec<String>),
}

/// How the texts of values are read as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Whole numbers.
    Whole,
    /// Days, from the first until before the second.
    Days,
    /// Instants in microseconds, from the first until before the second.
    Instants,
    /// Flags: 1 and 0.
    Flags,
}

/// Reads values that are numbers of a kind. The answer is that of the positive operator: `OPERATOR_NOT_IN` is read as
/// `OPERATOR_IN`.
pub(super) fn numbers(
    field: &str,
    operator: Operator,
    values: &[String],
    kind: Numbers,
) -> Result<Wanted, Fault> {
    let read = |(i, text): (usize, &String)| {
        number(text, kind)
            .ok_or_else(|| Fault::field(format!("{field}.values[{i}]"), kind.wanted()))
    };
    let numbers: Vec<i64> = values.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    count(field, operator, numbers.len())?;
    let open_end = i64::from(matches!(kind, Numbers::Days | Numbers::Instants));
    Ok(Wanted::Spans(match (operator, numbers.as_slice()) {
        (Operator::AtLeast, [least]) => Spans::at_least(*least),
        (Operator::AtMost, [most]) => Spans::at_most(*most),
        (Operator::Above, [less]) => Spans::at_least(less + 1),
        (Operator::Below, [more]) => Spans::at_most(more - 1),
        (Operator::Between, [least, most]) => Spans::between(*least, most - open_end),
        (Operator::Known | Operator::Unknown, _) => return Ok(Wanted::Known),
        (_, points) => Spans::points(points.iter().copied()),
    }))
}

/// Reads values that are words.
pub(super) fn words(field: &str, operator: Operator, values: &[String]) -> Result<Wanted, Fault> {
    count(field, operator, values.len())?;
    Ok(match operator {
        Operator::Known | Operator::Unknown => Wanted::Known,
        Operator::Unspecified
        | Operator::In
        | Operator::NotIn
        | Operator::AtLeast
        | Operator::AtMost
        | Operator::Above
        | Operator::Below
        | Operator::Between => Wanted::Words(values.to_vec()),
    })
}

/// Reads one number of a kind.
pub fn number(text: &str, kind: Numbers) -> Option<i64> {
    match kind {
        Numbers::Whole => {
            text.parse().ok().filter(|number: &i64| (-NUMBER_MAX..=NUMBER_MAX).contains(number))
        }
        Numbers::Days => {
            let date: NaiveDate = text.parse().ok()?;
            let is_usual = (1900..=9999).contains(&chrono::Datelike::year(&date));
            is_usual.then(|| LocalDay::from_date(date).0.into())
        }
        Numbers::Instants => {
            let instant = DateTime::parse_from_rfc3339(text).ok()?;
            let is_usual = (1..=9999).contains(&chrono::Datelike::year(&instant));
            is_usual.then(|| instant.timestamp_micros())
        }
        Numbers::Flags => match text {
            "true" => Some(1),
            "false" => Some(0),
            _ => None,
        },
    }
}

/// How many values an operator takes.
fn count(field: &str, operator: Operator, count: usize) -> Result<(), Fault> {
    let (is_right, wanted) = match operator {
        Operator::Known | Operator::Unknown => (count == 0, "must be empty for this operator"),
        Operator::Between => (count == 2, "must be two for this operator"),
        Operator::AtLeast | Operator::AtMost | Operator::Above | Operator::Below => {
            (count == 1, "must be one for this operator")
        }
        Operator::Unspecified | Operator::In | Operator::NotIn => {
            (count > 0, "must be at least one for this operator")
        }
    };
    if is_right { Ok(()) } else { Err(Fault::field(format!("{field}.values"), wanted)) }
}

impl Numbers {
    /// What a value should have been.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Whole => "must be a whole number of at most 1000000000000",
            Self::Days => "must be a day of the years 1900 to 9999 like 2026-01-31",
            Self::Instants => "must be an instant like 2026-01-31T10:00:00+08:00",
            Self::Flags => "must be true or false",
        }
    }
}
