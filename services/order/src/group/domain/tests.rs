//! The life of a group, step by step and at random.

use proptest::prelude::*;

use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn group(size: i32) -> Group {
    Group::open(&GroupActivity { size, life_hours: 1, ..GroupActivity::default() }, at(0))
}

fn seat(n: u128, opener: bool) -> SeatRow {
    SeatRow {
        order_id: Id::from_uuid(Uuid::from_u128(n)),
        group_id: Id::from_uuid(Uuid::nil()),
        person_id: Id::from_uuid(Uuid::from_u128(n)),
        opener,
        state: SeatState::Reserved,
        created_at: at(0),
    }
}

#[test]
fn a_group_opens_with_the_payment_of_its_opener_and_forms_with_the_last_one() {
    let mut group = Group { taken: 1, ..group(2) };
    assert_eq!(group.admit(at(1)).unwrap_err().reason(), "GROUP_OVER");
    assert_eq!(group.pay(&seat(1, true), at(5)), SeatState::Paid);
    assert_eq!((group.state, group.deadline), (State::Open, Some(at(65))));
    assert_eq!(group.admit(at(6)).unwrap(), 59);
    assert_eq!(group.admit(at(65)).unwrap_err().reason(), "GROUP_OVER");
    group.taken += 1;
    assert_eq!(group.admit(at(6)).unwrap_err().reason(), "GROUP_FULL");
    let mut late = group.clone();
    assert_eq!(group.pay(&seat(2, false), at(64)), SeatState::Paid);
    assert_eq!(group.state, State::Formed);
    late.pay(&seat(2, false), at(65));
    assert_eq!(late.state, State::Open, "the end of its time decides");
}

#[test]
fn a_group_that_is_short_of_members_fails_or_is_simulated_and_says_so() {
    let mut failed = Group { taken: 2, paid: 1, state: State::Open, ..group(3) };
    let mut simulated = failed.clone();
    failed.time_out(false);
    assert_eq!((failed.state, failed.simulated), (State::Failed, false));
    assert_eq!(failed.pay(&seat(2, false), at(90)), SeatState::Refunding);
    simulated.time_out(true);
    assert_eq!((simulated.state, simulated.simulated), (State::Formed, true));
    assert_eq!(simulated.pay(&seat(2, false), at(90)), SeatState::Forming);
}

proptest! {
    /// Seats are taken, paid, released and refunded in any order.
    #[test]
    fn no_group_has_more_seats_than_its_size_and_forms_only_when_all_are_paid(
        steps in prop::collection::vec((0_u8..4, 0_usize..8), 1..60)
    ) {
        let mut group = Group { taken: 1, ..group(3) };
        let mut seats = vec![seat(0, true)];
        for (step, which) in steps {
            let formed = group.state == State::Formed;
            let which = which % seats.len();
            match (step, seats[which].state) {
                (0, _) if group.admit(at(1)).is_ok() => {
                    group.taken += 1;
                    seats.push(seat(seats.len() as u128, false));
                }
                (1, SeatState::Reserved) => {
                    let paid = group.pay(&seats[which], at(1));
                    seats[which].state = paid;
                }
                (2, SeatState::Reserved) => {
                    group.release(&seats[which]);
                    seats[which].state = SeatState::Released;
                }
                (3, SeatState::Paid) => {
                    group.leave(&seats[which]);
                    seats[which].state = SeatState::Refunded;
                }
                _ => {}
            }
            prop_assert!(0 <= group.paid && group.paid <= group.taken && group.taken <= group.size);
            prop_assert!(!formed || group.state == State::Formed, "success is frozen");
            prop_assert!(group.state != State::Formed || group.paid == group.size);
        }
    }
}
