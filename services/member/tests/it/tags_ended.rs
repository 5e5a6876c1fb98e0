//! Tags whose time is over: they count for nothing, and take no other's place.

use chrono::TimeDelta;
use siyu_grpc::parse::timestamp;
use siyu_kernel::Clock;
use siyu_proto::member::v1::*;

use crate::{
    tags::{add, group, manual, tags_of},
    world::World,
};

/// Lets a person carry tags for a day.
async fn for_a_day(world: &World, person: &str, tags: &[String]) {
    let request = TagPersonsRequest {
        person_ids: vec![person.to_owned()],
        tag_ids: tags.to_vec(),
        source: String::new(),
        expire_time: Some(timestamp(world.clock.now() + TimeDelta::days(1))),
    };
    world.tags(world.own).tag_persons(request).await.unwrap();
}

#[tokio::test]
async fn a_tag_that_ended_leaves_room_for_another() {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    let mut tags = Vec::new();
    for n in 0..201 {
        tags.push(manual(&world, &format!("t{n}"), "").await);
    }
    for some in tags[..200].chunks(20) {
        for_a_day(&world, &anna, some).await;
    }
    let refused = add(&world, &[&anna], &[&tags[200]]).await.unwrap_err();
    assert_eq!(refused.reason(), "PERSON_TAGS_TOO_MANY");
    world.clock.advance(TimeDelta::days(1));
    add(&world, &[&anna], &[&tags[200]]).await.unwrap();
    assert_eq!(tags_of(&world, &anna).await, [tags[200].clone()]);
}

#[tokio::test]
async fn of_an_exclusive_group_one_that_ended_takes_no_others_place_when_two_become_one() {
    let world = World::new().await;
    let people = world.people(world.own, &["anna", "ben"]).await;
    let group = group(&world, true).await;
    let (holds, ended) = (manual(&world, "a", &group).await, manual(&world, "b", &group).await);
    let same = manual(&world, "c", "").await;
    add(&world, &[&people[0]], &[&holds, &same]).await.unwrap();
    world.clock.advance(TimeDelta::hours(1));
    for_a_day(&world, &people[1], &[ended, same.clone()]).await;
    world.clock.advance(TimeDelta::days(1));
    world.join(world.own, &people[0], &people[1]).await;
    let mut expected = [holds, same];
    expected.sort();
    assert_eq!(tags_of(&world, &people[0]).await, expected);
}
