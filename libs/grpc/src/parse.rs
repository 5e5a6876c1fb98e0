//! From the words of the wire to our own, each failure naming its field.

mod place;

pub use place::{geo_point, opening_hours, point};

use std::str::FromStr;

use chrono::{DateTime, Utc};
use prost::Message;
use prost_types::Timestamp;
use sha2::{Digest, Sha256};
use siyu_kernel::{Fault, Id, IdError, Kind, LocalDay};

/// Reads an id that must be given.
///
/// # Errors
/// A fault that names the field.
pub fn id<K: Kind>(field: &str, text: &str) -> Result<Id<K>, Fault> {
    Id::from_str(text).map_err(|error: IdError| Fault::field(field, error))
}

/// Reads an id that may be empty.
///
/// # Errors
/// A fault that names the field.
pub fn optional_id<K: Kind>(field: &str, text: &str) -> Result<Option<Id<K>>, Fault> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// Reads an instant, to the microsecond that PostgreSQL keeps.
///
/// # Errors
/// A fault that names the field.
pub fn instant(field: &str, time: Timestamp) -> Result<DateTime<Utc>, Fault> {
    let nanos = u32::try_from(time.nanos).unwrap_or(u32::MAX);
    DateTime::from_timestamp(time.seconds, nanos)
        .and_then(|t| DateTime::from_timestamp_micros(t.timestamp_micros()))
        .filter(|t| (1..=9999).contains(&chrono::Datelike::year(t)))
        .ok_or_else(|| Fault::field(field, "must be an instant of the years 1 to 9999"))
}

/// Reads an instant that may be absent.
///
/// # Errors
/// A fault that names the field.
pub fn optional_instant(
    field: &str,
    time: Option<Timestamp>,
) -> Result<Option<DateTime<Utc>>, Fault> {
    time.map(|time| instant(field, time)).transpose()
}

/// Reads a calendar day, ISO 8601, that may be empty.
///
/// # Errors
/// A fault that names the field.
pub fn optional_day(field: &str, text: &str) -> Result<Option<LocalDay>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = chrono::NaiveDate::from_str(text)
        .ok()
        .filter(|date| (1900..=9999).contains(&chrono::Datelike::year(date)))
        .ok_or_else(|| {
            Fault::field(field, "must be a day of the years 1900 to 9999 like 2024-01-31")
        })?;
    Ok(Some(LocalDay::from_date(date)))
}

/// An instant on the wire.
pub fn timestamp(instant: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(instant.timestamp_subsec_nanos()).expect("below 2^31");
    Timestamp { seconds: instant.timestamp(), nanos }
}

/// The digest of a request, by which a repeat is told from another request under the same key.
pub fn fingerprint(message: &impl Message) -> [u8; 32] {
    Sha256::digest(message.encode_to_vec()).into()
}
