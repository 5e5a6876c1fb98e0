//! Tags: limits, exclusive groups, expiry, rules, merges.

use chrono::TimeDelta;
use prost_types::Timestamp;
use siyu_grpc::fault;
use siyu_kernel::{Clock, Fault, Id};
use siyu_member::person::{Merge, Unmerge, merge};
use siyu_proto::member::v1::*;
use uuid::Uuid;

use crate::{
    audiences::condition,
    orders::{Orders, paid},
    world::World,
};

pub(crate) async fn group(world: &World, exclusive: bool) -> String {
    let group = TagGroup { name: format!("{exclusive}"), exclusive, ..Default::default() };
    let request = CreateTagGroupRequest { group: Some(group), ..Default::default() };
    let reply = world.tags(world.own).create_tag_group(request).await.unwrap().into_inner();
    reply.group.unwrap().id
}

async fn make(world: &World, tag: Tag) -> Result<String, Fault> {
    let request = CreateTagRequest { tag: Some(tag), ..Default::default() };
    let reply = world.tags(world.own).create_tag(request).await.map_err(fault)?.into_inner();
    Ok(reply.tag.unwrap().id)
}

pub(crate) async fn manual(world: &World, name: &str, group_id: &str) -> String {
    let tag = Tag { name: name.into(), group_id: group_id.into(), ..Default::default() };
    make(world, tag).await.unwrap()
}

pub(crate) async fn add(world: &World, persons: &[&str], tags: &[&str]) -> Result<i32, Fault> {
    let request = TagPersonsRequest {
        person_ids: persons.iter().map(|&id| id.to_owned()).collect(),
        tag_ids: tags.iter().map(|&id| id.to_owned()).collect(),
        source: "test".into(),
        expire_time: None,
    };
    let reply = world.tags(world.own).tag_persons(request).await.map_err(fault)?;
    Ok(reply.into_inner().changed)
}

pub(crate) async fn tags_of(world: &World, person: &str) -> Vec<String> {
    let request = ListPersonTagsRequest { person_id: person.into(), ..Default::default() };
    let reply = world.tags(world.own).list_person_tags(request).await.unwrap().into_inner();
    reply.tags.into_iter().map(|tag| tag.tag_id).collect()
}

async fn persons_of(world: &World, tag: &str) -> Vec<String> {
    let request = ListTagPersonsRequest { tag_id: tag.into(), ..Default::default() };
    let reply = world.tags(world.own).list_tag_persons(request).await.unwrap().into_inner();
    reply.person_ids
}

/// Lets the rules that are due be computed to the end.
async fn compute(world: &World) {
    work(world, "member.tag_rules").await;
}

/// How many marks are left to work on.
async fn marks(world: &World) -> i64 {
    let mut tx = world.database.db().tenant_read(world.own).await.unwrap();
    sqlx::query_scalar("select count(*) from tag_marks").fetch_one(&mut *tx).await.unwrap()
}

async fn work(world: &World, name: &str) {
    use siyu_runtime::{Progress, Steps as _};
    let job = world.app.jobs().into_iter().find(|job| job.name() == name).unwrap();
    while job.step().await.unwrap() == Progress::Worked {}
}

#[tokio::test]
async fn tags_come_and_go_and_every_change_is_told_once() {
    let world = World::new().await;
    let people = world.people(world.own, &["anna", "bo"]).await;
    let (a, b) = (manual(&world, "a", "").await, manual(&world, "b", "").await);
    let both = [people[0].as_str(), people[1].as_str()];
    assert_eq!(add(&world, &both, &[&a, &b]).await.unwrap(), 2);
    assert_eq!(add(&world, &both, &[&a]).await.unwrap(), 0, "a repeat changes nothing");
    let request =
        UntagPersonsRequest { person_ids: vec![people[0].clone()], tag_ids: vec![a.clone()] };
    let removed = world.tags(world.own).untag_persons(request).await.unwrap().into_inner();
    assert_eq!((removed.changed, tags_of(&world, &people[0]).await), (1, vec![b.clone()]));
    assert_eq!(persons_of(&world, &a).await, [people[1].clone()]);
    let told = world.told::<PersonTagsChanged>().await;
    assert_eq!(told.len(), 3);
    assert_eq!((&told[2].1, &told[2].2.tag_ids), (&people[0], &vec![b.clone()]));
    let request = DeleteTagRequest { tag_id: b };
    world.tags(world.own).delete_tag(request).await.unwrap();
    assert_eq!(tags_of(&world, &people[0]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tag_ends_at_its_instant() {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    let tag = manual(&world, "a", "").await;
    let until = world.clock.now() + TimeDelta::days(2);
    let request = TagPersonsRequest {
        person_ids: vec![anna.clone()],
        tag_ids: vec![tag.clone()],
        expire_time: Some(Timestamp { seconds: until.timestamp(), nanos: 0 }),
        ..Default::default()
    };
    world.tags(world.own).tag_persons(request).await.unwrap();
    world.clock.advance(TimeDelta::days(2) - TimeDelta::seconds(1));
    assert_eq!(persons_of(&world, &tag).await, vec![anna.clone()]);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(persons_of(&world, &tag).await, Vec::<String>::new());
    assert_eq!(add(&world, &[&anna], &[&tag]).await.unwrap(), 1, "it is news again");
}

#[tokio::test]
async fn of_an_exclusive_group_a_person_carries_the_latest() {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    let group = group(&world, true).await;
    let (a, b) = (manual(&world, "a", &group).await, manual(&world, "b", &group).await);
    let both = add(&world, &[&anna], &[&a, &b]).await.unwrap_err();
    assert_eq!(both.reason(), "TAGS_EXCLUSIVE");
    add(&world, &[&anna], &[&a]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    add(&world, &[&anna], &[&b]).await.unwrap();
    assert_eq!(tags_of(&world, &anna).await, [b]);
    let rule = Some(Filter::default());
    let kind = TagKind::Rule.into();
    let tag = Tag { name: "r".into(), group_id: group, kind, rule, ..Default::default() };
    assert!(make(&world, tag).await.is_err(), "two rules may hold for one person");
}

#[tokio::test]
async fn a_person_carries_two_hundred_tags_and_no_more() {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    let mut tags = Vec::new();
    for n in 0..201 {
        tags.push(manual(&world, &format!("t{n}"), "").await);
    }
    for some in tags[..200].chunks(20) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        add(&world, &[&anna], &some).await.unwrap();
    }
    let refused = add(&world, &[&anna], &[&tags[200]]).await.unwrap_err();
    assert_eq!(refused.reason(), "PERSON_TAGS_TOO_MANY");
    assert!(persons_of(&world, &tags[200]).await.is_empty(), "nothing of it is kept");
}

#[tokio::test]
async fn a_rule_decides_who_carries_its_tag_and_is_computed_anew() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let people = world.people(world.own, &["anna", "bo", "chen"]).await;
    orders.tell(world.own, &[paid(1, &people[0], 900), paid(2, &people[1], 100)]).await;
    let rule = |least: &str| Some(condition("orders.spend", Operator::AtLeast, &[least]));
    let kind = TagKind::Rule.into();
    let tag = Tag { name: "good".into(), kind, rule: rule("500"), ..Default::default() };
    let id = make(&world, tag.clone()).await.unwrap();
    compute(&world).await;
    assert_eq!(persons_of(&world, &id).await, [people[0].clone()]);
    let by_hand = add(&world, &[&people[2]], &[&id]).await.unwrap_err();
    assert_eq!(by_hand.reason(), "TAG_BY_RULE");

    orders.tell(world.own, &[paid(1, &people[0], 900).voided(), paid(3, &people[2], 800)]).await;
    compute(&world).await;
    assert_eq!(persons_of(&world, &id).await, [people[0].clone()], "not before it is due");
    let request = ComputeTagRequest { tag_id: id.clone() };
    world.tags(world.own).compute_tag(request).await.unwrap();
    compute(&world).await;
    assert_eq!(persons_of(&world, &id).await, [people[2].clone()], "on demand");

    let changed = Tag { rule: rule("100"), ..tag };
    let request = UpdateTagRequest { tag_id: id.clone(), tag: Some(changed) };
    world.tags(world.own).update_tag(request).await.unwrap();
    compute(&world).await;
    assert_eq!(persons_of(&world, &id).await, people[1..], "when it changes");

    orders.tell(world.own, &[paid(2, &people[1], 100).voided()]).await;
    world.clock.advance(TimeDelta::hours(24));
    compute(&world).await;
    assert_eq!(persons_of(&world, &id).await, [people[2].clone()], "every day");
    let manual = manual(&world, "m", "").await;
    let request = ComputeTagRequest { tag_id: manual };
    let refused = world.tags(world.own).compute_tag(request).await.map_err(fault).unwrap_err();
    assert_eq!(refused.reason(), "TAG_WITHOUT_RULE");
}

#[tokio::test]
async fn a_rule_is_computed_at_once_for_those_of_whom_something_changed() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let people = world.people(world.own, &["anna", "bo"]).await;
    orders.tell(world.own, &[paid(1, &people[0], 100)]).await;
    assert_eq!(marks(&world).await, 0, "nobody is marked where no rule asks");
    let rule = |field: &str, of: &str| Some(condition(field, Operator::In, &[of]));
    let tag = |name: &str, rule| Tag {
        name: name.into(),
        kind: TagKind::Rule.into(),
        rule,
        ..Default::default()
    };
    let hand = manual(&world, "by hand", "").await;
    let spent = make(&world, tag("spent", rule("orders.spend", "800"))).await.unwrap();
    let tagged = make(&world, tag("tagged", rule("tag.id", &hand))).await.unwrap();
    compute(&world).await;

    orders.tell(world.own, &[paid(2, &people[1], 800)]).await;
    add(&world, &[&people[0]], &[&hand]).await.unwrap();
    compute(&world).await;
    assert!(persons_of(&world, &spent).await.is_empty(), "no round is due");
    work(&world, "member.tag_marks").await;
    assert_eq!(persons_of(&world, &spent).await, [people[1].clone()]);
    assert_eq!(persons_of(&world, &tagged).await, [people[0].clone()]);

    orders.tell(world.own, &[paid(2, &people[1], 800).voided()]).await;
    work(&world, "member.tag_marks").await;
    assert!(persons_of(&world, &spent).await.is_empty(), "who lost it lost it at once");
    assert_eq!(persons_of(&world, &tagged).await, [people[0].clone()]);
    assert_eq!(marks(&world).await, 0);
}

#[tokio::test]
async fn a_merge_unites_tags_and_its_end_parts_them() {
    let world = World::new().await;
    let people = world.people(world.own, &["anna", "bo"]).await;
    let group = group(&world, true).await;
    let (shared, own, theirs) = (
        manual(&world, "s", "").await,
        manual(&world, "o", "").await,
        manual(&world, "t", "").await,
    );
    let (old, new) = (manual(&world, "old", &group).await, manual(&world, "new", &group).await);
    add(&world, &[&people[0]], &[&shared, &own, &old]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    add(&world, &[&people[1]], &[&shared, &theirs, &new]).await.unwrap();
    let (before, other) = (tags_of(&world, &people[0]).await, tags_of(&world, &people[1]).await);
    let (survivor, loser) = (people[0].parse().unwrap(), people[1].parse().unwrap());
    let at = world.clock.now();
    let id = Id::from_uuid(Uuid::from_u128(5));
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    merge::apply(&world.app, &mut tx, &Merge { id, survivor, loser, at }).await.unwrap();
    tx.commit().await.unwrap();
    let mut united = vec![shared, own, theirs, new];
    united.sort();
    assert_eq!(tags_of(&world, &people[0]).await, united, "of the exclusive group the latest");
    assert_eq!(tags_of(&world, &people[1]).await, united, "an alias leads there");
    let later = manual(&world, "later", "").await;
    world.clock.advance(TimeDelta::seconds(1));
    add(&world, &[&people[0]], &[&later]).await.unwrap();
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    let undo = Unmerge { id, survivor, loser, origins: vec![loser], merged_at: at, at };
    merge::undo(&world.app, &mut tx, &undo).await.unwrap();
    tx.commit().await.unwrap();
    let mut after = [before, vec![later]].concat();
    after.sort();
    assert_eq!(tags_of(&world, &people[0]).await, after, "what came later stays");
    assert_eq!(tags_of(&world, &people[1]).await, other);
}
