//! `grpc-timeout` on the wire: at most eight digits and a unit.

use std::time::Duration;

use http::HeaderValue;
use siyu_kernel::{Code, Fault};

pub(crate) const HEADER: &str = "grpc-timeout";

/// Reads a timeout; what is none is as if it were not there.
pub(crate) fn read(value: &HeaderValue) -> Option<Duration> {
    parse(value.to_str().ok()?)
}

/// Writes a timeout in the finest unit that fits.
pub(crate) fn write(time: Duration) -> String {
    const DIGITS: u128 = 99_999_999;
    match (time.as_micros(), time.as_millis()) {
        (micros, _) if micros <= DIGITS => format!("{micros}u"),
        (_, millis) => format!("{}m", millis.min(DIGITS)),
    }
}

/// The fault of a call that took too long, on either side.
pub(crate) fn exceeded() -> Fault {
    Fault::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the call took longer than allowed")
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(count)),
        "M" => Some(Duration::from_mins(count)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        for (text, time) in [
            ("1H", Some(Duration::from_hours(1))),
            ("20S", Some(Duration::from_secs(20))),
            ("99999999m", Some(Duration::from_millis(99_999_999))),
            ("5u", Some(Duration::from_micros(5))),
            ("100000000m", None),
            ("S", None),
            ("-1S", None),
            ("1", None),
            ("1s", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(parse(text), time, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [1, 999, 60_000, 3_600_000] {
            let time = Duration::from_millis(millis);
            assert_eq!(parse(&write(time)), Some(time));
        }
        assert_eq!(write(Duration::from_micros(1500)), "1500u");
        assert_eq!(parse(&write(Duration::MAX)), Some(Duration::from_millis(99_999_999)));
    }
}
