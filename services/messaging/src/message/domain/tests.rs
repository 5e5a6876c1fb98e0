use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn queued() -> Message {
    Message {
        id: Id::from_uuid(Uuid::from_u128(1)),
        campaign_id: Id::from_uuid(Uuid::from_u128(2)),
        person_id: Id::from_uuid(Uuid::from_u128(3)),
        channel: "sandbox".into(),
        state: State::Queued,
        state_at: at(0),
        failure: String::new(),
        attempt: 0,
    }
}

/// Plays steps and returns the message with every state that was told of it.
fn play(steps: &[Step]) -> (Message, Vec<State>) {
    let mut message = queued();
    let told = steps.iter().filter_map(|step| message.take(step)).flatten();
    let told = told.map(|told| told.state).collect();
    (message, told)
}

fn states() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

proptest! {
    #[test]
    fn late_doubled_and_shuffled_steps_lead_to_the_same_state(
        mut steps in prop::collection::vec(states(), 1..20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let highest = steps.iter().copied().max_by_key(|state| state.rank()).unwrap();
        let played = |steps: &[State]| {
            play(&steps.iter().map(|&state| Step::to(state, at(1))).collect::<Vec<_>>()).0.state
        };
        prop_assert_eq!(played(&steps), highest);
        for (i, index) in order.into_iter().enumerate() {
            let (a, b) = (i % steps.len(), index.index(steps.len()));
            steps.swap(a, b);
        }
        prop_assert_eq!(played(&steps), highest);
        steps.extend(steps.clone());
        prop_assert_eq!(played(&steps), highest);
    }

    #[test]
    fn each_state_is_told_once_and_never_without_those_that_it_implies(
        steps in prop::collection::vec(states(), 1..20),
    ) {
        let steps: Vec<Step> = steps.into_iter().map(|state| Step::to(state, at(1))).collect();
        let (message, told) = play(&steps);
        let ranks: Vec<u8> = told.iter().map(|state| state.rank()).collect();
        prop_assert!(ranks.is_sorted_by(|a, b| a < b), "{told:?}");
        for state in [State::Submitted, State::Delivered, State::Read, State::Clicked] {
            prop_assert_eq!(told.contains(&state), state.rank() <= message.state.rank());
        }
        if message.state == State::Failed {
            prop_assert_eq!(told.last(), Some(&State::Failed));
        }
    }

    #[test]
    fn a_message_never_moves_back(from in states(), to in states()) {
        let mut message = Message { state: from, ..queued() };
        let moved = message.take(&Step::to(to, at(1))).is_some();
        prop_assert_eq!(moved, to.rank() > from.rank());
        prop_assert_eq!(message.state, if moved { to } else { from });
        prop_assert_eq!(message.state_at, at(i64::from(moved)));
    }
}

#[test]
fn a_state_that_was_passed_over_is_told_with_the_later_one() {
    let read = play(&[Step::to(State::Read, at(5)), Step::to(State::Delivered, at(4))]);
    assert_eq!(read.1, [State::Submitted, State::Delivered, State::Read]);
    assert_eq!(read.0.state_at, at(5));
    assert_eq!(play(&[Step::to(State::Sent, at(1))]).1, [State::Submitted]);
    assert_eq!(play(&[Step::to(State::Failed, at(1))]).1, [State::Submitted, State::Failed]);
    assert_eq!(play(&[Step::to(State::Cancelled, at(1))]).1, []);
}

#[test]
fn a_failure_keeps_its_reason_until_a_delivery_refutes_it() {
    let failed = |failure: &str| Step { failure: failure.into(), ..Step::to(State::Failed, at(1)) };
    let mut message = queued();
    let told = message.take(&failed("full")).unwrap();
    assert_eq!(told.iter().map(|m| m.failure.as_str()).collect::<Vec<_>>(), ["", "full"]);
    assert_eq!(message.failure, "full");
    message.take(&Step::to(State::Delivered, at(2))).unwrap();
    assert_eq!(message.failure, "");
    assert_eq!(message.take(&failed("late")), None);

    let long = play(&[failed(&"拒".repeat(100))]).0.failure;
    assert_eq!(long.len(), 198, "whole characters within the bound");
}

#[test]
fn ranks_are_those_of_the_documented_table() {
    let documentation = include_str!("../../message.rs");
    for (rank, state) in State::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(state.rank()), rank);
        let row = format!("//! | {rank} | {} |", state.as_str());
        let line = documentation.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("no row {row}"));
        let is_told = State::Queued.told(state).any(|told| told == state);
        assert_eq!(line.ends_with("| yes |"), is_told, "{line}");
    }
}

#[test]
fn states_are_spelled_alike_in_columns_and_in_the_contract() {
    for value in 1..=8 {
        let wire = proto::MessageState::try_from(value).unwrap();
        let state = State::read(value).unwrap();
        assert_eq!(proto::MessageState::from(state), wire);
        assert_eq!(wire.as_str_name(), format!("MESSAGE_STATE_{}", state.as_str().to_uppercase()));
    }
    assert_eq!((State::read(0), State::read(9), State::read(-1)), (None, None, None));
}
