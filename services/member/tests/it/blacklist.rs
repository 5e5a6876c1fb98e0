//! Whom a merchant does not want to deal with, by person and by key.

use chrono::TimeDelta;
use siyu_grpc::{fault, parse::timestamp};
use siyu_kernel::{Clock, Code, Fault};
use siyu_proto::member::v1::*;

use crate::{
    persons::resolve,
    world::{MerchantId, World, fields, key, openid_of},
};

use BlacklistScope::{All, Marketing, Purchase};

pub(crate) fn entry(person: &str, scope: BlacklistScope) -> BlacklistEntry {
    BlacklistEntry {
        person_id: person.into(),
        scope: scope.into(),
        reason: "never pays".into(),
        ..Default::default()
    }
}

pub(crate) async fn create(
    world: &World,
    who: MerchantId,
    entry: BlacklistEntry,
    request_id: &str,
) -> Result<BlacklistEntry, Fault> {
    let request = CreateBlacklistEntryRequest { request_id: request_id.into(), entry: Some(entry) };
    let reply = world.blacklist(who).create_blacklist_entry(request).await.map_err(fault)?;
    Ok(reply.into_inner().entry.unwrap())
}

async fn listed(world: &World, persons: &[&str], scope: BlacklistScope) -> Vec<bool> {
    let request = CheckBlacklistRequest {
        person_ids: persons.iter().map(ToString::to_string).collect(),
        scope: scope.into(),
    };
    let reply = world.blacklist(world.own).check_blacklist(request).await.unwrap();
    reply.into_inner().listed
}

#[tokio::test]
async fn a_person_is_shut_out_of_what_an_entry_covers_until_it_ends() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let theirs = world.people(world.other, &["a"]).await.remove(0);
    let who = [people[0].as_str(), &people[1], &theirs];
    let week = world.clock.now() + TimeDelta::days(7);
    let short = BlacklistEntry { expire_time: Some(timestamp(week)), ..entry(who[0], Marketing) };
    let made = create(&world, world.own, short.clone(), "r1").await.unwrap();
    let again = create(&world, world.own, short, "r1").await.unwrap();
    assert_eq!(made, again, "one request, one entry");
    assert_eq!((made.reason.as_str(), made.created_by.as_str()), ("never pays", "test"));
    create(&world, world.own, entry(who[1], All), "").await.unwrap();
    assert_eq!(listed(&world, &who, Marketing).await, [true, true, false]);
    assert_eq!(listed(&world, &who, Purchase).await, [false, true, false]);
    world.clock.advance(TimeDelta::days(7));
    assert_eq!(listed(&world, &who, Marketing).await, [false, true, false]);
    let refused = create(&world, world.own, entry(&theirs, All), "").await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "person not found"));
}

#[tokio::test]
async fn a_key_is_shut_out_before_anybody_comes_with_it() {
    let world = World::new().await;
    let phone = key(IdentityKind::Phone, "", "+8613800138000");
    let by_key =
        BlacklistEntry { key: Some(phone.clone()), person_id: String::new(), ..entry("", All) };
    let made = create(&world, world.own, by_key, "").await.unwrap();
    assert_eq!(made.key.as_ref().unwrap().value, "***", "nothing of a phone is shown");
    let sets = vec![vec![openid_of("a"), phone], vec![openid_of("b")]];
    let people = resolve(&world, world.own, sets).await.unwrap();
    let who = [people[0].person_id.as_str(), &people[1].person_id];
    assert_eq!(listed(&world, &who, Purchase).await, [true, false]);
    let list = async |person: &str| {
        let request =
            ListBlacklistEntriesRequest { person_id: person.into(), ..Default::default() };
        let reply = world.blacklist(world.own).list_blacklist_entries(request).await.unwrap();
        reply.into_inner().entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(list(who[0]).await, std::slice::from_ref(&made.id));
    assert_eq!(list(who[1]).await, Vec::<String>::new());
    assert_eq!(list("").await, std::slice::from_ref(&made.id));
    let request = DeleteBlacklistEntryRequest { entry_id: made.id.clone() };
    let refused = world.blacklist(world.other).delete_blacklist_entry(request.clone()).await;
    assert_eq!(refused.map_err(fault).unwrap_err().code(), Code::NotFound);
    for _ in 0..2 {
        world.blacklist(world.own).delete_blacklist_entry(request.clone()).await.unwrap();
    }
    assert_eq!(listed(&world, &who, Purchase).await, [false, false]);
    assert_eq!(list("").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_merge_joins_the_lists_and_its_end_parts_them() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let who = [people[0].as_str(), &people[1]];
    create(&world, world.own, entry(who[0], Marketing), "").await.unwrap();
    create(&world, world.own, entry(who[1], Purchase), "").await.unwrap();
    let merge = world.join(world.own, who[0], who[1]).await;
    assert_eq!(listed(&world, &who, Marketing).await, [true, true]);
    assert_eq!(listed(&world, &who, Purchase).await, [true, true]);
    world.part(world.own, &merge).await;
    assert_eq!(listed(&world, &who, Marketing).await, [true, false]);
    assert_eq!(listed(&world, &who, Purchase).await, [false, true]);
}

#[tokio::test]
async fn an_entry_is_about_a_person_or_a_key_and_ends_in_the_future() {
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let good = entry(&person, All);
    let past = Some(timestamp(world.clock.now()));
    for (bad, field) in [
        (BlacklistEntry { key: Some(openid_of("a")), ..good.clone() }, "entry.person_id"),
        (BlacklistEntry { person_id: String::new(), ..good.clone() }, "entry.person_id"),
        (BlacklistEntry { expire_time: past, ..good.clone() }, "entry.expire_time"),
        (BlacklistEntry { scope: 77, ..good.clone() }, "entry.scope"),
    ] {
        let refused = create(&world, world.own, bad, "").await.unwrap_err();
        assert_eq!(fields(&refused), [field]);
    }
}
