//! Steps of cards, and what is given back.

use proptest::prelude::*;
use siyu_proto::r#type::v1::Money;
use uuid::Uuid;

use super::*;

fn day(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(n)
}

fn card(price: i64, validity_days: i32) -> Card {
    let price = Some(Money { currency_code: "CNY".into(), minor_units: price });
    let plan = proto::CardPlan { price, validity_days, ..Default::default() };
    Card::purchase(Id::from_uuid(Uuid::nil()), Id::from_uuid(Uuid::nil()), plan)
}

fn paid(price: i64, validity_days: i32) -> Card {
    card(price, validity_days).after(Step::Pay { after: None }, day(0)).unwrap()
}

#[test]
fn every_step_is_taken_from_the_states_that_allow_it_and_from_no_other() {
    let states = [
        card(100, 10),
        paid(100, 10),
        paid(100, 10).after(Step::Freeze, day(1)).unwrap(),
        paid(100, 1),
        paid(100, 10).after(Step::Refund, day(1)).unwrap(),
    ];
    let steps = [Step::Pay { after: None }, Step::Freeze, Step::Unfreeze, Step::Refund];
    let allowed = states.map(|card| steps.map(|step| card.clone().after(step, day(2)).is_ok()));
    let expected = [
        [true, false, false, false],
        [false, true, false, true],
        [false, false, true, true],
        [false; 4],
        [false; 4],
    ];
    assert_eq!(allowed, expected);
}

#[test]
fn a_card_that_is_bought_while_another_holds_begins_when_that_one_ends() {
    let second = card(100, 10).after(Step::Pay { after: Some(day(7)) }, day(2)).unwrap();
    assert_eq!(second.term, Some((day(7), day(17))));
    let late = card(100, 10).after(Step::Pay { after: Some(day(7)) }, day(9)).unwrap();
    assert_eq!(late.term, Some((day(9), day(19))));
}

#[test]
fn benefits_hold_to_the_exact_instant_of_the_end_and_rest_with_the_card() {
    let paid = paid(100, 10);
    assert!(paid.holds(day(0)) && paid.holds(day(10) - TimeDelta::microseconds(1)));
    assert!(!paid.holds(day(10)));
    let frozen = paid.after(Step::Freeze, day(4)).unwrap();
    assert!(!frozen.holds(day(5)));
    let goes_on = frozen.after(Step::Unfreeze, day(30)).unwrap();
    assert_eq!(goes_on.term, Some((day(0), day(36))));
}

#[test]
fn what_is_left_is_given_back_less_what_was_used() {
    let mut paid = paid(36_500, 365);
    assert_eq!(paid.refund_at(day(0)), 36_500);
    assert_eq!(paid.refund_at(day(65)), 30_000);
    paid.used_minor = 1_000;
    assert_eq!(paid.refund_at(day(65)), 29_000);
    assert_eq!(paid.refund_at(day(360)), 0);
    assert_eq!(paid.after(Step::Refund, day(65)).unwrap().refund_minor, 29_000);
}

#[test]
fn the_days_of_a_rest_are_not_among_those_that_were_bought() {
    let rested = paid(300, 30).after(Step::Freeze, day(10)).unwrap();
    assert_eq!(rested.refund_at(day(30)), 200);
    let goes_on = rested.after(Step::Unfreeze, day(30)).unwrap();
    assert_eq!(goes_on.term, Some((day(0), day(50))));
    assert_eq!((goes_on.refund_at(day(30)), goes_on.refund_at(day(40))), (200, 100));
}

#[test]
fn cards_of_a_plan_queue_behind_the_one_that_goes_on_and_keep_their_days() {
    let begun_at = |from: i64| card(300, 30).after(Step::Pay { after: None }, day(from)).unwrap();
    let terms =
        |cards: Vec<Card>| -> Vec<_> { cards.into_iter().map(|card| card.term.unwrap()).collect() };
    // Neither has begun; one has, with five days behind it; one begins late enough; one is over.
    let two = vec![begun_at(60), begun_at(30)];
    assert_eq!(
        terms(queue(day(55), two.clone(), day(20))),
        [(day(55), day(85)), (day(85), day(115))]
    );
    assert_eq!(terms(queue(day(60), vec![begun_at(35)], day(40))), [(day(60), day(85))]);
    assert_eq!(queue(day(30), two, day(20)), []);
    assert_eq!(queue(day(60), vec![begun_at(0)], day(30)), []);
    // One that rests waits for its own turn.
    let rests = begun_at(30).after(Step::Freeze, day(35)).unwrap();
    assert_eq!(queue(day(60), vec![rests], day(40)), []);
    let late = begun_at(35).behind(day(60), day(40)).unwrap();
    assert_eq!(late.refund_at(day(40)), 250);
}

#[test]
fn a_card_that_goes_on_leaves_the_one_ahead_of_it_alone_and_comes_behind_it() {
    let bought = |n: u128, from: i64| {
        let card = Card { id: Id::from_uuid(Uuid::from_u128(n)), ..card(300, 30) };
        card.after(Step::Pay { after: None }, day(from)).unwrap()
    };
    let rest = |card: Card, at| card.after(Step::Freeze, day(at)).unwrap();
    let wake = |card: Card, at| card.after(Step::Unfreeze, day(at)).unwrap();
    let (first, second) = (bought(1, 0), bought(2, 30));
    let term = |card: &Card| card.term.unwrap();
    // It rested before its turn, and its turn is still to come.
    let (card, moved) = go_on(wake(rest(second.clone(), 10), 20), vec![first.clone()], day(20));
    assert_eq!((term(&card), moved), ((day(30), day(60)), vec![]));
    // Both rested, and the first was awake again before.
    let ahead = wake(rest(first.clone(), 10), 20);
    let (card, moved) = go_on(wake(rest(second.clone(), 12), 25), vec![ahead], day(25));
    assert_eq!((term(&card), moved), ((day(40), day(70)), vec![]));
    // The second had run for five days while the first rested; what is left of it comes after what is left of the first.
    let ahead = wake(rest(first.clone(), 10), 36);
    let (card, moved) = go_on(wake(rest(second.clone(), 35), 40), vec![ahead], day(40));
    assert_eq!((term(&card), moved), ((day(56), day(81)), vec![]));
    // The first goes on while the second runs.
    let (card, moved) = go_on(wake(rest(first, 10), 40), vec![second], day(40));
    assert_eq!(term(&card), (day(0), day(60)));
    assert_eq!(moved.iter().map(term).collect::<Vec<_>>(), [(day(60), day(80))]);
}

proptest! {
    #[test]
    fn a_refund_is_never_negative_more_than_the_price_or_more_later(
        price in 0..10_000_000_i64, days in 1..800_i32, used in 0..1_000_000_i64, at in 0..900_i64,
    ) {
        let mut card = paid(price, days);
        card.used_minor = used;
        let (now, later) = (card.refund_at(day(at)), card.refund_at(day(at + 1)));
        prop_assert!((0..=price).contains(&now) && later <= now);
    }
}
