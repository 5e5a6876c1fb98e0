use BindOutcome as O;
use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, kind};
use siyu_proto::distribution::v1::*;
use siyu_testkit::id;

use crate::world::{World, fields, generous, hour, person};

/// A rule of so many days of validity and protection, in force since before every click.
async fn days(world: &World, binding_valid_days: i32, protect_days: i32) {
    let now = world.clock.clone();
    now.set(crate::world::start() - TimeDelta::days(400));
    let rule = CommissionRule { binding_valid_days, protect_days, ..generous() };
    world.set_rule(rule).await.unwrap();
    now.set(crate::world::start());
}

#[tokio::test]
async fn a_binding_is_in_force_from_its_click_on_and_until_its_end_exclusive() {
    let world = World::new().await;
    days(&world, 2, 1).await;
    let anna = world.promoter(1, "").await;
    let (outcome, binding) = world.click(9, &anna, -100).await;
    let binding = binding.unwrap();
    assert_eq!((outcome, binding.bind_time), (O::Bound, Some(hour(-100))));
    assert_eq!(binding.protect_until_time, Some(hour(-76)));
    assert_eq!((binding.expire_time, binding.source.as_str()), (Some(hour(-52)), "link"));
    let mut before = hour(-100);
    (before.seconds, before.nanos) = (before.seconds - 1, 999_999_000);
    assert_eq!(world.bound_to(9, before).await, None);
    assert_eq!(world.bound_to(9, hour(-100)).await.as_ref(), Some(&anna));
    let mut last = hour(-52);
    (last.seconds, last.nanos) = (last.seconds - 1, 999_999_000);
    assert_eq!(world.bound_to(9, last).await.as_ref(), Some(&anna));
    assert_eq!(world.bound_to(9, hour(-52)).await, None);
}

#[tokio::test]
async fn the_history_stays_when_another_takes_over() {
    let world = World::new().await;
    days(&world, 0, 1).await;
    let (anna, ben) = (world.promoter(1, "").await, world.promoter(2, "").await);
    assert_eq!(world.click(9, &anna, -100).await.0, O::Bound);
    assert_eq!(world.click(9, &ben, -77).await.0, O::Protected);
    let (outcome, binding) = world.click(9, &ben, -76).await;
    assert_eq!((outcome, binding.unwrap().promoter_id), (O::Rebound, ben.clone()));
    assert_eq!(world.bound_to(9, hour(-77)).await.as_ref(), Some(&anna));
    assert_eq!(world.bound_to(9, hour(-76)).await.as_ref(), Some(&ben));
    // A click from before that arrives now.
    let (outcome, binding) = world.click(9, &anna, -90).await;
    assert_eq!((outcome, binding.unwrap().promoter_id), (O::Outdated, anna.clone()));
    let told = world.told::<CustomerBound>().await;
    let told: Vec<_> = told.iter().map(|f| f.promoter_person_id.as_str()).collect();
    assert_eq!(told, [person(1), person(2)]);
}

#[tokio::test]
async fn a_binding_that_has_expired_leaves_the_customer_free() {
    let world = World::new().await;
    days(&world, 1, 1).await;
    let (anna, ben) = (world.promoter(1, "").await, world.promoter(2, "").await);
    world.click(9, &anna, -100).await;
    assert_eq!(world.click(9, &ben, -50).await.0, O::Bound);
    assert_eq!(world.bound_to(9, hour(-60)).await, None);
    assert_eq!(world.bound_to(9, hour(-50)).await, Some(ben));
}

#[tokio::test]
async fn the_same_click_again_changes_nothing_and_tells_nothing() {
    let world = World::new().await;
    let anna = world.promoter(1, "").await;
    let (_, first) = world.click(9, &anna, -10).await;
    let (outcome, again) = world.click(9, &anna, -10).await;
    assert_eq!((outcome, again), (O::Refreshed, first.clone()));
    assert_eq!(world.told::<CustomerBound>().await.len(), 1);
    let (_, longer) = world.click(9, &anna, -5).await;
    assert!(longer.unwrap().protect_until_time.unwrap().seconds > hour(-10 + 720).seconds);
    assert_eq!(world.told::<CustomerBound>().await.len(), 2);
    assert_eq!(world.count("select count(*) from bindings").await, 1);
    assert_eq!(first.unwrap().expire_time, None);
}

#[tokio::test]
async fn nobody_is_bound_to_himself() {
    let world = World::new().await;
    let anna = world.promoter(1, "").await;
    let (outcome, binding) = world.click(1, &anna, -1).await;
    assert_eq!((outcome, binding), (O::Self_, None));
    assert_eq!(world.count("select count(*) from bindings").await, 0);
}

#[tokio::test]
async fn a_click_that_cannot_be_is_refused() {
    let world = World::new().await;
    let anna = world.promoter(1, "").await;
    let click = BindCustomerRequest {
        person_id: person(9),
        promoter_id: anna,
        click_time: Some(hour(0)),
        source: String::new(),
    };
    let future = BindCustomerRequest { click_time: Some(hour(1)), ..click.clone() };
    let refused = fault(world.bindings(1).bind_customer(future).await.unwrap_err());
    assert_eq!(fields(&refused), ["click_time"]);
    let unknown =
        BindCustomerRequest { promoter_id: id::<kind::Promoter>(9).to_string(), ..click.clone() };
    let unknown = fault(world.bindings(1).bind_customer(unknown).await.unwrap_err());
    let foreign = fault(world.bindings(2).bind_customer(click).await.unwrap_err());
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "promoter not found"));
    assert_eq!((foreign.code(), foreign.message()), (unknown.code(), unknown.message()));
    assert_eq!(world.count("select count(*) from bindings").await, 0);
}

#[tokio::test]
async fn the_customers_of_a_promoter_are_listed_newest_first_in_pages() {
    let world = World::new().await;
    let (anna, ben) = (world.promoter(1, "").await, world.promoter(2, "").await);
    for n in 0..5 {
        world.click(10 + n, &anna, -10 + i64::from(n) / 2).await;
    }
    world.click(30, &ben, -1).await;
    let mut request = ListBindingsRequest { promoter_id: anna, page_size: 2, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.bindings(1).list_bindings(request.clone()).await.unwrap().into_inner();
        seen.extend(page.bindings);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert!(seen.is_sorted_by_key(|b| std::cmp::Reverse(b.bind_time.unwrap().seconds)));
    let mut persons: Vec<&str> = seen.iter().map(|b| b.person_id.as_str()).collect();
    persons.sort_unstable();
    assert_eq!(persons, (10..15).map(person).collect::<Vec<_>>());
    request.page_token = String::new();
    let foreign = fault(world.bindings(2).list_bindings(request).await.unwrap_err());
    assert_eq!(foreign.code(), Code::NotFound);
}
