//! Who belongs together.

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;
use tokio::task::JoinSet;

use crate::world::World;

pub(crate) async fn relate(
    world: &World,
    of: &str,
    other: &str,
    kind: RelationKind,
) -> Result<(), Fault> {
    let request = RelatePersonsRequest {
        person_id: of.into(),
        other_person_id: other.into(),
        kind: kind.into(),
        source: "test".into(),
    };
    world.households(world.own).relate_persons(request).await.map(drop).map_err(fault)
}

pub(crate) async fn seen(world: &World, person: &str) -> Vec<(RelationKind, String)> {
    let mut request =
        ListRelationsRequest { person_id: person.into(), page_size: 1, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let reply = world.households(world.own).list_relations(request.clone()).await.unwrap();
        let page = reply.into_inner();
        all.extend(page.relations.into_iter().map(|one| (one.kind(), one.other_person_id)));
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_relation_holds_for_both_or_for_nobody() {
    use RelationKind::{Companion, Household, Invited, InvitedBy};
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let (a, b) = (&people[0], &people[1]);
    for kind in [Household, Companion, InvitedBy] {
        relate(&world, a, b, kind).await.unwrap();
        relate(&world, a, b, kind).await.unwrap();
    }
    let of_a = [(Companion, b.clone()), (Household, b.clone()), (InvitedBy, b.clone())];
    assert_eq!(seen(&world, a).await, of_a);
    let of_b = [(Companion, a.clone()), (Household, a.clone()), (Invited, a.clone())];
    assert_eq!(seen(&world, b).await, of_b);
    let request = UnrelatePersonsRequest {
        person_id: b.clone(),
        other_person_id: a.clone(),
        kind: Household.into(),
    };
    world.households(world.own).unrelate_persons(request).await.unwrap();
    assert_eq!(seen(&world, a).await.len(), 2);
    assert_eq!(seen(&world, b).await.len(), 2);
    let told = world.told::<RelationChanged>().await;
    assert_eq!(told.len(), 8);
    assert_eq!(told.iter().filter(|(.., fact)| fact.ended).count(), 2);
    let alone = relate(&world, a, a, Household).await.unwrap_err();
    assert_eq!(alone.reason(), "RELATION_WITH_SELF");
}

#[tokio::test]
async fn a_person_has_one_inviter_and_nobody_invites_who_invited_them() {
    use RelationKind::{Invited, InvitedBy};
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b", "c", "d"]).await;
    relate(&world, &people[0], &people[1], Invited).await.unwrap();
    relate(&world, &people[2], &people[1], InvitedBy).await.unwrap();
    let taken = relate(&world, &people[1], &people[3], InvitedBy).await.unwrap_err();
    assert_eq!(taken.reason(), "INVITER_TAKEN");
    let circle = relate(&world, &people[0], &people[2], InvitedBy).await.unwrap_err();
    assert_eq!(circle.reason(), "INVITATION_CYCLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_has_ten_others_whoever_adds_at_once() {
    let world = World::new().await;
    let names: Vec<String> = (0..17).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let people = world.people(world.own, &names).await;
    let mut calls = JoinSet::new();
    for other in &people[1..] {
        let mut client = world.households(world.own);
        let request = RelatePersonsRequest {
            person_id: people[0].clone(),
            other_person_id: other.clone(),
            kind: RelationKind::Household.into(),
            source: String::new(),
        };
        calls.spawn(async move { client.relate_persons(request).await.map(drop).map_err(fault) });
    }
    let refused: Vec<Fault> = calls.join_all().await.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 6);
    assert!(refused.iter().all(|fault| fault.reason() == "RELATIONS_TOO_MANY"), "{refused:?}");
    assert_eq!(seen(&world, &people[0]).await.len(), 10);
}
