//! Points in time as order files write them.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use siyu_kernel::Zone;

const WANTED: &str = "must be an instant like 2024-01-31T10:00:00Z, a date like 2024-01-31, \
                      or a local time like 2024-01-31 10:00:00";
// Before it there was no commerce on platforms; after it, a year has five digits and is a typing mistake.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;
const DATE_LEN: usize = "2024-01-31".len();

/// A point in time, or a local one that waits for its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// With an offset: the zone of the store does not matter.
    Instant(DateTime<Utc>),
    /// On the wall clock.
    Local(NaiveDateTime),
}

impl Moment {
    /// Reads an RFC 3339 instant, a local date (its first instant) or a local date-time with or without seconds.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wanted = || WANTED.to_owned();
        let date = text.get(..DATE_LEN).and_then(parse_date).ok_or_else(wanted)?;
        if !YEARS.contains(&date.year()) {
            return Err(format!("must lie in the years {} to {}", YEARS.start(), YEARS.end()));
        }
        let rest = &text[DATE_LEN..];
        if rest.is_empty() {
            return Ok(Self::Local(date.and_time(NaiveTime::MIN)));
        }
        let time = rest.strip_prefix(['T', 't', ' ']).ok_or_else(wanted)?;
        if time.contains(['Z', 'z', '+', '-']) {
            let instant = DateTime::parse_from_rfc3339(text).map_err(|_| wanted())?;
            return Ok(Self::Instant(instant.to_utc()));
        }
        let time = parse_time(time).ok_or_else(wanted)?;
        Ok(Self::Local(date.and_time(time)))
    }

    /// The instant, where the wall clock hangs in `zone`.
    pub(super) fn instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::Instant(instant) => instant,
            Self::Local(local) => zone.instant(local),
        }
    }
}

/// The instant as the contract writes it. A leap second is the last nanosecond before it.
pub(super) fn timestamp(instant: DateTime<Utc>) -> prost_types::Timestamp {
    const LAST_NANOSECOND: u32 = 999_999_999;
    let nanos = instant.timestamp_subsec_nanos().min(LAST_NANOSECOND);
    prost_types::Timestamp {
        seconds: instant.timestamp(),
        nanos: i32::try_from(nanos).expect("a billion fits"),
    }
}

// chrono's own parser takes "2024-1-5", " 2024-01-05" and "+2024-01-05" too.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    let dashed = bytes[4] == b'-' && bytes[7] == b'-';
    if !(dashed && digits(0..4) && digits(5..7) && digits(8..10)) {
        return None;
    }
    NaiveDate::from_ymd_opt(
        text[..4].parse().ok()?,
        text[5..7].parse().ok()?,
        text[8..].parse().ok()?,
    )
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    // Two digits each, so that "1:5" is not read as 01:05 by one tool and refused by the next.
    let clock = text.split_once('.').map_or(text, |(clock, _)| clock);
    if !clock.split(':').all(|part| part.len() == 2) {
        return None;
    }
    let formats = ["%H:%M:%S%.f", "%H:%M"];
    formats.iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}
