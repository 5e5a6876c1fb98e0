//! An export holds what the methods show, whatever it is about.

use chrono::TimeDelta;
use siyu_proto::member::v1::*;

use crate::{
    orders::{Orders, paid},
    organisation::guide,
    owners::assign,
    points::grant,
    privacy::export,
    value::Till,
};

#[tokio::test]
async fn what_somebody_has_bought_and_belongs_to_is_in_the_export() {
    let till = Till::new().await;
    let world = &till.world;
    let people = world.people(world.own, &["anna", "bo"]).await;
    let person = people[0].as_str();
    let orders = Orders::new(world).await;
    orders.tell(world.own, &[paid(1, person, 1_000), paid(2, person, 2_000)]).await;
    orders.tell(world.own, &[paid(3, person, 500).voided()]).await;
    world.clock.advance(TimeDelta::seconds(1));
    let (one, two) = (guide(world, "one", "").await, guide(world, "two", "").await);
    assign(world, &[(person, &one)]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    assign(world, &[(person, &two)]).await.unwrap();
    let relation = RelatePersonsRequest {
        person_id: person.into(),
        other_person_id: people[1].clone(),
        kind: RelationKind::Household.into(),
        source: "form".into(),
    };
    world.households(world.own).relate_persons(relation).await.unwrap();
    say(&till, person).await;
    world.points(world.own).grant_points(grant("g", person, 70)).await.unwrap();
    // Two cards with some entries, so that there is more than one page of either.
    let cards = [till.card(person).await, till.card(person).await];
    for card in &cards {
        till.fill(card, 10_000, 0).await;
        till.pay(&[(card, 3_000)]).await.unwrap();
    }

    let all = export(world, person, "e").await.unwrap();
    let bought = all.purchases.unwrap();
    assert_eq!((bought.orders, bought.paid.unwrap().minor_units), (2, 3_000));
    let orders: Vec<i64> = all.orders.iter().map(|o| o.paid.clone().unwrap().minor_units).collect();
    assert_eq!((orders.len(), orders.iter().sum::<i64>()), (2, 3_000), "what counts, each once");
    let owners: Vec<&str> = all.owner_spans.iter().map(|span| span.staff_id.as_str()).collect();
    assert_eq!(owners, [two.as_str(), one.as_str()]);
    let related: Vec<&str> = all.relations.iter().map(|r| r.other_person_id.as_str()).collect();
    assert_eq!(related, [people[1].as_str()]);
    assert_eq!((all.tags.len(), all.attributes[0].value.as_str()), (1, "oily"));
    let has = all.points.unwrap();
    assert_eq!((has.available, has.growth), (70, 30));
    assert!(all.points_entries.iter().any(|entry| entry.amount == 70));
    assert_eq!(all.stage.unwrap().entries.len(), 1, "a consumer");
    let shown: Vec<&str> = all.value_cards.iter().map(|card| card.id.as_str()).collect();
    assert_eq!(shown, cards.each_ref().map(String::as_str));
    let moved: Vec<i64> =
        all.value_card_entries.iter().map(|entry| entry.principal_minor).collect();
    assert_eq!(moved, [-3_000, 10_000, -3_000, 10_000], "each card's newest first");
    assert_eq!(all.person.unwrap().id, person);
}

/// A tag and an attribute.
async fn say(till: &Till, person: &str) {
    let world = &till.world;
    let tag = Tag { name: "vip".into(), ..Default::default() };
    let request = CreateTagRequest { tag: Some(tag), ..Default::default() };
    let tag = world.tags(world.own).create_tag(request).await.unwrap().into_inner().tag.unwrap();
    let request = TagPersonsRequest {
        person_ids: vec![person.into()],
        tag_ids: vec![tag.id],
        source: "form".into(),
        expire_time: None,
    };
    world.tags(world.own).tag_persons(request).await.unwrap();
    let attribute = Attribute {
        code: "skin".into(),
        name: "skin".into(),
        r#type: AttributeType::Text.into(),
        ..Default::default()
    };
    let request = CreateAttributeRequest { attribute: Some(attribute), ..Default::default() };
    world.attributes(world.own).create_attribute(request).await.unwrap();
    let value =
        AttributeValue { person_id: person.into(), code: "skin".into(), value: "oily".into() };
    let request = SetPersonAttributesRequest { values: vec![value] };
    world.attributes(world.own).set_person_attributes(request).await.unwrap();
}
