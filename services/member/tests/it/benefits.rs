//! Cards, what they and tiers entitle to, and what is used of it.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::{
    member::v1::*,
    r#type::v1::{Money, Ratio},
};
use tokio::task::JoinSet;

use crate::{
    points::{points, start, time},
    world::{World, fields},
};

pub(crate) fn benefit(kind: BenefitKind, amount: i64, times: i32) -> Benefit {
    Benefit { kind: kind.into(), amount, times, ..Default::default() }
}

pub(crate) fn plan(benefits: Vec<Benefit>) -> CardPlan {
    CardPlan {
        name: "gold".into(),
        price: Some(Money { currency_code: "CNY".into(), minor_units: 36_500 }),
        validity_days: 365,
        benefits,
        ..Default::default()
    }
}

pub(crate) async fn offer(
    world: &World,
    request_id: &str,
    plan: CardPlan,
) -> Result<CardPlan, Fault> {
    let request = CreateCardPlanRequest { request_id: request_id.into(), plan: Some(plan) };
    let reply = world.cards(world.own).create_card_plan(request).await;
    reply.map(|reply| reply.into_inner().plan.unwrap()).map_err(fault)
}

async fn buy(world: &World, request_id: &str, person: &str, plan: &CardPlan) -> Card {
    let request = PurchaseCardRequest {
        request_id: request_id.into(),
        person_id: person.into(),
        plan_id: plan.id.clone(),
    };
    world.cards(world.own).purchase_card(request).await.unwrap().into_inner().card.unwrap()
}

pub(crate) async fn step(
    world: &World,
    request_id: &str,
    card: &str,
    step: CardStep,
) -> Result<Card, Fault> {
    let request =
        MoveCardRequest { request_id: request_id.into(), card_id: card.into(), step: step.into() };
    let reply = world.cards(world.own).move_card(request).await;
    reply.map(|reply| reply.into_inner().card.unwrap()).map_err(fault)
}

pub(crate) async fn paid(world: &World, request_id: &str, person: &str, plan: &CardPlan) -> Card {
    let card = buy(world, request_id, person, plan).await;
    step(world, request_id, &card.id, CardStep::Pay).await.unwrap()
}

/// Kind, amount and uses of everything that a person is entitled to.
pub(crate) async fn held(world: &World, person: &str) -> Vec<(BenefitKind, i64, i32)> {
    let request = ListBenefitsRequest { person_id: person.into(), ..Default::default() };
    let reply = world.benefits(world.own).list_benefits(request).await.unwrap().into_inner();
    let show = |held: HeldBenefit| {
        let benefit = held.benefit.unwrap();
        (benefit.kind(), benefit.amount, held.used)
    };
    reply.benefits.into_iter().map(show).collect()
}

pub(crate) fn using(request_id: &str, person: &str, kind: BenefitKind) -> UseBenefitRequest {
    UseBenefitRequest {
        request_id: request_id.into(),
        person_id: person.into(),
        kind: kind.into(),
        birthday: String::new(),
    }
}

pub(crate) async fn use_one(world: &World, request: UseBenefitRequest) -> Result<i32, Fault> {
    let reply = world.benefits(world.own).use_benefit(request).await.map_err(fault)?;
    Ok(reply.into_inner().benefit.unwrap().used)
}

pub(crate) fn seconds(at: Option<Timestamp>) -> i64 {
    at.unwrap().seconds
}

#[tokio::test]
async fn a_card_holds_from_its_payment_to_the_exact_instant_of_its_end() {
    let (world, anna) = start().await;
    let gold =
        offer(&world, "p", plan(vec![benefit(BenefitKind::Discount, 500, 0)])).await.unwrap();
    let card = buy(&world, "c", &anna, &gold).await;
    assert_eq!((card.state(), card.start_time), (CardState::PendingPayment, None));
    assert_eq!(held(&world, &anna).await, []);
    let card = step(&world, "c1", &card.id, CardStep::Pay).await.unwrap();
    assert_eq!(step(&world, "c1", &card.id, CardStep::Pay).await.unwrap(), card);
    let again = step(&world, "c2", &card.id, CardStep::Pay).await.unwrap_err();
    assert_eq!(again.reason(), "CARD_MOVE_REFUSED");
    assert_eq!(held(&world, &anna).await, [(BenefitKind::Discount, 500, 0)]);
    // The second of the same plan begins when the first ends.
    let second = paid(&world, "d", &anna, &gold).await;
    assert_eq!(seconds(second.start_time), seconds(card.end_time));
    let end = DateTime::<Utc>::from_timestamp(seconds(second.end_time), 0).unwrap();
    world.clock.set(end - TimeDelta::microseconds(1));
    assert_eq!(held(&world, &anna).await.len(), 1);
    world.clock.set(end);
    assert_eq!(held(&world, &anna).await, []);
    world.run("member.expire_cards").await;
    let request = ListCardsRequest { person_id: anna.clone(), ..Default::default() };
    let cards = world.cards(world.own).list_cards(request).await.unwrap().into_inner().cards;
    assert!(cards.iter().all(|card| card.state() == CardState::Expired), "{cards:?}");
}

#[tokio::test]
async fn a_card_that_is_given_back_brings_the_days_that_are_left_less_what_was_used() {
    let (world, anna) = start().await;
    let shipping = Benefit { use_value_minor: 800, ..benefit(BenefitKind::FreeShipping, 0, 3) };
    let gold = offer(&world, "p", plan(vec![shipping])).await.unwrap();
    let card = paid(&world, "c", &anna, &gold).await;
    assert_eq!(card.refund_minor, 36_500);
    use_one(&world, using("u", &anna, BenefitKind::FreeShipping)).await.unwrap();
    world.clock.advance(TimeDelta::days(65));
    step(&world, "f", &card.id, CardStep::Freeze).await.unwrap();
    assert_eq!(held(&world, &anna).await, []);
    world.clock.advance(TimeDelta::days(100));
    let back = step(&world, "r", &card.id, CardStep::Refund).await.unwrap();
    assert_eq!((back.state(), back.refund_minor), (CardState::Refunded, 30_000 - 800));
    let more = step(&world, "s", &card.id, CardStep::Unfreeze).await.unwrap_err();
    assert_eq!(more.reason(), "CARD_MOVE_REFUSED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_benefit_is_used_as_often_as_it_may_be_in_a_period_and_no_more() {
    let (world, anna) = start().await;
    let benefits = vec![benefit(BenefitKind::FreeShipping, 0, 3)];
    let gold = offer(&world, "p", plan(benefits)).await.unwrap();
    paid(&world, "c", &anna, &gold).await;
    let mut calls = JoinSet::new();
    for n in 0..20 {
        let mut client = world.benefits(world.own);
        let request = using(&format!("u{n}"), &anna, BenefitKind::FreeShipping);
        calls.spawn(async move { client.use_benefit(request).await.map(drop).map_err(fault) });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    let refused = answers.iter().find_map(|answer| answer.as_ref().err()).unwrap();
    assert_eq!(refused.reason(), "BENEFIT_USED_UP");
    // July begins in Shanghai while it is still June in UTC.
    world.clock.set("2024-06-30T16:00:00Z".parse().unwrap());
    assert_eq!(use_one(&world, using("v", &anna, BenefitKind::FreeShipping)).await.unwrap(), 1);
    assert_eq!(use_one(&world, using("v", &anna, BenefitKind::FreeShipping)).await.unwrap(), 1);
    let other = use_one(&world, using("w", &anna, BenefitKind::Coupon)).await.unwrap_err();
    assert_eq!(other.reason(), "BENEFIT_NOT_HELD");
}

#[tokio::test]
async fn of_tier_and_card_the_better_benefit_holds() {
    let (world, anna) = start().await;
    let tier = |name: &str, threshold, amount| Tier {
        name: name.into(),
        threshold,
        gift_points: 0,
        benefits: vec![benefit(BenefitKind::Discount, amount, 0)],
    };
    let policy = TierPolicy {
        tiers: vec![tier("1", 0, 100), tier("2", 10, 700)],
        growth_per_major: Some(Ratio { numerator: 1, denominator: 1 }),
        ..Default::default()
    };
    let request = SetTierPolicyRequest { request_id: "t".into(), policy: Some(policy) };
    world.tiers(world.own).set_tier_policy(request).await.unwrap();
    let gold =
        offer(&world, "p", plan(vec![benefit(BenefitKind::Discount, 500, 0)])).await.unwrap();
    assert_eq!(held(&world, &anna).await, [(BenefitKind::Discount, 100, 0)]);
    paid(&world, "c", &anna, &gold).await;
    assert_eq!(held(&world, &anna).await, [(BenefitKind::Discount, 500, 0)]);
    let request = GrantGrowthRequest {
        request_id: "g".into(),
        person_id: anna.clone(),
        growth: 10,
        reason: String::new(),
    };
    world.tiers(world.own).grant_growth(request).await.unwrap();
    assert_eq!(held(&world, &anna).await, [(BenefitKind::Discount, 700, 0)]);
}

#[tokio::test]
async fn a_birthday_is_celebrated_once_a_year_in_the_days_around_it() {
    let (world, anna) = start().await;
    let birthday = Benefit { times: 9, ..benefit(BenefitKind::BirthdayPoints, 88, 0) };
    let gold = offer(&world, "p", plan(vec![birthday])).await.unwrap();
    paid(&world, "c", &anna, &gold).await;
    let claim = |id: &str, birthday: &str| UseBenefitRequest {
        birthday: birthday.into(),
        ..using(id, &anna, BenefitKind::BirthdayPoints)
    };
    let refusal = use_one(&world, claim("a", "")).await.unwrap_err();
    assert_eq!(fields(&refusal), ["birthday"]);
    let refusal = use_one(&world, claim("a", "1990-06-20")).await.unwrap_err();
    assert_eq!(refusal.reason(), "BIRTHDAY_NOT_NOW");
    use_one(&world, claim("b", "1990-06-05")).await.unwrap();
    use_one(&world, claim("b", "1990-06-05")).await.unwrap();
    world.clock.advance(TimeDelta::days(3));
    let refusal = use_one(&world, claim("c", "1990-06-05")).await.unwrap_err();
    assert_eq!(refusal.reason(), "BENEFIT_USED_UP");
    assert_eq!(points(&world, &anna).await.available, 88);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_charge_is_announced_five_days_before_to_who_agreed() {
    let (world, anna) = start().await;
    let gold = offer(&world, "p", plan(vec![])).await.unwrap();
    let card = paid(&world, "c", &anna, &gold).await;
    let renewal = |id: &str, agreed, charge: Option<&str>| {
        let request = SetCardRenewalRequest {
            request_id: id.into(),
            card_id: card.id.clone(),
            agreed,
            charge_time: charge.map(time),
        };
        let mut client = world.cards(world.own);
        async move {
            let reply = client.set_card_renewal(request).await.map_err(fault)?;
            Ok::<Card, Fault>(reply.into_inner().card.unwrap())
        }
    };
    let soon = Some("2024-06-05T23:59:59Z");
    let later = Some("2024-06-06T00:00:00Z");
    assert_eq!(renewal("a", false, later).await.unwrap_err().reason(), "RENEWAL_NOT_AGREED");
    assert_eq!(renewal("b", true, soon).await.unwrap_err().reason(), "NOTICE_TOO_SHORT");
    let told = renewal("c", true, later).await.unwrap();
    assert!(told.renewal_consent_time.is_some() && told.renewal_notice_time.is_some());
    assert_eq!(renewal("d", false, None).await.unwrap().renewal_consent_time, None);
}

#[tokio::test]
async fn plans_that_cannot_be_are_refused_by_field() {
    let world = World::new().await;
    let twice = vec![benefit(BenefitKind::Coupon, 1, 1), benefit(BenefitKind::Coupon, 2, 1)];
    let price = |currency: &str, minor_units| {
        let price = Some(Money { currency_code: currency.into(), minor_units });
        CardPlan { price, ..plan(vec![]) }
    };
    let wrong = [
        (plan(twice), "plan.benefits[1].kind"),
        (price("USD", 1), "plan.price.currency_code"),
        (price("CNY", -1), "plan.price.minor_units"),
        (CardPlan { validity_days: 0, ..plan(vec![]) }, "plan.validity_days"),
    ];
    for (plan, field) in wrong {
        assert_eq!(fields(&offer(&world, "p", plan).await.unwrap_err()), [field]);
    }
    let first = offer(&world, "p", plan(vec![])).await.unwrap();
    assert_eq!(offer(&world, "p", plan(vec![])).await.unwrap(), first);
    let request = ListCardPlansRequest::default();
    let plans = world.cards(world.own).list_card_plans(request.clone()).await.unwrap();
    assert_eq!(plans.into_inner().plans, [first]);
    let theirs = world.cards(world.other).list_card_plans(request).await.unwrap();
    assert_eq!(theirs.into_inner().plans, []);
}

#[tokio::test]
async fn orders_earn_more_points_by_what_held_when_they_were_paid() {
    use crate::orders::{self, Orders};
    let (world, anna) = start().await;
    let orders = Orders::new(&world).await;
    let double = plan(vec![benefit(BenefitKind::PointsMultiplier, 20_000, 0)]);
    let double = offer(&world, "p", double).await.unwrap();
    let card = paid(&world, "c", &anna, &double).await;
    let (at, second) = (orders::paid_at(), TimeDelta::seconds(1));
    assert_eq!(card.start_time.unwrap().seconds, at.timestamp());
    let total = async || world.person(world.own, &anna).await.unwrap().points_total;
    // A second before the card, and from its first instant on: rounded once.
    orders.tell_at(world.own, orders::paid(1, &anna, 1_990), at - second).await;
    let with_card = orders::paid(2, &anna, 1_990);
    orders.tell(world.own, std::slice::from_ref(&with_card)).await;
    assert_eq!(total().await, 19 + 39);
    assert_eq!(world.person(world.own, &anna).await.unwrap().growth, 38, "growth is as it was");
    // What an order earns keeps to that, whatever becomes of the card.
    world.clock.advance(second);
    step(&world, "f", &card.id, CardStep::Freeze).await.unwrap();
    orders.tell(world.own, &[with_card.now(1_050)]).await;
    assert_eq!(total().await, 19 + 21);
    orders.tell_at(world.own, orders::paid(3, &anna, 1_000), at + second).await;
    assert_eq!(total().await, 19 + 21 + 10, "the card rests");
    orders.tell_at(world.own, orders::paid(4, &anna, 1_000), at).await;
    assert_eq!(total().await, 19 + 21 + 10 + 20, "heard of late, paid when the card held");
    orders.tell(world.own, &[with_card.now(1_050).voided()]).await;
    assert_eq!(total().await, 19 + 10 + 20);
    world.sound_ledger(world.own).await;
}
