//! Many who want the same person at once, and turns that nobody loses.

use std::collections::BTreeMap;

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;
use tokio::task::JoinSet;

use crate::{
    organisation::guide,
    owners::{owner, spans},
    stores::upsert,
    world::World,
};

fn to(person: &str, staff: &str) -> OwnerAssignment {
    OwnerAssignment { person_id: person.into(), staff_id: staff.into(), ..Default::default() }
}

/// Spans follow each other without a gap, the newest first, and only the newest holds.
fn check_chain(spans: &[OwnerSpan]) {
    assert!(spans[0].until_time.is_none());
    for pair in spans.windows(2) {
        assert_eq!(pair[1].until_time, pair[0].since_time);
        assert_ne!(pair[1].staff_id, pair[0].staff_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_who_assign_one_person_leave_one_owner() {
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let mut guides = Vec::new();
    for n in 0..8 {
        guides.push(guide(&world, &n.to_string(), "").await);
    }
    let mut calls = JoinSet::new();
    for n in 0..64 {
        let mut client = world.owners(world.own);
        let assignments = vec![to(&person, &guides[n % 8])];
        let request = AssignOwnersRequest { assignments, ..Default::default() };
        calls.spawn(async move {
            client.assign_owners(request).await.map(|r| r.into_inner().changed).map_err(fault)
        });
    }
    let changed: i32 = calls.join_all().await.into_iter().map(Result::unwrap).sum();
    let history = spans(&world, &person).await;
    check_chain(&history);
    assert_eq!(history.len(), usize::try_from(changed).unwrap());
    let told = world.told::<OwnerChanged>().await;
    assert_eq!(told.len(), history.len());
    let last = told.last().unwrap().2.span.as_ref().unwrap().staff_id.clone();
    assert_eq!((owner(&world, &person).await, history[0].staff_id.clone()), (last.clone(), last));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_in_other_orders_do_not_hinder_each_other() {
    let world = World::new().await;
    let names: Vec<String> = (0..60).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let people = world.people(world.own, &names).await;
    let (anna, ben) = (guide(&world, "anna", "").await, guide(&world, "ben", "").await);
    let mut calls = JoinSet::new();
    for n in 0..8 {
        let staff = if n % 2 == 0 { &anna } else { &ben };
        let mut assignments: Vec<OwnerAssignment> = people.iter().map(|p| to(p, staff)).collect();
        assignments.rotate_left(n * 7);
        if n % 3 == 0 {
            assignments.reverse();
        }
        let mut client = world.owners(world.own);
        let request = AssignOwnersRequest { assignments, ..Default::default() };
        calls.spawn(async move { client.assign_owners(request).await.map(drop).map_err(fault) });
    }
    let outcome: Result<Vec<()>, Fault> = calls.join_all().await.into_iter().collect();
    outcome.unwrap();
    for person in &people {
        check_chain(&spans(&world, person).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_fair_whoever_asks_at_once() {
    let world = World::new().await;
    let names: Vec<String> = (0..60).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let people = world.people(world.own, &names).await;
    let store = upsert(&world, world.own, &["S1"]).await.remove(0).id;
    for code in ["a", "b", "c"] {
        guide(&world, code, &store).await;
    }
    let mut calls = JoinSet::new();
    for some in people.chunks(4) {
        let case = |person: &String| RuleCase {
            person_id: person.clone(),
            store_id: store.clone(),
            ..Default::default()
        };
        let request =
            AssignByRuleRequest { cases: some.iter().map(case).collect(), ..Default::default() };
        let mut client = world.owners(world.own);
        calls.spawn(async move { client.assign_by_rule(request).await.unwrap().into_inner() });
    }
    let mut shares: BTreeMap<String, usize> = BTreeMap::new();
    for reply in calls.join_all().await {
        for answer in reply.answers {
            *shares.entry(answer.staff_id).or_default() += 1;
        }
    }
    assert_eq!(shares.into_values().collect::<Vec<_>>(), [20, 20, 20]);
}
