//! Opening hours as people write them: `Mon-Fri 10:00-22:00; Sat,Sun 11:00-23:00; Fri 20:00-02:00; 2024-10-01 closed`.
//!
//! Entries are separated by ";". An entry is days and then spans, or `closed`. Days are `daily`, names, or ranges of names; a
//! date replaces the hours of that one day. A span that ends at or before its start reaches into the next day. Entries of
//! the same day add up, and what overlaps is joined.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use siyu_proto::member::v1::{OpeningException, OpeningHours, OpeningSpan};

/// Hours that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// An entry has no spans.
    #[error("\"{0}\" must be days and hours like Mon-Fri 10:00-22:00, or days and \"closed\"")]
    Entry(String),
    /// A day that is none.
    #[error(
        "\"{0}\" is not a day: Mon, Tue, Wed, Thu, Fri, Sat, Sun, daily, or a date like 2024-10-01"
    )]
    Day(String),
    /// A span that is none.
    #[error("\"{0}\" is not a span of hours like 10:00-22:00")]
    Span(String),
    /// A day is open and closed.
    #[error("{0} is both open and closed")]
    Contradiction(String),
    /// The week has no hours at all.
    #[error("a store must be open on some day of the week")]
    NeverOpen,
}

const NAMES: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const DAY_MINUTES: i32 = 24 * 60;

/// Minutes from midnight: start, and end after it.
type Span = (i32, i32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Day {
    /// 1 Monday to 7 Sunday.
    Week(i32),
    Date(NaiveDate),
}

/// Reads hours; none for an empty text, which means the default of the suite.
///
/// # Errors
/// [`Error`]
pub(super) fn parse(text: &str) -> Result<Option<OpeningHours>, Error> {
    let mut days = BTreeMap::<Day, Vec<Span>>::new();
    let mut closed = BTreeSet::new();
    for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (names, spans) = halves(entry).ok_or_else(|| Error::Entry(entry.to_owned()))?;
        let (which, spans) = (days_of(names)?, spans_of(spans)?);
        for day in which {
            if spans.is_empty() {
                closed.insert(day);
            }
            days.entry(day).or_default().extend(&spans);
        }
    }
    if days.is_empty() {
        return Ok(None);
    }
    if let Some(day) = closed.iter().find(|day| !days[day].is_empty()) {
        return Err(Error::Contradiction(day.to_string()));
    }
    build(days, &closed).map(Some)
}

/// Days and spans of an entry; the spans start at the first word with a digit, or at "closed".
fn halves(entry: &str) -> Option<(&str, &str)> {
    let blanks = entry.match_indices(char::is_whitespace);
    let mut cuts = blanks.map(|(at, _)| (entry[..at].trim(), entry[at..].trim()));
    cuts.find(|(_, rest)| {
        rest.starts_with(|c: char| c.is_ascii_digit()) || rest.eq_ignore_ascii_case("closed")
    })
}

fn build(days: BTreeMap<Day, Vec<Span>>, closed: &BTreeSet<Day>) -> Result<OpeningHours, Error> {
    let mut hours = OpeningHours::default();
    for (day, spans) in days {
        let spans = joined(spans).into_iter();
        match day {
            Day::Week(weekday) => hours.weekly.extend(spans.map(|span| opening(weekday, span))),
            Day::Date(date) => hours.exceptions.push(OpeningException {
                day: date.to_string(),
                // The contract bounds the weekday and does not read it.
                spans: spans.map(|span| opening(1, span)).collect(),
            }),
        }
    }
    // An empty week means the default hours, not a store that is always closed.
    let week_is_closed = closed.iter().any(|day| matches!(day, Day::Week(_)));
    if hours.weekly.is_empty() && week_is_closed {
        return Err(Error::NeverOpen);
    }
    Ok(hours)
}

const fn opening(weekday: i32, (open_minute, close_minute): Span) -> OpeningSpan {
    OpeningSpan { weekday, open_minute, close_minute }
}

fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined = Vec::<Span>::new();
    for (start, end) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            Some(_) | None => joined.push((start, end)),
        }
    }
    joined
}

fn days_of(text: &str) -> Result<Vec<Day>, Error> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(vec![Day::Date(date)]);
    }
    let mut days = Vec::new();
    for part in text.split(',').map(str::trim) {
        match part.split_once('-') {
            _ if part.eq_ignore_ascii_case("daily") => days.extend((1..=7).map(Day::Week)),
            None => days.push(Day::Week(weekday(part)?)),
            Some((first, last)) => {
                let (first, last) = (weekday(first)?, weekday(last)?);
                // Sat-Mon goes over the end of the week.
                let length = (last - first).rem_euclid(7);
                days.extend((0..=length).map(|n| Day::Week((first - 1 + n) % 7 + 1)));
            }
        }
    }
    Ok(days)
}

fn weekday(text: &str) -> Result<i32, Error> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let place = NAMES.iter().position(|name| lower == *name || lower == name[..3]);
    let place = place.ok_or_else(|| Error::Day(text.to_owned()))?;
    Ok(i32::try_from(place).expect("there are seven days") + 1)
}

fn spans_of(text: &str) -> Result<Vec<Span>, Error> {
    if text.eq_ignore_ascii_case("closed") {
        return Ok(Vec::new());
    }
    text.split(',').map(|part| span(part.trim())).collect()
}

fn span(text: &str) -> Result<Span, Error> {
    let read = || {
        let (start, end) = text.split_once('-')?;
        let (start, end) = (minute(start)?, minute(end)?);
        let end = if end <= start { end + DAY_MINUTES } else { end };
        (start < DAY_MINUTES).then_some((start, end))
    };
    read().ok_or_else(|| Error::Span(text.to_owned()))
}

fn minute(text: &str) -> Option<i32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    if hours.is_empty() || hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let digits = |s: &str| s.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes): (i32, i32) = (digits(hours) && digits(minutes))
        .then_some((hours.parse().ok()?, minutes.parse().ok()?))?;
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Week(day) => {
                let name = NAMES[usize::try_from(day - 1).expect("days start at 1")];
                write!(f, "{}{}", name[..1].to_uppercase(), &name[1..3])
            }
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}

#[cfg(test)]
mod tests;
