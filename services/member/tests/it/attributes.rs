//! Attributes: typed values of persons.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::*;

use crate::world::{World, fields};

pub(crate) async fn define(
    world: &World,
    code: &str,
    kind: AttributeType,
    choices: &[&str],
) -> Result<String, Fault> {
    let attribute = Attribute {
        code: code.into(),
        name: code.into(),
        r#type: kind.into(),
        choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
        ..Default::default()
    };
    let request = CreateAttributeRequest { attribute: Some(attribute), ..Default::default() };
    let reply = world.attributes(world.own).create_attribute(request).await.map_err(fault)?;
    Ok(reply.into_inner().attribute.unwrap().id)
}

pub(crate) async fn set(world: &World, values: &[(&str, &str, &str)]) -> Result<i32, Fault> {
    let value = |&(person, code, value): &(&str, &str, &str)| AttributeValue {
        person_id: person.into(),
        code: code.into(),
        value: value.into(),
    };
    let request = SetPersonAttributesRequest { values: values.iter().map(value).collect() };
    let reply = world.attributes(world.own).set_person_attributes(request).await.map_err(fault)?;
    Ok(reply.into_inner().changed)
}

pub(crate) async fn values(world: &World, person: &str) -> Vec<(String, String)> {
    let request = ListPersonAttributesRequest { person_id: person.into(), ..Default::default() };
    let reply = world.attributes(world.own).list_person_attributes(request).await.unwrap();
    reply.into_inner().values.into_iter().map(|value| (value.code, value.value)).collect()
}

#[tokio::test]
async fn values_are_kept_as_their_type_says_and_forgotten() {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    define(&world, "skin", AttributeType::Choice, &["dry", "oily", "dry"]).await.unwrap();
    define(&world, "born", AttributeType::Day, &[]).await.unwrap();
    let two = [(anna.as_str(), "skin", "oily"), (anna.as_str(), "born", "1990-02-28")];
    assert_eq!(set(&world, &two).await.unwrap(), 2);
    assert_eq!(set(&world, &two).await.unwrap(), 0, "a repeat changes nothing");
    let shown = values(&world, &anna).await;
    let expected = [("skin", "oily"), ("born", "1990-02-28")];
    assert_eq!(shown, expected.map(|(code, value)| (code.to_owned(), value.to_owned())));
    assert_eq!(set(&world, &[(&anna, "skin", "")]).await.unwrap(), 1);
    assert_eq!(values(&world, &anna).await.len(), 1);
}

#[tokio::test]
async fn what_does_not_suit_is_refused_and_nothing_of_it_is_kept() {
    let world = World::new().await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    define(&world, "n", AttributeType::Number, &[]).await.unwrap();
    let refused = set(&world, &[(&anna, "n", "many")]).await.unwrap_err();
    assert_eq!(fields(&refused), ["values[0].value"]);
    let refused = set(&world, &[(&anna, "n", "1"), (&anna, "n", "2")]).await.unwrap_err();
    assert_eq!(fields(&refused), ["values[1].code"]);
    let refused = set(&world, &[(&anna, "n", "1"), (&anna, "m", "2")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(values(&world, &anna).await, []);
    let bad = |kind, choices: &'static [&'static str]| define(&world, "x", kind, choices);
    assert_eq!(fields(&bad(AttributeType::Choice, &[]).await.unwrap_err()), ["attribute.choices"]);
    assert_eq!(fields(&bad(AttributeType::Text, &["a"]).await.unwrap_err()), ["attribute.choices"]);
    let taken = define(&world, "n", AttributeType::Text, &[]).await.unwrap_err();
    assert_eq!(taken.reason(), "ATTRIBUTE_CODE_TAKEN");
    let code = define(&world, "a:b", AttributeType::Text, &[]).await.unwrap_err();
    assert_eq!(fields(&code), ["attribute.code"]);
}

#[tokio::test]
async fn choices_are_added_and_never_taken_away() {
    let world = World::new().await;
    let id = define(&world, "skin", AttributeType::Choice, &["dry"]).await.unwrap();
    let request = UpdateAttributeRequest {
        attribute_id: id,
        name: "Skin".into(),
        more_choices: vec!["oily".into(), "dry".into()],
    };
    for _ in 0..2 {
        let reply = world.attributes(world.own).update_attribute(request.clone()).await.unwrap();
        let attribute = reply.into_inner().attribute.unwrap();
        assert_eq!(
            (attribute.name.as_str(), attribute.choices),
            ("Skin", vec!["dry".into(), "oily".into()])
        );
    }
}
