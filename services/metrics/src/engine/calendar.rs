//! Windows, months and ISO weeks over local days. Windows are half open (reference §0).

use chrono::{Datelike, NaiveDate};
use siyu_kernel::LocalDay;

/// The days from `start` to the day before `end`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    start: LocalDay,
    end: LocalDay,
}

/// Why two days are no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The end is not after the start.
    #[error("must end after its start")]
    Empty,
    /// A day outside the years 1 to 9999.
    #[error("must lie within the years 1 to 9999")]
    OutOfCalendar,
}

/// A calendar month, as the number of months since January of year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(i32);

// 0001-01-01 and 10000-01-01 as days since 1970-01-01.
const CALENDAR_START: LocalDay = LocalDay(-719_162);
const CALENDAR_END: LocalDay = LocalDay(2_932_897);

impl Window {
    /// The days from `start` up to, not including, `end`.
    ///
    /// # Errors
    /// [`WindowError`] with the reason.
    pub fn new(start: LocalDay, end: LocalDay) -> Result<Self, WindowError> {
        if start < CALENDAR_START || end > CALENDAR_END {
            return Err(WindowError::OutOfCalendar);
        }
        if end <= start { Err(WindowError::Empty) } else { Ok(Self { start, end }) }
    }

    /// The `days` days of which `last` is the last: "the last 365 days" seen at the end of `last`.
    ///
    /// # Errors
    /// [`WindowError`] when `days` is not positive or reaches out of the calendar.
    pub fn ending(last: LocalDay, days: i32) -> Result<Self, WindowError> {
        let end = last.0.checked_add(1).ok_or(WindowError::OutOfCalendar)?;
        let start = end.checked_sub(days).ok_or(WindowError::OutOfCalendar)?;
        Self::new(LocalDay(start), LocalDay(end))
    }

    /// The first day.
    #[must_use]
    pub const fn start(self) -> LocalDay {
        self.start
    }

    /// The day after the last.
    #[must_use]
    pub const fn end(self) -> LocalDay {
        self.end
    }

    /// The last day.
    #[must_use]
    pub const fn last(self) -> LocalDay {
        self.end.plus(-1)
    }

    /// How many days it has.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.end.0 - self.start.0
    }

    /// Whether `day` lies in it.
    #[must_use]
    pub fn contains(self, day: LocalDay) -> bool {
        (self.start..self.end).contains(&day)
    }

    /// The days in both, if any.
    #[must_use]
    pub fn clip(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }
}

impl Month {
    /// The month that `day` lies in.
    ///
    /// # Panics
    /// Beyond the calendar of chrono.
    #[must_use]
    pub fn of(day: LocalDay) -> Self {
        let date = day.date();
        Self(date.year() * 12 + i32::try_from(date.month0()).expect("months are 0 to 11"))
    }

    /// The calendar year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The month of the year, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u32 {
        self.0.rem_euclid(12).unsigned_abs() + 1
    }

    /// The first day.
    ///
    /// # Panics
    /// Beyond the calendar of chrono.
    #[must_use]
    pub fn first_day(self) -> LocalDay {
        let date = NaiveDate::from_ymd_opt(self.year(), self.month(), 1);
        LocalDay::from_date(date.expect("the month is within the calendar"))
    }

    /// The month `n` months later.
    #[must_use]
    pub const fn plus(self, n: i32) -> Self {
        Self(self.0 + n)
    }

    /// How many months after `earlier` it is.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// Its days.
    #[must_use]
    pub fn window(self) -> Window {
        Window { start: self.first_day(), end: self.plus(1).first_day() }
    }
}

/// The Monday of the ISO week that `day` lies in.
pub(super) const fn monday(day: LocalDay) -> LocalDay {
    // 1970-01-01 was a Thursday.
    LocalDay(day.0 - (day.0 + 3).rem_euclid(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> LocalDay {
        LocalDay::from_date(text.parse().unwrap())
    }

    #[test]
    fn months_and_weeks_agree_with_the_calendar() {
        for (text, month, next, week) in [
            ("1969-12-31", "1969-12-01", "1970-01-01", "1969-12-29"),
            ("1970-01-01", "1970-01-01", "1970-02-01", "1969-12-29"),
            ("2024-02-29", "2024-02-01", "2024-03-01", "2024-02-26"),
            ("2024-12-30", "2024-12-01", "2025-01-01", "2024-12-30"),
        ] {
            let of = Month::of(day(text));
            assert_eq!(of.window(), Window::new(day(month), day(next)).unwrap(), "{text}");
            assert_eq!(monday(day(text)), day(week), "{text}");
        }
        let (march, may) = (Month::of(day("2023-03-31")), Month::of(day("2024-05-01")));
        assert_eq!((may.since(march), may.year(), may.month()), (14, 2024, 5));
    }

    #[test]
    fn a_window_is_half_open_and_never_empty() {
        let year = Window::ending(day("1998-06-30"), 365).unwrap();
        assert_eq!((year.start(), year.last()), (day("1997-07-01"), day("1998-06-30")));
        assert_eq!(year.days(), 365);
        assert!(year.contains(day("1997-07-01")) && !year.contains(day("1998-07-01")));
        assert_eq!(Window::new(day("2024-01-02"), day("2024-01-02")), Err(WindowError::Empty));
        assert_eq!(Window::new(LocalDay(0), LocalDay(i32::MAX)), Err(WindowError::OutOfCalendar));
        assert_eq!(Window::ending(LocalDay(i32::MAX), 1), Err(WindowError::OutOfCalendar));
        assert_eq!(CALENDAR_START, day("0001-01-01"));
        assert_eq!(CALENDAR_END.plus(-1), day("9999-12-31"));
    }
}
