use super::*;

/// Weekday, minute of opening, minute of closing.
type Open = (i32, i32, i32);

fn week(text: &str) -> Vec<Open> {
    let hours = parse(text).unwrap().unwrap();
    let span = |s: &OpeningSpan| (s.weekday, s.open_minute, s.close_minute);
    hours.weekly.iter().map(span).collect()
}

#[test]
fn days_and_spans_are_read_as_people_write_them() {
    let cases: [(&str, &[Open]); 9] = [
        ("Mon 10:00-22:00", &[(1, 600, 1320)]),
        ("mon,SUN 9:30-12:00", &[(1, 570, 720), (7, 570, 720)]),
        ("Sat, Sun 11:00-23:00", &[(6, 660, 1380), (7, 660, 1380)]),
        ("Sat-Mon 10:00-11:00", &[(1, 600, 660), (6, 600, 660), (7, 600, 660)]),
        ("Friday 20:00-02:00", &[(5, 1200, 1560)]),
        ("Wed 00:00-24:00", &[(3, 0, 1440)]),
        ("Tue 09:00-12:30, 14:00-19:00", &[(2, 540, 750), (2, 840, 1140)]),
        // Entries of one day add up, and what overlaps is one span.
        ("Fri 10:00-22:00; Fri 20:00-02:00", &[(5, 600, 1560)]),
        ("Mon 10:00-12:00; Mon 12:00-14:00; Tue closed", &[(1, 600, 840)]),
    ];
    for (text, spans) in cases {
        assert_eq!(week(text), spans, "{text}");
    }
    assert_eq!(week("daily 10:00-22:00").len(), 7);
    assert_eq!(parse("  "), Ok(None));
}

#[test]
fn a_date_replaces_the_hours_of_its_day() {
    let hours =
        parse("Mon-Fri 10:00-22:00; 2024-10-01 closed; 2024-12-24 10:00-14:00").unwrap().unwrap();
    assert_eq!(hours.weekly.len(), 5);
    let days: Vec<(&str, usize)> =
        hours.exceptions.iter().map(|e| (e.day.as_str(), e.spans.len())).collect();
    assert_eq!(days, [("2024-10-01", 0), ("2024-12-24", 1)]);
}

#[test]
fn hours_that_cannot_be_meant_are_refused_with_the_part_that_is_wrong() {
    let cases = [
        ("Mon", Error::Entry("Mon".to_owned())),
        ("10:00-22:00", Error::Entry("10:00-22:00".to_owned())),
        ("Mon open", Error::Entry("Mon open".to_owned())),
        ("Mo 10:00-22:00", Error::Day("Mo".to_owned())),
        ("2024-02-30 closed", Error::Day("2024".to_owned())),
        ("Mon 10-22", Error::Span("10-22".to_owned())),
        ("Mon 10:00-25:00", Error::Span("10:00-25:00".to_owned())),
        ("Mon 10:60-22:00", Error::Span("10:60-22:00".to_owned())),
        ("Mon 24:00-02:00", Error::Span("24:00-02:00".to_owned())),
        ("Mon +1:00-02:00", Error::Entry("Mon +1:00-02:00".to_owned())),
        ("Mon closed; Mon 10:00-11:00", Error::Contradiction("Mon".to_owned())),
        ("daily closed", Error::NeverOpen),
    ];
    for (text, error) in cases {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_spans_lie_in_their_bounds(text in "[A-Za-z0-9:;, -]{0,60}") {
        if let Ok(Some(hours)) = parse(&text) {
            let of_dates = hours.exceptions.iter().flat_map(|exception| &exception.spans);
            for span in hours.weekly.iter().chain(of_dates) {
                assert!((1..=7).contains(&span.weekday));
                assert!((0..1440).contains(&span.open_minute));
                assert!(span.close_minute > span.open_minute && span.close_minute <= 2880);
            }
        }
    }
}
