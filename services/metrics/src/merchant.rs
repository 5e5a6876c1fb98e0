//! What metrics knows of a merchant: where its days are cut, in which currency it counts, and when its stores are open.

pub mod events;
pub mod store;

use siyu_events::HandlerError;
use siyu_kernel::Zone;
use siyu_pg::Tx;
use siyu_proto::member::v1::{OpeningHours as Wire, OpeningSpan};

use crate::engine::{OpeningHours, Span};

/// Locks the merchant of the transaction for facts of it. While the member service has not told it yet, their stream tries
/// again: the logs of siblings are followed apart, so what came later may be read first.
pub async fn lock_told(tx: &mut Tx) -> Result<store::Merchant, HandlerError> {
    let unknown = || HandlerError::retry("the member service has not told the merchant yet");
    store::lock(tx).await?.ok_or_else(unknown)
}

/// The calendar of a store from its contract form. A span that no calendar can hold is left out: the member service has
/// refused such spans.
pub fn opening_hours(zone: Zone, hours: &Wire) -> OpeningHours {
    let week = std::array::from_fn(|day| {
        let weekday = i32::try_from(day + 1).expect("a week has seven days");
        hours.weekly.iter().filter(|span| span.weekday == weekday).filter_map(span).collect()
    });
    let base = if hours.weekly.is_empty() {
        OpeningHours::without_store(zone)
    } else {
        OpeningHours::new(zone, week)
    };
    hours.exceptions.iter().fold(base, |base, exception| match exception.day.parse() {
        Ok(date) => base.except(date, exception.spans.iter().filter_map(span).collect()),
        Err(_) => base,
    })
}

/// A span that ends after midnight is written as minutes beyond the day in the contract, as a smaller minute in a calendar.
fn span(span: &OpeningSpan) -> Option<Span> {
    const DAY_MINUTES: i32 = 1440;
    let close = if span.close_minute > DAY_MINUTES {
        span.close_minute - DAY_MINUTES
    } else {
        span.close_minute
    };
    Span::new(u16::try_from(span.open_minute).ok()?, u16::try_from(close).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use siyu_proto::member::v1::OpeningException;

    use super::*;

    #[test]
    fn a_bar_that_closes_at_two_is_open_after_midnight_and_closed_on_a_holiday() {
        let friday = OpeningSpan { weekday: 5, open_minute: 20 * 60, close_minute: 26 * 60 };
        let holiday = OpeningException { day: "2024-06-14".into(), spans: Vec::new() };
        let hours =
            opening_hours(Zone::UTC, &Wire { weekly: vec![friday], exceptions: vec![holiday] });
        let open = |text: &str| hours.is_open(text.parse().unwrap());
        assert!(open("2024-06-07T20:00:00Z") && open("2024-06-08T01:59:00Z"));
        assert!(!open("2024-06-08T02:00:00Z") && !open("2024-06-07T19:59:00Z"));
        assert!(!open("2024-06-14T21:00:00Z"));
    }

    #[test]
    fn a_store_without_hours_is_open_from_ten_to_ten() {
        let hours = opening_hours(Zone::UTC, &Wire::default());
        assert!(hours.is_open("2024-06-07T10:00:00Z".parse().unwrap()));
        assert!(!hours.is_open("2024-06-07T22:00:00Z".parse().unwrap()));
    }
}
