//! All that is known of a person at once, as far as the credential and the employee go.

use siyu_grpc::fault;
use siyu_kernel::{Clock, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    blacklist, consents,
    orders::{Orders, paid},
    organisation::{guide, hire},
    owners::assign,
    profiles::{lei, update},
    stores::upsert,
    world::{World, key},
};

async fn view(
    world: &World,
    scopes: &str,
    person: &str,
    viewer: &str,
) -> Result<GetMemberViewResponse, Fault> {
    let request = GetMemberViewRequest { person_id: person.into(), viewer_staff_id: viewer.into() };
    let reply = world.views(world.own, scopes).get_member_view(request).await.map_err(fault)?;
    Ok(reply.into_inner())
}

async fn member(world: &World) -> String {
    let keys =
        vec![key(IdentityKind::Unionid, "wx", "u"), key(IdentityKind::Phone, "", "+8613800138000")];
    let request = ResolvePersonsRequest { sets: vec![IdentitySet { identities: keys }] };
    let reply = world.persons(world.own).resolve_persons(request).await.unwrap().into_inner();
    reply.persons[0].person_id.clone()
}

#[tokio::test]
async fn one_call_shows_what_is_known_and_only_what_scopes_allow() {
    let world = World::new().await;
    let person = member(&world).await;
    let store = upsert(&world, world.own, &["S1"]).await.remove(0).id;
    let anna = guide(&world, "anna", &store).await;
    assign(&world, &[(&person, &anna)]).await.unwrap();
    let orders = Orders::new(&world).await;
    orders.tell(world.own, &[paid(1, &person, 1_999), paid(2, &person, 3_000)]).await;

    let all = view(&world, "*", &person, "").await.unwrap();
    assert_eq!((all.person_id.as_str(), all.withheld.len()), (person.as_str(), 0));
    let shown: Vec<&str> = all.identities.iter().map(|key| key.value.as_str()).collect();
    assert!(shown.contains(&"u") && shown.contains(&"+86***8000"), "{shown:?}");
    assert_eq!(all.stage.as_ref().unwrap().stage(), Stage::Member);
    assert_eq!(all.owner.as_ref().unwrap().staff_id, anna);
    let bought = all.purchases.as_ref().unwrap();
    assert_eq!((bought.orders, bought.purchase_days, bought.latest.len()), (2, 1, 2));
    assert_eq!(bought.paid.as_ref().unwrap().minor_units, 4_999);
    assert_eq!(all.points.as_ref().unwrap().growth, 49);

    let bare = view(&world, "persons.read", &person, "").await.unwrap();
    let expected = GetMemberViewResponse {
        points: None,
        owner: None,
        purchases: None,
        withheld: (1..=9).collect(),
        ..all.clone()
    };
    assert_eq!(bare, expected);
    let some = view(&world, "persons.read owners.read", &person, "").await.unwrap();
    assert_eq!((some.owner, some.points), (all.owner, None));
    let refused = view(&world, "owners.read", &person, "").await.unwrap_err();
    assert_eq!(refused.reason(), "SCOPE_MISSING");
}

#[tokio::test]
async fn an_employee_sees_own_customers_and_managers_those_of_their_stores() {
    let world = World::new().await;
    let person = member(&world).await;
    let stores = upsert(&world, world.own, &["S1", "S2"]).await;
    let anna = guide(&world, "anna", &stores[0].id).await;
    let colleague = guide(&world, "ben", &stores[0].id).await;
    let staff = |code: &str, role: StaffRole, store: usize| Staff {
        code: code.into(),
        name: code.into(),
        role: role.into(),
        store_id: stores[store].id.clone(),
        ..Default::default()
    };
    let near = hire(&world, staff("near", StaffRole::StoreManager, 0)).await.unwrap().id;
    let far = hire(&world, staff("far", StaffRole::StoreManager, 1)).await.unwrap().id;
    let boss = hire(&world, staff("boss", StaffRole::Headquarters, 1)).await.unwrap().id;
    let sees = async |viewer: &str| view(&world, "*", &person, viewer).await.map(drop);
    // Nobody's: headquarters only.
    assert!(sees(&boss).await.is_ok() && sees(&near).await.is_err());
    assign(&world, &[(&person, &anna)]).await.unwrap();
    for viewer in [&anna, &near, &boss] {
        sees(viewer).await.unwrap();
    }
    for viewer in [&colleague, &far] {
        assert_eq!(sees(viewer).await.unwrap_err().reason(), "PERSON_OUT_OF_REACH");
    }
    let nobody = id::<kind::Staff>(9).to_string();
    assert_eq!(sees(&nobody).await.unwrap_err().reason(), "NOT_FOUND");
}

#[tokio::test]
async fn profile_consents_tags_and_what_somebody_is_shut_out_of_are_in_the_view() {
    let world = World::new().await;
    let person = member(&world).await;
    update(&world, world.own, &person, lei(), &[]).await.unwrap();
    let at = world.clock.now();
    let granted = consents::decided(&person, "sms", ConsentStatus::Granted, at);
    consents::record(&world, world.own, vec![granted]).await.unwrap();
    for (n, scope) in
        [BlacklistScope::Promotion, BlacklistScope::Promotion, BlacklistScope::Purchase]
            .into_iter()
            .enumerate()
    {
        let entry = blacklist::entry(&person, scope);
        blacklist::create(&world, world.own, entry, &format!("b{n}")).await.unwrap();
    }
    let tag = Tag { name: "vip".into(), ..Default::default() };
    let request = CreateTagRequest { tag: Some(tag), ..Default::default() };
    let tag = world.tags(world.own).create_tag(request).await.unwrap().into_inner().tag.unwrap();
    let request = TagPersonsRequest {
        person_ids: vec![person.clone()],
        tag_ids: vec![tag.id.clone()],
        source: "form".into(),
        expire_time: None,
    };
    world.tags(world.own).tag_persons(request).await.unwrap();

    let all = view(&world, "*", &person, "").await.unwrap();
    let profile = all.profile.clone().unwrap();
    assert_eq!((profile.name.as_str(), profile.city.as_str()), ("李**", "上海"), "masked");
    assert_eq!((all.consents.len(), all.consents[0].channel.as_str()), (1, "sms"));
    assert_eq!(all.tags.iter().map(|tag| &tag.tag_id).collect::<Vec<_>>(), [&tag.id]);
    let scopes: Vec<BlacklistScope> = all.blacklisted().collect();
    assert_eq!(scopes, [BlacklistScope::Promotion, BlacklistScope::Purchase]);
    for (scope, section, wanted) in [
        ("consents.read", MemberSection::Consents, (1, 0, 0)),
        ("tags.read", MemberSection::Tags, (0, 1, 0)),
        ("blacklists.read", MemberSection::Blacklist, (0, 0, 2)),
    ] {
        let some = view(&world, &format!("persons.read {scope}"), &person, "").await.unwrap();
        assert!(!some.withheld.contains(&section.into()), "{scope}");
        assert_eq!(some.withheld.len(), 8, "{scope}");
        let shown = (some.consents.len(), some.tags.len(), some.blacklisted.len());
        assert_eq!(shown, wanted, "{scope}");
        assert_eq!(some.profile, all.profile, "under the scope of the person");
    }
}
