//! Opening hours and what lies outside them (睡后收入, reference §1.17; rule 114). All by the wall clock of the store: when
//! the clock is changed, the hours on the door stay.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc, Weekday};
use siyu_kernel::Zone;

const DAY_MINUTES: u16 = 24 * 60;

/// A time in which the doors are open: minutes since midnight, from `open` up to, not including, `close`. A close that is
/// not after the open lies on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    open: u16,
    close: u16,
}

/// Why a span is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpeningError {
    /// A minute beyond the day.
    #[error("must be minutes of a day, 0 to 1440")]
    OutOfDay,
}

/// When a store is open: a weekly table, exceptions by date, and the zone of its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHours {
    zone: Zone,
    /// From Monday; a span that crosses midnight belongs to the day on which it begins.
    week: [Vec<Span>; 7],
    /// Dates that do not follow the week; an empty list is a closed day.
    exceptions: BTreeMap<NaiveDate, Vec<Span>>,
}

impl Span {
    /// From minute `open` of the day (0 to 1439) to minute `close` (0 to 1440), on the next day if that is not later.
    ///
    /// # Errors
    /// [`OpeningError::OutOfDay`].
    pub const fn new(open: u16, close: u16) -> Result<Self, OpeningError> {
        if open >= DAY_MINUTES || close > DAY_MINUTES {
            return Err(OpeningError::OutOfDay);
        }
        Ok(Self { open, close })
    }

    /// The whole day.
    pub const ALL_DAY: Self = Self { open: 0, close: DAY_MINUTES };

    const fn crosses_midnight(self) -> bool {
        self.close <= self.open
    }

    /// Whether it covers `minute` of the day on which it begins.
    const fn covers(self, minute: u16) -> bool {
        self.open <= minute && (self.crosses_midnight() || minute < self.close)
    }

    /// Whether it covers `minute` of the day after.
    const fn covers_next_day(self, minute: u16) -> bool {
        self.crosses_midnight() && minute < self.close
    }
}

impl OpeningHours {
    /// Opening hours by the week, from Monday.
    #[must_use]
    pub const fn new(zone: Zone, week: [Vec<Span>; 7]) -> Self {
        Self { zone, week, exceptions: BTreeMap::new() }
    }

    /// What holds where no store is known: closed from 22:00 to 10:00 by the clock of the merchant.
    #[must_use]
    pub fn without_store(zone: Zone) -> Self {
        const DAYTIME: Span = Span { open: 10 * 60, close: 22 * 60 };
        Self::new(zone, std::array::from_fn(|_| vec![DAYTIME]))
    }

    /// The same with other hours on one date: holidays, stocktaking; no spans means closed. It replaces what begins on
    /// that date; what began the evening before still ends when it ends.
    #[must_use]
    pub fn except(mut self, date: NaiveDate, spans: Vec<Span>) -> Self {
        self.exceptions.insert(date, spans);
        self
    }

    /// Whether the store is open at `instant`.
    #[must_use]
    pub fn is_open(&self, instant: DateTime<Utc>) -> bool {
        let local = self.zone.local(instant);
        let minute = minute_of(local);
        let today = self.spans(local.date()).iter().any(|span| span.covers(minute));
        let yesterday = local.date().pred_opt();
        today
            || yesterday.is_some_and(|date| {
                self.spans(date).iter().any(|span| span.covers_next_day(minute))
            })
    }

    fn spans(&self, date: NaiveDate) -> &[Span] {
        let by_week = || &self.week[weekday(date.weekday())];
        self.exceptions.get(&date).unwrap_or_else(by_week)
    }
}

fn minute_of(local: NaiveDateTime) -> u16 {
    u16::try_from(local.hour() * 60 + local.minute()).expect("a day has 1440 minutes")
}

fn weekday(weekday: Weekday) -> usize {
    usize::try_from(weekday.num_days_from_monday()).expect("a week has seven days")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn span(open: u16, close: u16) -> Span {
        Span::new(open * 60, close * 60).unwrap()
    }

    #[test]
    fn without_a_store_the_night_from_22_to_10_is_closed() {
        let hours = OpeningHours::without_store(Zone::SHANGHAI);
        for (utc, open) in [
            ("2024-06-01T01:59:59Z", false),
            ("2024-06-01T02:00:00Z", true),
            ("2024-06-01T13:59:59Z", true),
            ("2024-06-01T14:00:00Z", false),
        ] {
            assert_eq!(hours.is_open(at(utc)), open, "{utc}");
        }
        // The same instant read in another zone is another hour.
        assert!(OpeningHours::without_store(Zone::UTC).is_open(at("2024-06-01T14:00:00Z")));
    }

    #[test]
    fn a_span_over_midnight_belongs_to_the_day_it_begins_on() {
        let mut week: [Vec<Span>; 7] = Default::default();
        week[4] = vec![span(18, 2)];
        week[5] = vec![span(9, 12), span(18, 24)];
        let hours = OpeningHours::new(Zone::UTC, week);
        // 2024-06-07 is a Friday.
        for (utc, open) in [
            ("2024-06-07T01:00:00Z", false),
            ("2024-06-07T18:00:00Z", true),
            ("2024-06-08T01:59:59Z", true),
            ("2024-06-08T02:00:00Z", false),
            ("2024-06-08T11:59:00Z", true),
            ("2024-06-08T12:00:00Z", false),
            ("2024-06-08T23:59:59Z", true),
            ("2024-06-09T00:00:00Z", false),
        ] {
            assert_eq!(hours.is_open(at(utc)), open, "{utc}");
        }
    }

    #[test]
    fn an_exception_replaces_its_own_day_and_not_the_tail_of_the_evening_before() {
        let nightly = OpeningHours::new(Zone::UTC, std::array::from_fn(|_| vec![span(18, 2)]));
        let date = "2024-10-01".parse().unwrap();
        let closed = nightly.clone().except(date, Vec::new());
        for (utc, open) in [
            ("2024-10-01T01:00:00Z", true),
            ("2024-10-01T19:00:00Z", false),
            ("2024-10-02T01:00:00Z", false),
            ("2024-10-02T19:00:00Z", true),
        ] {
            assert_eq!(closed.is_open(at(utc)), open, "{utc}");
        }
        let longer = nightly.except(date, vec![Span::ALL_DAY]);
        assert!(longer.is_open(at("2024-10-01T12:00:00Z")));
        assert!(!longer.is_open(at("2024-10-02T01:00:00Z")));
    }

    #[test]
    fn the_hours_on_the_door_stay_when_the_clock_is_changed() {
        let new_york = Zone::parse("America/New_York").unwrap();
        let hours = OpeningHours::new(new_york, std::array::from_fn(|_| vec![span(10, 22)]));
        for (utc, open) in [
            // Winter time until 2024-03-10, then summer time: ten o'clock moves in UTC.
            ("2024-03-09T14:59:59Z", false),
            ("2024-03-09T15:00:00Z", true),
            ("2024-03-10T13:59:59Z", false),
            ("2024-03-10T14:00:00Z", true),
            // Back to winter time on 2024-11-03.
            ("2024-11-02T14:00:00Z", true),
            ("2024-11-03T14:59:59Z", false),
            ("2024-11-03T15:00:00Z", true),
        ] {
            assert_eq!(hours.is_open(at(utc)), open, "{utc}");
        }
        // One to two o'clock comes twice on 2024-11-03: a bar that closes at two is open both times.
        let bar = OpeningHours::new(new_york, std::array::from_fn(|_| vec![span(20, 2)]));
        for (utc, open) in [
            ("2024-11-03T05:30:00Z", true),
            ("2024-11-03T06:30:00Z", true),
            ("2024-11-03T07:00:00Z", false),
        ] {
            assert_eq!(bar.is_open(at(utc)), open, "{utc}");
        }
    }

    #[test]
    fn minutes_beyond_the_day_are_refused() {
        assert_eq!(Span::new(1440, 10), Err(OpeningError::OutOfDay));
        assert_eq!(Span::new(0, 1441), Err(OpeningError::OutOfDay));
    }
}
