//! Personal data in clear: shown to whoever says why, exported whole, and every look kept.

use chrono::TimeDelta;
use siyu_grpc::{fault, parse::timestamp};
use siyu_kernel::{Clock, Code, Fault};
use siyu_proto::member::v1::*;

use crate::{
    blacklist, consents,
    persons::resolve,
    profiles::{lei, update},
    world::{MerchantId, World, fields, key, openid_of},
};

async fn reveal(
    world: &World,
    who: MerchantId,
    request: RevealPersonalDataRequest,
) -> Result<RevealPersonalDataResponse, Fault> {
    let reply = world.privacy(who).reveal_personal_data(request).await.map_err(fault)?;
    Ok(reply.into_inner())
}

pub(crate) async fn reveals(world: &World, person: &str) -> Vec<Reveal> {
    let request = ListRevealsRequest { person_id: person.into(), ..Default::default() };
    let reply = world.privacy(world.own).list_reveals(request).await.unwrap();
    reply.into_inner().reveals
}

/// Everything of the export, in one.
pub(crate) async fn export(
    world: &World,
    person: &str,
    request_id: &str,
) -> Result<PersonalData, Fault> {
    let mut request = ExportPersonalDataRequest {
        request_id: request_id.into(),
        person_id: person.into(),
        reason: "the customer asked".into(),
        part: String::new(),
    };
    let mut whole = PersonalData::default();
    loop {
        let mut door = world.privacy(world.own);
        let reply = door.export_personal_data(request.clone()).await.map_err(fault)?.into_inner();
        let part = reply.data.unwrap();
        whole.person = whole.person.or(part.person);
        whole.profile = whole.profile.or(part.profile);
        whole.alias_ids.extend(part.alias_ids);
        whole.consents.extend(part.consents);
        whole.consent_records.extend(part.consent_records);
        whole.connections.extend(part.connections);
        whole.blacklist_entries.extend(part.blacklist_entries);
        whole.reveals.extend(part.reveals);
        whole.stage = whole.stage.or(part.stage);
        whole.points = whole.points.or(part.points);
        whole.purchases = whole.purchases.or(part.purchases);
        whole.points_entries.extend(part.points_entries);
        whole.orders.extend(part.orders);
        whole.owner_spans.extend(part.owner_spans);
        whole.relations.extend(part.relations);
        whole.tags.extend(part.tags);
        whole.attributes.extend(part.attributes);
        whole.value_cards.extend(part.value_cards);
        whole.value_card_entries.extend(part.value_card_entries);
        whole.cards.extend(part.cards);
        request.part = reply.next_part;
        if request.part.is_empty() {
            return Ok(whole);
        }
    }
}

/// A person of whom everything is known.
pub(crate) async fn known(world: &World) -> String {
    let phone = key(IdentityKind::Phone, "", "+8613800138000");
    let email = key(IdentityKind::Email, "", "private.lei@home.cn");
    let sets = vec![vec![openid_of("o-secret"), phone, email]];
    let person = resolve(world, world.own, sets).await.unwrap().remove(0).person_id;
    update(world, world.own, &person, lei(), &[]).await.unwrap();
    let at = world.clock.now() - TimeDelta::hours(1);
    let mut granted = consents::decided(&person, "sms", ConsentStatus::Granted, at);
    granted.evidence = "call 7 of +8613800138000".into();
    consents::record(world, world.own, vec![granted]).await.unwrap();
    let mut entry = blacklist::entry(&person, BlacklistScope::Promotion);
    entry.reason = "李雷 sells coupons".into();
    blacklist::create(world, world.own, entry, "b1").await.unwrap();
    let edge = Connection {
        person_id: person.clone(),
        channel: "wecom".into(),
        account_id: "corp1".into(),
        state: ConnectionState::Connected.into(),
        state_time: Some(timestamp(at)),
        source: "code".into(),
        ..Default::default()
    };
    let request = RecordConnectionsRequest { connections: vec![edge] };
    world.connections(world.own).record_connections(request).await.unwrap();
    person
}

#[tokio::test]
async fn clear_data_are_shown_to_whoever_says_why_and_the_look_is_kept() {
    let world = World::new().await;
    let person = known(&world).await;
    let request = RevealPersonalDataRequest {
        request_id: "r1".into(),
        person_id: person.clone(),
        fields: vec![PersonalField::Name.into(), PersonalField::Keys.into()],
        reason: "to send a parcel".into(),
    };
    let shown = reveal(&world, world.own, request.clone()).await.unwrap();
    let profile = shown.profile.clone().unwrap();
    assert_eq!(profile, Profile { name: "李雷".into(), ..Default::default() }, "and no more");
    let keys: Vec<&str> = shown.identities.iter().map(|key| key.value.as_str()).collect();
    assert_eq!(keys, ["private.lei@home.cn", "+8613800138000"]);
    assert_eq!(reveal(&world, world.own, request.clone()).await.unwrap(), shown);
    let looks = reveals(&world, &person).await;
    assert_eq!(looks.len(), 1, "a repeat is the same look");
    let look = &looks[0];
    assert_eq!((look.id.as_str(), look.person_id.as_str()), (&*shown.reveal_id, &*person));
    assert_eq!((look.revealed_by.as_str(), look.reason.as_str()), ("test", "to send a parcel"));
    assert_eq!(look.fields, ["name", "keys"]);
    assert_eq!(look.reveal_time, Some(timestamp(world.clock.now())));

    let without = RevealPersonalDataRequest { reason: String::new(), ..request.clone() };
    let refused = reveal(&world, world.own, without).await.unwrap_err();
    assert_eq!(fields(&refused), ["reason"]);
    let without_id = RevealPersonalDataRequest { request_id: String::new(), ..request.clone() };
    let odd = RevealPersonalDataRequest { fields: vec![1, 99], ..without_id };
    let refused = reveal(&world, world.own, odd).await.unwrap_err();
    assert_eq!(fields(&refused), ["fields[1]"]);
    let foreign = reveal(&world, world.other, request).await.unwrap_err();
    assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, "person not found"));
    assert_eq!(reveals(&world, "").await.len(), 1, "a refused look shows nothing");
}

#[tokio::test]
async fn an_export_holds_everything_and_is_one_look() {
    let world = World::new().await;
    let person = known(&world).await;
    let alias = world.people(world.own, &["later"]).await.remove(0);
    world.join(world.own, &person, &alias).await;
    let all = export(&world, &alias, "e1").await.unwrap();
    let shown = all.person.unwrap();
    assert_eq!((shown.id.as_str(), all.alias_ids.as_slice()), (&*person, &[alias][..]));
    let keys: Vec<&str> = shown.identities.iter().map(|key| key.value.as_str()).collect();
    assert!(["+8613800138000", "private.lei@home.cn", "o-secret"].iter().all(|k| keys.contains(k)));
    assert_eq!(Profile { update_time: None, ..all.profile.unwrap() }, lei());
    assert_eq!(all.consents.len(), 1);
    assert_eq!(all.consent_records[0].evidence, "call 7 of +8613800138000");
    assert_eq!(all.connections[0].account_id, "corp1");
    assert_eq!(all.blacklist_entries[0].reason, "李雷 sells coupons");
    let looks = all.reveals;
    assert_eq!((looks.len(), looks[0].fields.as_slice()), (1, &["all".to_owned()][..]));
    assert_eq!(reveals(&world, &person).await, looks, "all parts are one look");
    let request = ExportPersonalDataRequest {
        person_id: person,
        reason: "x".into(),
        part: "secrets:".into(),
        ..Default::default()
    };
    let refused = world.privacy(world.own).export_personal_data(request).await;
    assert_eq!(fields(&refused.map_err(fault).unwrap_err()), ["part"]);
}
