use chrono::TimeDelta;
use proptest::prelude::*;
use siyu_kernel::Id;
use uuid::Uuid;

use super::*;

fn store(n: u128) -> StoreId {
    Id::from_uuid(Uuid::from_u128(n))
}

fn begun(stores: &[StoreId]) -> Assignment {
    asked(&stores.iter().map(|store| (*store, -5)).collect::<Vec<_>>())
}

/// Stores that open so many minutes after they may be asked.
fn asked(stores: &[(StoreId, i64)]) -> Assignment {
    let start = DateTime::UNIX_EPOCH;
    let asked = |&(store, opens): &(StoreId, i64)| Asked {
        store,
        opens_at: start + TimeDelta::minutes(opens),
    };
    let stores: Vec<Asked> = stores.iter().map(asked).collect();
    Assignment::begin((Id::from_uuid(Uuid::nil()), 1), &stores, 10, start)
}

fn after(assignment: &Assignment, event: Event, minutes: i64) -> Result<Assignment, Error> {
    let now = DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
    Ok(assignment.after(event, now)?.unwrap_or_else(|| assignment.clone()))
}

#[test]
fn a_store_answers_in_time_or_the_next_one_is_asked_and_then_headquarters() {
    let first = begun(&[store(1), store(2)]);
    assert_eq!((first.state, first.store_id), (State::Offered, Some(store(1))));
    assert_eq!(after(&first, Event::TimeOut, 9), Err(Error::OfferStands));
    assert_eq!(after(&first, Event::Accept(store(1)), 10), Err(Error::OfferExpired));
    assert_eq!(after(&first, Event::Accept(store(2)), 1), Err(Error::OtherStore));
    let second = after(&first, Event::TimeOut, 10).unwrap();
    assert_eq!((second.store_id, second.turn), (Some(store(2)), 2));
    let last = after(&second, Event::Refuse(store(2)), 11).unwrap();
    assert_eq!((last.state, last.store_id), (State::Headquarters, None));
    let named = after(&last, Event::Assign(store(1)), 12).unwrap();
    let taken = after(&named, Event::Accept(store(1)), 21).unwrap();
    assert_eq!((taken.state, taken.expires_at), (State::Accepted, None));
    assert_eq!(after(&taken, Event::Accept(store(1)), 22).unwrap(), taken, "a repeat");
    assert_eq!(after(&taken, Event::Finish, 23).unwrap().state, State::Done);
}

#[test]
fn a_store_that_is_shut_has_its_time_from_when_it_opens() {
    let first = asked(&[(store(1), 600), (store(2), 600), (store(3), 0)]);
    assert_eq!(after(&first, Event::TimeOut, 609), Err(Error::OfferStands));
    assert_eq!(after(&first, Event::Accept(store(1)), 1).unwrap().state, State::Accepted);
    let second = after(&first, Event::Refuse(store(1)), 5).unwrap();
    assert_eq!(after(&second, Event::TimeOut, 609), Err(Error::OfferStands));
    let third = after(&second, Event::TimeOut, 610).unwrap();
    assert_eq!(after(&third, Event::TimeOut, 619), Err(Error::OfferStands), "it is open");
    assert_eq!(after(&third, Event::TimeOut, 620).unwrap().state, State::Headquarters);
    // Headquarters know whom they call; whoever is passed over keeps its hour.
    let named = after(&first, Event::Assign(store(3)), 1).unwrap();
    assert_eq!((named.candidates.len(), named.opens.len()), (1, 1));
    let passed = after(&named, Event::TimeOut, 11).unwrap();
    assert_eq!(passed.store_id, Some(store(2)));
    assert_eq!(after(&passed, Event::TimeOut, 609), Err(Error::OfferStands));
    // What was begun before the hours of stores were kept.
    let before = Assignment { opens: Vec::new(), ..asked(&[(store(1), 0), (store(2), 0)]) };
    let second = after(&before, Event::TimeOut, 10).unwrap();
    assert_eq!(after(&second, Event::TimeOut, 20).unwrap().state, State::Headquarters);
}

#[test]
fn a_store_that_took_it_may_find_that_it_cannot() {
    let first = begun(&[store(1), store(2)]);
    let taken = after(&first, Event::Accept(store(1)), 1).unwrap();
    let next = after(&taken, Event::Refuse(store(1)), 60).unwrap();
    assert_eq!((next.state, next.store_id), (State::Offered, Some(store(2))));
    let again = after(&next, Event::Assign(store(2)), 61).unwrap();
    assert_eq!((again.turn, again.candidates.len()), (4, 0));
}

#[test]
fn without_a_candidate_headquarters_decide_at_once() {
    assert_eq!(begun(&[]).state, State::Headquarters);
    let ended = after(&begun(&[]), Event::Withdraw, 1).unwrap();
    assert_eq!(after(&ended, Event::Withdraw, 2).unwrap(), ended, "a repeat");
    assert_eq!(after(&ended, Event::Assign(store(1)), 2), Err(Error::Ended));
}

#[test]
fn headquarters_may_keep_a_part_and_give_it_away_again() {
    let kept = after(&begun(&[store(1)]), Event::Keep, 1).unwrap();
    assert_eq!((kept.state, kept.store_id), (State::Accepted, None));
    assert_eq!(after(&kept, Event::Keep, 2).unwrap(), kept, "a repeat");
    assert_eq!(after(&kept, Event::Refuse(store(1)), 2), Err(Error::OtherStore));
    assert_eq!(after(&kept, Event::TimeOut, 20), Err(Error::Ended));
    let given = after(&kept, Event::Assign(store(2)), 3).unwrap();
    assert_eq!((given.state, given.store_id), (State::Offered, Some(store(2))));
    let taken = after(&given, Event::Accept(store(2)), 4).unwrap();
    let kept = after(&taken, Event::Keep, 5).unwrap();
    assert_eq!((kept.state, kept.store_id, kept.is_taken()), (State::Accepted, None, true));
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let some = (1..4_u128).prop_map(store);
    let event = prop_oneof![
        some.clone().prop_map(Event::Accept),
        some.clone().prop_map(Event::Refuse),
        some.prop_map(Event::Assign),
        Just(Event::TimeOut),
        Just(Event::Keep),
        Just(Event::Finish),
        Just(Event::Withdraw),
    ];
    prop::collection::vec((0..8_i64, event), 0..30)
}

proptest! {
    #[test]
    fn whatever_happens_an_assignment_is_with_one_store_or_with_headquarters(events in events()) {
        let mut stands = begun(&[store(1), store(2), store(3)]);
        let mut minutes = 0;
        for (passed, event) in events {
            minutes += passed;
            let Ok(next) = after(&stands, event, minutes) else { continue };
            let has_store = next.store_id.is_some();
            match next.state {
                State::Offered => prop_assert!(has_store),
                // Without a store it is headquarters that keep it.
                State::Accepted => prop_assert!(has_store || event == Event::Keep),
                State::Headquarters => prop_assert!(!has_store),
                State::Done | State::Withdrawn => {}
            }
            prop_assert_eq!(next.expires_at.is_some(), next.state == State::Offered);
            prop_assert_eq!(next.turn > stands.turn, next != stands);
            prop_assert!(next.candidates.len() <= stands.candidates.len());
            prop_assert_eq!(next.candidates.len(), next.opens.len());
            if matches!(stands.state, State::Done | State::Withdrawn) {
                prop_assert_eq!(&next, &stands, "an end is an end");
            }
            stands = next;
        }
    }
}
