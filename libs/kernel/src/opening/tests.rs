use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn span(open: u16, close: u16) -> OpeningSpan {
    OpeningSpan::new(open * 60, close * 60).unwrap()
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
    let mut week: [Vec<OpeningSpan>; 7] = Default::default();
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
    let longer = nightly.except(date, vec![OpeningSpan::ALL_DAY]);
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
    assert_eq!(OpeningSpan::new(1440, 10), Err(OpeningError::OutOfDay));
    assert_eq!(OpeningSpan::new(0, 1441), Err(OpeningError::OutOfDay));
}

#[test]
fn a_door_opens_at_the_next_hour_that_is_written_on_it() {
    let hours = OpeningHours::without_store(Zone::SHANGHAI);
    let opens = |from: &str, until: &str| hours.opens(at(from), at(until));
    // 23:00 in Shanghai: the shop opens at ten.
    let (night, ten) = ("2024-06-01T15:00:00Z", "2024-06-02T02:00:00Z");
    assert_eq!(opens(night, "2024-06-02T15:00:00Z"), Some(at(ten)));
    assert_eq!(opens(night, "2024-06-02T02:00:01Z"), Some(at(ten)));
    assert_eq!(opens(night, ten), None, "at that instant it is late");
    assert_eq!(opens(ten, "2024-06-02T02:00:01Z"), Some(at(ten)), "it is open");
    assert_eq!(opens(ten, ten), None, "no time at all");
    let holiday = "2024-06-02".parse().unwrap();
    let shut = hours.clone().except(holiday, Vec::new());
    assert_eq!(shut.opens(at(night), at("2024-06-03T02:00:00Z")), None);
    assert_eq!(shut.opens(at(night), at("2024-06-04T00:00:00Z")), Some(at("2024-06-03T02:00:00Z")));
}

#[test]
fn a_door_that_would_open_in_an_hour_that_the_clock_skips_opens_after_it() {
    let new_york = Zone::parse("America/New_York").unwrap();
    let early = OpeningHours::new(new_york, std::array::from_fn(|_| vec![span(2, 5)]));
    let (from, until) = (at("2024-03-10T06:00:00Z"), at("2024-03-10T12:00:00Z"));
    assert_eq!(early.opens(from, until), Some(at("2024-03-10T07:00:00Z")));
    let skipped = OpeningSpan::new(130, 170).unwrap();
    let never = OpeningHours::new(new_york, std::array::from_fn(|_| vec![skipped]));
    assert_eq!(never.opens(from, until), None);
}

fn spans() -> impl Strategy<Value = Vec<OpeningSpan>> {
    let span = (0..1_440_u16, 0..=1_440_u16);
    prop::collection::vec(span.prop_map(|(open, close)| OpeningSpan { open, close }), 0..3)
}

proptest! {
    #[test]
    fn a_door_opens_at_the_first_minute_at_which_it_is_open(
        week in prop::array::uniform7(spans()), holiday in spans(),
        (from, minutes) in (0..20_000_i64, 0..3_000_i64),
    ) {
        let start = at("2024-06-01T00:00:00Z");
        let hours = OpeningHours::new(Zone::SHANGHAI, week).except("2024-06-05".parse().unwrap(), holiday);
        let from = start + TimeDelta::minutes(from);
        let first = (0..minutes).map(|n| from + TimeDelta::minutes(n)).find(|at| hours.is_open(*at));
        prop_assert_eq!(hours.opens(from, from + TimeDelta::minutes(minutes)), first);
    }
}
