//! What becomes of everything that a person has when two turn out to be one, and when they are two again.

use chrono::TimeDelta;
use siyu_kernel::Clock;
use siyu_proto::member::v1::*;

use crate::{
    attributes, benefits, households,
    organisation::guide,
    owners::{assign, met, owner, owner_at},
    points::{grant, has, spend},
    sign_ins, stages, tiers,
    world::World,
};

/// Two persons, the first a second older.
async fn two(world: &World) -> (String, String) {
    let first = world.people(world.own, &["first"]).await.remove(0);
    world.clock.advance(TimeDelta::seconds(1));
    (first, world.people(world.own, &["second"]).await.remove(0))
}

#[tokio::test]
async fn the_owner_who_had_to_do_with_the_person_last_stays_and_each_gets_its_own_back() {
    for (last, wins) in [("anna", false), ("ben", true)] {
        let world = World::new().await;
        let (a, b) = two(&world).await;
        let (anna, ben) = (guide(&world, "anna", "").await, guide(&world, "ben", "").await);
        assign(&world, &[(&a, &anna), (&b, &ben)]).await.unwrap();
        world.clock.advance(TimeDelta::hours(1));
        let (person, staff) = if last == "anna" { (&a, &anna) } else { (&b, &ben) };
        met(&world, person, staff, InteractionKind::MessageFromPerson).await;
        world.clock.advance(TimeDelta::hours(1));
        let before = world.clock.now() - TimeDelta::minutes(1);
        let merge = world.join(world.own, &a, &b).await;
        let winner = if wins { &ben } else { &anna };
        for id in [&a, &b] {
            assert_eq!(owner(&world, id).await, *winner, "{last}: every id leads to one");
        }
        assert_eq!(owner_at(&world, &a, Some(before)).await, anna, "what was stays");
        world.clock.advance(TimeDelta::hours(1));
        world.part(world.own, &merge).await;
        let owners = (owner(&world, &a).await, owner(&world, &b).await);
        assert_eq!(owners, (anna, ben), "{last}: both as before");
    }
}

#[tokio::test]
async fn relations_of_both_are_one_persons_and_part_again() {
    use RelationKind::{Companion, Household, Invited, InvitedBy};
    let world = World::new().await;
    let (a, b) = two(&world).await;
    let others = world.people(world.own, &["x", "y", "z"]).await;
    let (child, spouse, friend) = (&others[0], &others[1], &others[2]);
    households::relate(&world, &a, child, Household).await.unwrap();
    households::relate(&world, &a, &b, Companion).await.unwrap();
    households::relate(&world, &b, child, Household).await.unwrap();
    households::relate(&world, &b, spouse, Household).await.unwrap();
    households::relate(&world, &a, friend, InvitedBy).await.unwrap();
    households::relate(&world, spouse, &b, InvitedBy).await.unwrap();
    let alone = [households::seen(&world, &a).await, households::seen(&world, &b).await];
    let merge = world.join(world.own, &a, &b).await;
    let mut both = vec![
        (Household, child.clone()),
        (Household, spouse.clone()),
        (Invited, spouse.clone()),
        (InvitedBy, friend.clone()),
    ];
    let mut seen = households::seen(&world, &b).await;
    let key = |(kind, id): &(RelationKind, String)| (*kind as i32, id.clone());
    both.sort_by_key(key);
    seen.sort_by_key(key);
    assert_eq!(seen, both, "each once, and none with oneself");
    assert_eq!(households::seen(&world, child).await, [(Household, a.clone())]);
    let of_spouse = households::seen(&world, spouse).await;
    assert_eq!(of_spouse, [(Household, a.clone()), (InvitedBy, a.clone())]);
    world.part(world.own, &merge).await;
    let again = [households::seen(&world, &a).await, households::seen(&world, &b).await];
    assert_eq!(again, alone);
    assert_eq!(households::seen(&world, child).await.len(), 2);
}

#[tokio::test]
async fn the_survivor_came_as_far_as_either_and_as_early() {
    let world = World::new().await;
    let (a, b) = two(&world).await;
    let at = |hours: i64| world.clock.now() - TimeDelta::hours(hours);
    let (early, late) = (at(5), at(1));
    stages::connect(&world, &a, "wecom", late).await;
    stages::connect(&world, &b, "wecom", early).await;
    let entered = async |person: &str| {
        let shown = stages::stage(&world, person).await;
        let connected = shown.entries.iter().find(|entry| entry.stage() == Stage::Connected);
        (shown.stage(), connected.map(|entry| entry.enter_time.unwrap().seconds))
    };
    let merge = world.join(world.own, &a, &b).await;
    assert_eq!(entered(&a).await, (Stage::Connected, Some(early.timestamp())));
    assert_eq!(entered(&b).await, entered(&a).await);
    let count = CountStagesRequest {};
    let counts = world.stages(world.own).count_stages(count).await.unwrap().into_inner().counts;
    let connected = counts.iter().find(|count| count.stage() == Stage::Connected).unwrap();
    assert_eq!(connected.persons, 1, "an alias is not counted");
    world.part(world.own, &merge).await;
    assert_eq!(entered(&b).await, (Stage::Connected, Some(early.timestamp())));
    assert_eq!(entered(&a).await.0, Stage::Connected);
    let counts =
        world.stages(world.own).count_stages(CountStagesRequest {}).await.unwrap().into_inner();
    let connected = counts.counts.iter().find(|count| count.stage() == Stage::Connected);
    assert_eq!(connected.unwrap().persons, 2);
}

#[tokio::test]
async fn of_two_values_the_later_one_stands_until_both_are_as_before() {
    let world = World::new().await;
    let (a, b) = two(&world).await;
    for code in ["city", "skin", "size"] {
        attributes::define(&world, code, AttributeType::Text, &[]).await.unwrap();
    }
    attributes::set(&world, &[(&a, "city", "Nanjing"), (&a, "size", "M")]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    attributes::set(&world, &[(&b, "city", "Suzhou"), (&b, "skin", "dry")]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    let merge = world.join(world.own, &a, &b).await;
    let sorted = async |person: &str| {
        let mut values = attributes::values(&world, person).await;
        values.sort();
        let texts = values.into_iter().map(|(code, value)| format!("{code} {value}"));
        texts.collect::<Vec<_>>()
    };
    for id in [&a, &b] {
        assert_eq!(sorted(id).await, ["city Suzhou", "size M", "skin dry"]);
    }
    world.clock.advance(TimeDelta::seconds(1));
    attributes::set(&world, &[(&a, "skin", "oily")]).await.unwrap();
    world.part(world.own, &merge).await;
    assert_eq!(sorted(&a).await, ["city Nanjing", "size M", "skin oily"], "what came later stays");
    assert_eq!(sorted(&b).await, ["city Suzhou", "skin dry"]);
}

#[tokio::test]
async fn growth_of_both_reaches_a_tier_whose_gift_neither_gets_twice() {
    let world = World::new().await;
    let (a, b) = two(&world).await;
    let ladder = tiers::ladder(&[("bronze", 0, 0), ("silver", 100, 7), ("gold", 250, 50)]);
    tiers::set(&world, "t", ladder).await.unwrap();
    assert_eq!(tiers::grow(&world, "g1", &a, 150).await, (150, 2));
    assert_eq!(tiers::grow(&world, "g2", &b, 120).await, (120, 2));
    world.run("member.tier_gifts").await;
    assert_eq!((has(&world, &a).await.0, has(&world, &b).await.0), (7, 7));
    let merge = world.join(world.own, &a, &b).await;
    let stands = tiers::status(&world, &b).await;
    assert_eq!((stands.tier, stands.growth), (3, 270));
    world.run("member.tier_gifts").await;
    assert_eq!(has(&world, &a).await.0, 7 + 7 + 50, "silver's was had, gold's is new");
    world.part(world.own, &merge).await;
    let (one, other) = (tiers::status(&world, &a).await, tiers::status(&world, &b).await);
    assert_eq!((one.growth, other.growth, other.tier), (150, 120, 2));
    assert_eq!(one.tier, 3, "a tier that was reached holds its time");
    // Parting and joining brings no gift a second time.
    world.run("member.tier_gifts").await;
    let had = has(&world, &a).await.0 + has(&world, &b).await.0;
    assert_eq!(had, 64);
    let again = world.join(world.own, &a, &b).await;
    world.run("member.tier_gifts").await;
    assert_eq!(has(&world, &a).await.0, 64);
    world.part(world.own, &again).await;
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn days_of_both_make_one_streak_and_a_day_that_both_signed_is_one() {
    let world = World::new().await;
    let (a, b) = two(&world).await;
    sign_ins::set(&world, "s", sign_ins::rules()).await.unwrap();
    sign_ins::sign(&world, &a).await;
    world.clock.advance(TimeDelta::days(1));
    sign_ins::sign(&world, &b).await;
    sign_ins::sign(&world, &a).await;
    world.clock.advance(TimeDelta::days(1));
    sign_ins::sign(&world, &b).await;
    let merge = world.join(world.own, &a, &b).await;
    let again = sign_ins::sign(&world, &a).await;
    assert_eq!(again.streak, 3, "the other signed today already: it is the third day");
    let before = has(&world, &a).await.0;
    world.clock.advance(TimeDelta::days(1));
    let fourth = sign_ins::sign(&world, &a).await;
    assert_eq!((fourth.streak, fourth.points), (4, 1), "the days of both, in a row");
    assert_eq!(has(&world, &a).await.0, before + 1);
    world.part(world.own, &merge).await;
    let list = async |person: &str| {
        let request = ListSignInsRequest { person_id: person.into(), ..Default::default() };
        let reply = world.sign_ins(world.own).list_sign_ins(request).await.unwrap();
        reply.into_inner().days.into_iter().map(|day| day.day).collect::<Vec<_>>()
    };
    assert_eq!(list(&a).await, ["2024-06-04", "2024-06-02", "2024-06-01"]);
    assert_eq!(list(&b).await, ["2024-06-03", "2024-06-02"]);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn points_of_both_are_one_balance_and_what_was_spent_together_is_owed_apart() {
    let world = World::new().await;
    let (a, b) = two(&world).await;
    for (n, person, points) in [(1, &a, 100), (2, &b, 40)] {
        let request = grant(&format!("g{n}"), person, points);
        world.points(world.own).grant_points(request).await.unwrap();
    }
    let merge = world.join(world.own, &a, &b).await;
    assert_eq!(has(&world, &b).await.0, 140);
    world.points(world.own).spend_points(spend("s", &b, 130)).await.unwrap();
    let refused = world.points(world.own).spend_points(spend("t", &a, 11)).await;
    assert!(refused.is_err(), "there are ten left");
    world.part(world.own, &merge).await;
    let (one, other) = (has(&world, &a).await.3, has(&world, &b).await.3);
    assert_eq!(one + other, 10, "nothing is lost and nothing made: {one} and {other}");
    assert_eq!(other, 40, "the one who is a person again has what it brought");
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn cards_and_uses_of_both_count_for_one_and_cards_go_back() {
    use BenefitKind::{Coupon, FreeShipping};
    let world = World::new().await;
    let (a, b) = two(&world).await;
    let shipping = benefits::plan(vec![benefits::benefit(FreeShipping, 0, 3)]);
    let shipping = benefits::offer(&world, "p", shipping).await.unwrap();
    let coupons = benefits::plan(vec![benefits::benefit(Coupon, 500, 2)]);
    let coupons = benefits::offer(&world, "q", coupons).await.unwrap();
    benefits::paid(&world, "c1", &a, &shipping).await;
    benefits::paid(&world, "c2", &b, &shipping).await;
    benefits::paid(&world, "c3", &b, &coupons).await;
    let use_it = async |id: &str, person: &str, kind| {
        benefits::use_one(&world, benefits::using(id, person, kind)).await
    };
    assert_eq!(use_it("u1", &a, FreeShipping).await.unwrap(), 1);
    assert_eq!(use_it("u2", &b, FreeShipping).await.unwrap(), 1);
    let merge = world.join(world.own, &a, &b).await;
    assert_eq!(use_it("u3", &b, FreeShipping).await.unwrap(), 3, "both have used one");
    assert_eq!(use_it("u4", &a, FreeShipping).await.unwrap_err().reason(), "BENEFIT_USED_UP");
    let held = benefits::held(&world, &a).await;
    assert!(held.iter().any(|(kind, ..)| *kind == Coupon), "{held:?}");
    world.part(world.own, &merge).await;
    let kinds = async |person: &str| {
        let held = benefits::held(&world, person).await;
        held.into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>()
    };
    assert!(!kinds(&a).await.contains(&Coupon), "that card is the other's");
    assert!(kinds(&b).await.contains(&Coupon) && kinds(&b).await.contains(&FreeShipping));
    assert_eq!(use_it("u5", &b, FreeShipping).await.unwrap(), 2, "its own counter is as it was");
}
