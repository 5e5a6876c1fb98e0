//! Cards that rest, and those that follow them.

use chrono::TimeDelta;
use siyu_proto::{member::v1::*, r#type::v1::Money};

use crate::{
    benefits::{benefit, held, offer, paid, plan, seconds, step},
    points::start,
};

#[tokio::test]
async fn a_card_that_rested_is_followed_by_the_others_of_its_plan_and_gives_back_its_own_days() {
    let (world, anna) = start().await;
    let discount = vec![benefit(BenefitKind::Discount, 500, 0)];
    let price = Some(Money { currency_code: "CNY".into(), minor_units: 300 });
    let month = CardPlan { validity_days: 30, price, ..plan(discount) };
    let month = offer(&world, "p", month).await.unwrap();
    let first = paid(&world, "a", &anna, &month).await;
    let day = |n: i64| seconds(first.start_time) + n * 86_400;
    world.clock.advance(TimeDelta::days(10));
    step(&world, "freeze", &first.id, CardStep::Freeze).await.unwrap();
    let second = paid(&world, "b", &anna, &month).await;
    let third = paid(&world, "c", &anna, &month).await;
    assert_eq!((seconds(second.start_time), seconds(third.start_time)), (day(30), day(60)));

    world.clock.advance(TimeDelta::days(15));
    let goes_on = step(&world, "unfreeze", &first.id, CardStep::Unfreeze).await.unwrap();
    assert_eq!((seconds(goes_on.end_time), goes_on.refund_minor), (day(45), 200));
    let again = step(&world, "unfreeze", &first.id, CardStep::Unfreeze).await.unwrap();
    assert_eq!(again, goes_on);
    let request = ListCardsRequest { person_id: anna.clone(), ..Default::default() };
    let cards = world.cards(world.own).list_cards(request).await.unwrap().into_inner().cards;
    let mut terms: Vec<(i64, i64)> =
        cards.iter().map(|card| (seconds(card.start_time), seconds(card.end_time))).collect();
    terms.sort_unstable();
    assert_eq!(terms, [(day(0), day(45)), (day(45), day(75)), (day(75), day(105))]);
    // One benefit, to the end of the last.
    world.clock.advance(TimeDelta::days(80) - TimeDelta::seconds(1));
    assert_eq!(held(&world, &anna).await, [(BenefitKind::Discount, 500, 0)]);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(held(&world, &anna).await, []);
}
