use super::*;

const STATES: [State; 8] = [
    State::Requested,
    State::Agreed,
    State::ReturnShipped,
    State::Processing,
    State::Succeeded,
    State::Failed,
    State::Rejected,
    State::Withdrawn,
];
const EVENTS: [Event; 5] =
    [Event::Agree, Event::Reject, Event::Withdraw, Event::ReturnShipped, Event::ReturnReceived];

#[test]
fn what_has_ended_or_is_on_its_way_is_not_decided_any_more() {
    for state in STATES.into_iter().filter(|s| s.is_ended() || *s == State::Processing) {
        for event in EVENTS {
            assert_eq!(state.next(event, true), None, "{state:?} {event:?}");
            assert_eq!(state.next(event, false), None, "{state:?} {event:?}");
        }
    }
}

#[test]
fn an_event_that_led_somewhere_is_known_there() {
    for (state, event) in STATES.into_iter().flat_map(|s| EVENTS.map(|e| (s, e))) {
        for needs_return in [false, true] {
            if let Some(next) = state.next(event, needs_return) {
                assert!(next.is_after(event, needs_return), "{state:?} {event:?} {next:?}");
            }
        }
    }
}

fn under_way(cash: Part, value: Part, points_part: Part) -> Refund {
    Refund {
        id: Id::from_uuid(uuid::Uuid::nil()),
        order_id: Id::from_uuid(uuid::Uuid::nil()),
        number: 1,
        request_id: String::new(),
        fingerprint: Vec::new(),
        state: State::Processing,
        plan: Vec::new(),
        reason: String::new(),
        needs_return: false,
        cash_minor: 1,
        cash,
        value_minor: 1,
        value,
        points: 1,
        points_part,
        failure: "CARD_CLOSED".to_owned(),
        actor: String::new(),
        rewards: None,
        due_at: None,
        attempts: 7,
        created_at: DateTime::UNIX_EPOCH,
        ended_at: None,
    }
}

#[test]
fn what_was_refused_is_tried_again_when_somebody_says_so_and_not_before() {
    let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
    let mut stuck = under_way(Part::Done, Part::Failed, Part::Done);
    assert!(stuck.is_stuck() && !stuck.conclude(now));
    assert!(!stuck.take(Event::Agree, now).unwrap(), "it was agreed to before");
    assert!(stuck.due_at.is_none() && stuck.retry(now).unwrap());
    assert_eq!((stuck.value, stuck.due_at, stuck.attempts), (Part::Waiting, Some(now), 0));
    assert_eq!((stuck.failure.as_str(), stuck.is_stuck()), ("", false));
    assert!(!stuck.retry(now).unwrap(), "nothing of it is refused any more");
    assert!(!under_way(Part::Done, Part::Failed, Part::Waiting).is_stuck());
    for state in STATES.into_iter().filter(|s| !matches!(s, State::Processing | State::Succeeded)) {
        let mut other = Refund { state, ..under_way(Part::Failed, Part::Failed, Part::Done) };
        assert_eq!(other.retry(now).unwrap_err().reason(), "REFUND_STATE_WRONG", "{state:?}");
        assert!(!other.is_stuck());
    }
}

#[test]
fn money_goes_back_after_the_goods_where_they_are_to_be_sent_back() {
    assert_eq!(State::Requested.next(Event::Agree, true), Some(State::Agreed));
    assert_eq!(State::Requested.next(Event::Agree, false), Some(State::Processing));
    assert_eq!(State::Agreed.next(Event::ReturnReceived, true), Some(State::Processing));
}
