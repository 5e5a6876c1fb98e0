//! Time and randomness as parameters, and the cut of days in a zone (reference §0).

use std::{fmt, str::FromStr};

use chrono::{
    DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use uuid::Uuid;

/// Where the present comes from; business code is handed an instant and never asks the system.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// Where new ids come from.
pub trait Ids: Send + Sync + fmt::Debug {
    /// A new id that sorts after those drawn before (UUIDv7).
    fn uuid(&self) -> Uuid;
}

/// An IANA zone, in which days are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// A name that is no IANA zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an IANA time zone like Asia/Shanghai")]
pub struct ZoneError(String);

/// A calendar day in a zone, as the number of days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalDay(pub i32);

impl Zone {
    /// The default of the field: one zone, UTC+8, no daylight saving time.
    pub const SHANGHAI: Self = Self(Tz::Asia__Shanghai);
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Reads an IANA name.
    ///
    /// # Errors
    /// [`ZoneError`] when there is no such zone.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        name.parse().map(Self).map_err(|_| ZoneError(name.to_owned()))
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The wall clock of an instant.
    #[must_use]
    pub fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.0).naive_local()
    }

    /// The calendar day of an instant.
    #[must_use]
    pub fn day(self, instant: DateTime<Utc>) -> LocalDay {
        LocalDay::from_date(self.local(instant).date())
    }

    /// The instant of a wall-clock time: the earlier one where the clock is set back, the first after the gap where it is
    /// set forward.
    #[must_use]
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => t.with_timezone(&Utc),
            LocalResult::None => self.after_gap(local),
        }
    }

    /// The first instant of a calendar day.
    #[must_use]
    pub fn start_of(self, day: LocalDay) -> DateTime<Utc> {
        self.instant(day.date().and_time(NaiveTime::MIN))
    }

    fn after_gap(self, local: NaiveDateTime) -> DateTime<Utc> {
        // Gaps are whole minutes; Samoa once skipped a whole day.
        const LONGEST_GAP_MINUTES: i64 = 25 * 60;
        let later = |minutes| local + TimeDelta::minutes(minutes);
        (1..=LONGEST_GAP_MINUTES)
            .find_map(|minutes| self.0.from_local_datetime(&later(minutes)).earliest())
            .map_or_else(|| Utc.from_utc_datetime(&local), |t| t.with_timezone(&Utc))
    }
}

impl FromStr for Zone {
    type Err = ZoneError;
    fn from_str(name: &str) -> Result<Self, ZoneError> {
        Self::parse(name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl LocalDay {
    /// The day of a calendar date.
    #[must_use]
    pub fn from_date(date: NaiveDate) -> Self {
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        Self(i32::try_from(days).expect("chrono's dates are within 2^31 days of 1970"))
    }

    /// The calendar date.
    ///
    /// # Panics
    /// Beyond the calendar of chrono, some 260,000 years away.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        let epoch = NaiveDate::default();
        let distance = Days::new(u64::from(self.0.unsigned_abs()));
        let date = if self.0 < 0 {
            epoch.checked_sub_days(distance)
        } else {
            epoch.checked_add_days(distance)
        };
        date.expect("the day is within the calendar")
    }

    /// The day `n` days later.
    #[must_use]
    pub const fn plus(self, n: i32) -> Self {
        Self(self.0 + n)
    }
}

impl fmt::Display for LocalDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_cut_in_the_zone() {
        let late = instant("2024-05-31T16:30:00Z");
        assert_eq!(Zone::SHANGHAI.day(late).to_string(), "2024-06-01");
        assert_eq!(Zone::UTC.day(late).to_string(), "2024-05-31");
        assert_eq!(
            Zone::SHANGHAI.start_of(Zone::SHANGHAI.day(late)),
            instant("2024-05-31T16:00:00Z")
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_is_read_as_the_end_of_the_gap() {
        let new_york = Zone::parse("America/New_York").unwrap();
        let skipped = "2024-03-10T02:30:00".parse().unwrap();
        assert_eq!(new_york.instant(skipped), instant("2024-03-10T07:00:00Z"));
        let twice = "2024-11-03T01:30:00".parse().unwrap();
        assert_eq!(new_york.instant(twice), instant("2024-11-03T05:30:00Z"));
    }

    #[test]
    fn days_before_1970_and_after_come_back() {
        for day in [-25_567, -1, 0, 1, 19_876] {
            assert_eq!(LocalDay::from_date(LocalDay(day).date()), LocalDay(day));
        }
    }
}
