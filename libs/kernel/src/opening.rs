//! Opening hours (reference §1.17, §3.7; rule 114). All by the wall clock of the store: when the clock is changed, the hours on
//! the door stay.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

use crate::Zone;

const DAY_MINUTES: u16 = 24 * 60;

/// A time in which the doors are open: minutes since midnight, from `open` up to, not including, `close`. A close that is
/// not after the open lies on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpeningSpan {
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
    week: [Vec<OpeningSpan>; 7],
    /// Dates that do not follow the week; an empty list is a closed day.
    exceptions: BTreeMap<NaiveDate, Vec<OpeningSpan>>,
}

impl OpeningSpan {
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
    pub const fn new(zone: Zone, week: [Vec<OpeningSpan>; 7]) -> Self {
        Self { zone, week, exceptions: BTreeMap::new() }
    }

    /// What holds where no store is known: closed from 22:00 to 10:00 by the clock of the merchant.
    #[must_use]
    pub fn without_store(zone: Zone) -> Self {
        const DAYTIME: OpeningSpan = OpeningSpan { open: 10 * 60, close: 22 * 60 };
        Self::new(zone, std::array::from_fn(|_| vec![DAYTIME]))
    }

    /// The same with other hours on one date: holidays, stocktaking; no spans means closed. It replaces what begins on
    /// that date; what began the evening before still ends when it ends.
    #[must_use]
    pub fn except(mut self, date: NaiveDate, spans: Vec<OpeningSpan>) -> Self {
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

    /// The first instant from `from` on, and before `until`, at which the doors are open; `None` where they stay shut. Where the
    /// clock is set back, an hour that comes twice opens a door once. A search of so many days costs as many looks.
    #[must_use]
    pub fn opens(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if from >= until {
            return None;
        }
        if self.is_open(from) {
            return Some(from);
        }
        let last = self.zone.local(until).date();
        let dates = self.zone.local(from).date().iter_days().take_while(|date| *date <= last);
        dates.flat_map(|date| self.begins(date)).filter(|at| from < *at && *at < until).min()
    }

    /// The instants at which spans of a date begin; a span that the clock skips whole has none.
    fn begins(&self, date: NaiveDate) -> impl Iterator<Item = DateTime<Utc>> {
        let midnight = date.and_time(NaiveTime::MIN);
        let begin = move |span: &OpeningSpan| {
            self.zone.instant(midnight + TimeDelta::minutes(span.open.into()))
        };
        self.spans(date).iter().map(begin).filter(|at| self.is_open(*at))
    }

    fn spans(&self, date: NaiveDate) -> &[OpeningSpan] {
        let by_week = || &self.week[weekday(date)];
        self.exceptions.get(&date).unwrap_or_else(by_week)
    }
}

fn minute_of(local: NaiveDateTime) -> u16 {
    u16::try_from(local.hour() * 60 + local.minute()).expect("a day has 1440 minutes")
}

fn weekday(date: NaiveDate) -> usize {
    usize::try_from(date.weekday().num_days_from_monday()).expect("a week has seven days")
}

#[cfg(test)]
mod tests;
