//! Where a store stands and when it is open, from its contract form.

use siyu_kernel::{Fault, OpeningHours, OpeningSpan as Span, Point, PointError, Zone};
use siyu_proto::{
    member::v1::{OpeningHours as Wire, OpeningSpan},
    r#type::v1::GeoPoint,
};

/// Reads a point; one without any numbers is none.
///
/// # Errors
/// A fault that names the number.
pub fn point(field: &str, point: &GeoPoint) -> Result<Option<Point>, Fault> {
    let refuse =
        |name: &str, error: &dyn std::fmt::Display| Fault::field(format!("{field}.{name}"), error);
    match (point.latitude_e6, point.longitude_e6) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(refuse("longitude_e6", &"is required beside a latitude")),
        (None, Some(_)) => Err(refuse("latitude_e6", &"is required beside a longitude")),
        (Some(latitude), Some(longitude)) => match Point::new(latitude, longitude) {
            Ok(point) => Ok(Some(point)),
            Err(error @ PointError::Latitude) => Err(refuse("latitude_e6", &error)),
            Err(error @ PointError::Longitude) => Err(refuse("longitude_e6", &error)),
        },
    }
}

/// A point on the wire.
pub fn geo_point(point: Point) -> GeoPoint {
    GeoPoint { latitude_e6: Some(point.latitude_e6()), longitude_e6: Some(point.longitude_e6()) }
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
    fn a_point_has_both_numbers_or_none_and_is_on_the_earth() {
        let read = |latitude_e6, longitude_e6| {
            let read = point("at", &GeoPoint { latitude_e6, longitude_e6 });
            read.map_err(|fault| fault.violations()[0].field.clone())
        };
        assert_eq!(read(None, None), Ok(None));
        let zero = Point::new(0, 0).unwrap();
        assert_eq!(read(Some(0), Some(0)), Ok(Some(zero)), "a point of the gulf of Guinea");
        assert_eq!(point("at", &geo_point(zero)).unwrap(), Some(zero));
        assert_eq!(read(Some(1), None), Err("at.longitude_e6".to_owned()));
        assert_eq!(read(None, Some(1)), Err("at.latitude_e6".to_owned()));
        assert_eq!(read(Some(90_000_001), Some(0)), Err("at.latitude_e6".to_owned()));
        assert_eq!(read(Some(0), Some(-180_000_001)), Err("at.longitude_e6".to_owned()));
    }

    #[test]
    fn a_store_without_hours_is_open_from_ten_to_ten() {
        let hours = opening_hours(Zone::UTC, &Wire::default());
        assert!(hours.is_open("2024-06-07T10:00:00Z".parse().unwrap()));
        assert!(!hours.is_open("2024-06-07T22:00:00Z".parse().unwrap()));
    }
}
