//! Whom persons belong to: by hand, by the rule, at an instant, and after a merge.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_grpc::fault;
use siyu_kernel::{Clock, Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    organisation::{guide, leave},
    stores::upsert,
    world::{World, fields},
};

pub(crate) async fn assign(world: &World, pairs: &[(&str, &str)]) -> Result<i32, Fault> {
    let assignments = pairs.iter().map(|(person, staff)| OwnerAssignment {
        person_id: (*person).into(),
        staff_id: (*staff).into(),
        ..Default::default()
    });
    let request = AssignOwnersRequest { assignments: assignments.collect(), ..Default::default() };
    let reply = world.owners(world.own).assign_owners(request).await.map_err(fault)?;
    Ok(reply.into_inner().changed)
}

/// Who owns a person at an instant, or now; empty: nobody.
pub(crate) async fn owner_at(world: &World, person: &str, at: Option<DateTime<Utc>>) -> String {
    let at_time = at.map(|at| Timestamp { seconds: at.timestamp(), nanos: 0 });
    let request = GetOwnerAtRequest { person_id: person.into(), at_time };
    match world.owners(world.own).get_owner_at(request).await.map_err(fault) {
        Ok(reply) => reply.into_inner().span.unwrap().staff_id,
        Err(fault) => {
            assert_eq!((fault.code(), fault.message()), (Code::NotFound, "owner not found"));
            String::new()
        }
    }
}

pub(crate) async fn owner(world: &World, person: &str) -> String {
    owner_at(world, person, None).await
}

pub(crate) async fn spans(world: &World, person: &str) -> Vec<OwnerSpan> {
    let request =
        ListOwnerSpansRequest { person_id: person.into(), page_size: 1000, ..Default::default() };
    world.owners(world.own).list_owner_spans(request).await.unwrap().into_inner().spans
}

pub(crate) async fn met(world: &World, person: &str, staff: &str, kind: InteractionKind) -> i32 {
    let now = world.clock.now();
    let fact = Interaction {
        person_id: person.into(),
        staff_id: staff.into(),
        kind: kind.into(),
        occur_time: Some(Timestamp { seconds: now.timestamp(), nanos: 0 }),
    };
    let request = RecordInteractionsRequest { interactions: vec![fact] };
    world.owners(world.own).record_interactions(request).await.unwrap().into_inner().changed
}

async fn by_rule(world: &World, cases: Vec<RuleCase>) -> Vec<(RuleOutcome, String)> {
    let request = AssignByRuleRequest { cases, ..Default::default() };
    let reply = world.owners(world.own).assign_by_rule(request).await.unwrap().into_inner();
    reply.answers.into_iter().map(|answer| (answer.outcome(), answer.staff_id)).collect()
}

fn case(person: &str) -> RuleCase {
    RuleCase { person_id: person.into(), ..Default::default() }
}

#[tokio::test]
async fn an_owner_is_one_at_a_time_and_earlier_ones_are_remembered() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let (anna, ben) = (guide(&world, "anna", "").await, guide(&world, "ben", "").await);
    let start = world.clock.now();
    assert_eq!(owner(&world, &people[0]).await, "");
    assert_eq!(assign(&world, &[(&people[0], &anna), (&people[1], &anna)]).await.unwrap(), 2);
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(assign(&world, &[(&people[0], &ben), (&people[1], &anna)]).await.unwrap(), 1);
    let day = |n| Some(start + TimeDelta::days(n));
    assert_eq!(owner_at(&world, &people[0], day(1)).await, anna);
    assert_eq!(owner_at(&world, &people[0], day(2)).await, ben);
    assert_eq!(owner_at(&world, &people[0], day(-1)).await, "");
    let history: Vec<String> =
        spans(&world, &people[0]).await.into_iter().map(|span| span.staff_id).collect();
    assert_eq!(history, [ben.clone(), anna.clone()]);

    let owned = ListOwnedPersonsRequest { staff_id: anna.clone(), ..Default::default() };
    let owned = world.owners(world.own).list_owned_persons(owned).await.unwrap().into_inner();
    let owned: Vec<String> = owned.spans.into_iter().map(|span| span.person_id).collect();
    assert_eq!(owned, [people[1].clone()]);
    let told = world.told::<OwnerChanged>().await;
    let told: Vec<(String, String)> =
        told.into_iter().map(|(_, subject, fact)| (subject, fact.before_staff_id)).collect();
    assert_eq!(
        told,
        [
            (people[0].clone(), String::new()),
            (people[1].clone(), String::new()),
            (people[0].clone(), anna)
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_assigned_refuses_all() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let (anna, left) = (guide(&world, "anna", "").await, guide(&world, "left", "").await);
    leave(&world, &left).await.unwrap();
    let nobody = id::<kind::Person>(9).to_string();
    let no_staff = id::<kind::Staff>(9).to_string();
    let reason = async |second: (&str, &str)| {
        let refused = assign(&world, &[(&people[0], &anna), second]).await.unwrap_err();
        refused.reason()
    };
    assert_eq!(reason((&nobody, &anna)).await, "NOT_FOUND");
    assert_eq!(reason((&people[1], &no_staff)).await, "NOT_FOUND");
    assert_eq!(reason((&people[1], &left)).await, "STAFF_LEFT");
    let twice = assign(&world, &[(&people[0], &anna), (&people[0], &anna)]).await.unwrap_err();
    assert_eq!(fields(&twice), ["assignments[1].person_id"]);
    assert_eq!(owner(&world, &people[0]).await, "");

    assign(&world, &[(&people[0], &anna)]).await.unwrap();
    let ben = guide(&world, "ben", "").await;
    let early = OwnerAssignment {
        person_id: people[0].clone(),
        staff_id: ben,
        since_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..Default::default()
    };
    let request = AssignOwnersRequest { assignments: vec![early], ..Default::default() };
    let refused = world.owners(world.own).assign_owners(request).await.map_err(fault);
    assert_eq!(refused.unwrap_err().reason(), "OWNER_SINCE_TOO_EARLY");
}

#[tokio::test]
async fn the_rule_takes_the_code_then_the_turn_then_the_last_guide() {
    use RuleOutcome::{Assigned, Kept, Nobody};
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b", "c", "d"]).await;
    let store = upsert(&world, world.own, &["S1"]).await.remove(0).id;
    let (one, two) = (guide(&world, "one", &store).await, guide(&world, "two", &store).await);
    let free = guide(&world, "free", "").await;
    let coded =
        RuleCase { channel_staff_id: free.clone(), store_id: store.clone(), ..case(&people[0]) };
    let near = |person: &str| RuleCase { store_id: store.clone(), ..case(person) };
    let answers =
        by_rule(&world, vec![coded, near(&people[1]), near(&people[2]), case(&people[3])]);
    let answers = answers.await;
    let expected = [
        (Assigned, free.clone()),
        (Assigned, one.clone()),
        (Assigned, two.clone()),
        (Nobody, String::new()),
    ];
    assert_eq!(answers, expected);
    // Without code and store the guide who served the last order gets the person; who has an owner keeps it.
    met(&world, &people[3], &two, InteractionKind::OrderServed).await;
    assert_eq!(by_rule(&world, vec![case(&people[3])]).await, [(Assigned, two.clone())]);
    let again = RuleCase { channel_staff_id: free.clone(), ..case(&people[3]) };
    assert_eq!(by_rule(&world, vec![again.clone()]).await, [(Kept, two.clone())]);
    // Who left makes room.
    leave(&world, &two).await.unwrap();
    assert_eq!(by_rule(&world, vec![again]).await, [(Assigned, free)]);
}

#[tokio::test]
async fn an_owner_without_contact_for_180_days_loses_the_person_to_who_serves() {
    use RuleOutcome::{Assigned, Kept};
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let (anna, ben) = (guide(&world, "anna", "").await, guide(&world, "ben", "").await);
    assign(&world, &[(&person, &anna)]).await.unwrap();
    world.clock.advance(TimeDelta::days(100));
    assert_eq!(met(&world, &person, &anna, InteractionKind::Call).await, 1);
    assert_eq!(met(&world, &person, &anna, InteractionKind::Call).await, 0);
    let served = RuleCase { serving_staff_id: ben.clone(), ..case(&person) };
    world.clock.advance(TimeDelta::days(179));
    assert_eq!(by_rule(&world, vec![served.clone()]).await, [(Kept, anna.clone())]);
    world.clock.advance(TimeDelta::days(1));
    assert_eq!(by_rule(&world, vec![case(&person)]).await, [(Kept, anna)]);
    assert_eq!(by_rule(&world, vec![served]).await, [(Assigned, ben.clone())]);
    assert_eq!(spans(&world, &person).await[0].source(), OwnerSource::Lapsed);
    assert_eq!(owner(&world, &person).await, ben);
}
