use uuid::Uuid;

use super::*;

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn handover(state: State) -> Handover {
    let at = instant("2024-06-01T00:00:00Z");
    let is_open = matches!(state, State::Requested | State::Waiting);
    Handover {
        id: Id::from_uuid(Uuid::from_u128(1)),
        person_id: Id::from_uuid(Uuid::from_u128(2)),
        from_staff_id: Id::from_uuid(Uuid::from_u128(3)),
        to_staff_id: Id::from_uuid(Uuid::from_u128(4)),
        to_store_id: None,
        kind: Kind::OnJob,
        state,
        failure: if state == State::Failed { Failure::Platform } else { Failure::None },
        message: String::new(),
        requested_at: at,
        accepted_at: None,
        due_at: is_open.then_some(at + WAIT),
        ended_at: (!is_open).then_some(at),
    }
}

#[test]
fn every_state_takes_every_event_or_refuses_it() {
    use State::{Done, Failed, Refused, Requested, Waiting};
    let at = instant("2024-06-01T12:00:00Z");
    let events = [Event::Accept(at), Event::Refuse, Event::Fail(Failure::Platform), Event::Done];
    let table = [
        (Requested, [Some(Waiting), Some(Refused), Some(Failed), None]),
        (Waiting, [Some(Waiting), Some(Refused), Some(Failed), Some(Done)]),
        (Done, [None, None, None, None]),
        (Refused, [None, Some(Refused), None, None]),
        (Failed, [None, None, Some(Failed), None]),
    ];
    for (state, row) in table {
        for (event, expected) in events.into_iter().zip(row) {
            let mut handover = handover(state);
            let next = handover.take(event, at).ok().map(|()| handover.state);
            assert_eq!(next, expected, "{state:?} and {event:?}");
            assert_eq!(handover.due_at.is_none(), handover.ended_at.is_some());
        }
    }
}

#[test]
fn what_is_done_holds_from_24_hours_after_the_platform_took_it() {
    let mut handover = handover(State::Requested);
    let taken = instant("2024-06-01T10:00:00Z");
    handover.take(Event::Accept(taken), taken).unwrap();
    assert_eq!(handover.due_at, Some(instant("2024-06-02T10:00:00Z")));
    // A second answer of the platform does not begin the time anew.
    handover.take(Event::Accept(taken + WAIT), taken).unwrap();
    handover.take(Event::Done, instant("2024-06-05T00:00:00Z")).unwrap();
    assert_eq!(handover.ended_at, Some(instant("2024-06-02T10:00:00Z")));
}

#[test]
fn ninety_natural_days_end_today_in_the_merchants_zone() {
    // 1 June 07:59 in Shanghai, and one minute later 08:00: the same day; at 16:00 UTC the next one begins.
    let zone = Zone::SHANGHAI;
    let early = counted_since(zone, instant("2024-06-01T15:59:00Z"));
    assert_eq!(early, instant("2024-03-03T16:00:00Z"));
    assert_eq!(counted_since(zone, instant("2024-06-01T16:00:00Z")), early + TimeDelta::days(1));
}

#[test]
fn who_gives_works_here_or_left_at_most_a_year_ago() {
    let now = instant("2024-06-01T00:00:00Z");
    let left = |text: &str| Some(instant(text));
    let reason = |kind, left_at| check_giver(kind, left_at, now).map_err(|fault| fault.reason());
    assert_eq!(reason(Kind::OnJob, None), Ok(()));
    assert_eq!(reason(Kind::OnJob, left("2024-05-01T00:00:00Z")), Err("STAFF_LEFT"));
    assert_eq!(reason(Kind::Resigned, None), Err("STAFF_NOT_LEFT"));
    assert_eq!(reason(Kind::Resigned, left("2023-06-01T00:00:00Z")), Ok(()));
    assert_eq!(reason(Kind::Resigned, left("2023-05-31T23:59:59Z")), Err("STAFF_LEFT_TOO_LONG"));
}

#[test]
fn a_message_is_counted_in_characters() {
    assert!(check_message(&"您".repeat(200)).is_ok());
    assert!(check_message(&"您".repeat(201)).is_err());
}
