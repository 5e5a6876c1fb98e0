//! What holds for every method of the suite, whichever they are: an enumeration of the contracts.

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::TestRunner};
use prost_reflect::DescriptorPool;
use serde_json::{Value, json};
use siyu_grpc::{Audience, Rules};

use crate::world::{Reply, World, with_json};

/// Every operation of the document: HTTP method, path, and the operation itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            found.push((verb.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

/// The example of an operation as a request.
async fn send_example(world: &World, token: &str, operation: &(String, String, Value)) -> Reply {
    let (verb, path, operation) = operation;
    let (mut path, mut query) = (path.clone(), Vec::new());
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let Some(example) = parameter.get("example") else { continue };
        let value = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &value);
        } else {
            query.push(format!("{name}={value}"));
        }
    }
    let uri = format!("{path}?{}", query.join("&"));
    match operation.pointer("/requestBody/content/application~1json/example") {
        Some(body) => world.send(with_json(verb, &uri, token, &body.to_string())).await,
        None => {
            world
                .send(
                    crate::world::request(verb, &uri, token)
                        .body(tonic::body::Body::empty())
                        .unwrap(),
                )
                .await
        }
    }
}

#[tokio::test]
async fn every_public_unary_method_has_a_rest_path_and_stands_in_the_document() {
    let world = World::new().await;
    let document = world.get("/openapi.json", "").await.json();
    let documented: BTreeSet<String> = operations(&document)
        .iter()
        .map(|(.., operation)| format!("/{}", operation["x-grpc-method"].as_str().unwrap()))
        .collect();
    let pool = DescriptorPool::decode(siyu_proto::DESCRIPTOR_SET).unwrap();
    let methods = pool.services().flat_map(|s| s.methods().collect::<Vec<_>>());
    let (mut public, mut hidden) = (BTreeSet::new(), 0);
    for method in methods {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let access = Rules::suite().get(&path).unwrap().access.clone();
        if access.is_none_or(|access| access.audience == Audience::Internal) {
            hidden += 1;
        } else if !method.is_client_streaming() && !method.is_server_streaming() {
            public.insert(path);
        }
    }
    assert_eq!(documented, public);
    assert!(hidden > 0 && public.len() > 30, "{} public, {hidden} hidden", public.len());
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere_and_every_operation_has_its_own_name() {
    let world = World::new().await;
    let document = world.get("/openapi.json", "").await.json();
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        if let Some(to) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(&to[1..]).is_some(), "{to}");
            references += 1;
        }
        open.extend(value.as_object().into_iter().flat_map(|o| o.values()));
        open.extend(value.as_array().into_iter().flatten());
    }
    assert!(references > 100, "{references}");
    let operations = operations(&document);
    let names: BTreeSet<&str> =
        operations.iter().map(|(.., o)| o["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len());
    assert!(operations.iter().all(|(.., o)| !o["summary"].as_str().unwrap().is_empty()));
}

#[tokio::test]
async fn every_example_of_the_document_is_understood() {
    let world = World::new().await;
    let (_, merchant) = world.token(1, &[]).await;
    let document = world.get("/openapi.json", "").await.json();
    for operation in operations(&document) {
        let is_platform = operation.2["x-audience"] == "platform";
        let token = if is_platform { &world.operator } else { &merchant };
        let reply = send_example(&world, token, &operation).await;
        let name = &operation.2["x-grpc-method"];
        // The made-up services know few methods and fewer ids.
        let told = matches!(reply.status.as_u16(), 200 | 404 | 501);
        assert!(told, "{name}: {}", String::from_utf8_lossy(&reply.body));
        let unknown_path = reply.status == 404 && reply.problem().1 == "PATH_UNKNOWN";
        assert!(!unknown_path, "{name}: {reply:?}");
    }
}

#[tokio::test]
async fn every_method_refuses_callers_without_a_token_and_tells_no_more() {
    let world = World::new().await;
    let document = world.get("/openapi.json", "").await.json();
    for operation in operations(&document) {
        let reply = send_example(&world, "", &operation).await;
        assert_eq!(reply.problem().1, "CREDENTIAL_MISSING", "{:?}", operation.2["x-grpc-method"]);
    }
}

#[tokio::test]
async fn every_method_refuses_an_unknown_parameter_and_an_unknown_field() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let document = world.get("/openapi.json", "").await.json();
    for (verb, path, operation) in operations(&document) {
        let name = &operation["x-grpc-method"];
        let path = path.replace(['{', '}'], "");
        let query = crate::world::request(&verb, &format!("{path}?no_such=1"), &token);
        let reply = world.send(query.body(tonic::body::Body::empty()).unwrap()).await;
        assert_eq!(reply.problem().2[0].0, "no_such", "{name}");
        if operation.get("requestBody").is_some() {
            let body = with_json(&verb, &path, &token, r#"{"no_such": 1}"#);
            assert_eq!(world.send(body).await.problem().2[0].0, "no_such", "{name}");
        }
    }
}

/// Any JSON, with the names of fields among its keys more often than chance would have it.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("STORE_KIND_DIRECT".to_owned()),
        Just("2024-01-01T00:00:00Z".to_owned()),
        Just("-9223372036854775809".to_owned()),
        Just("1e400".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let names = [
        "stores",
        "code",
        "name",
        "kind",
        "hours",
        "weekly",
        "weekday",
        "create_time",
        "areaCentiSqm",
        "zone",
    ];
    let key = prop_oneof![
        9 => proptest::sample::select(names.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn no_body_and_no_path_makes_the_gateway_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let (_, token) = runtime.block_on(world.token(1, &[]));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(500));
    let bodies = prop_oneof![
        any_json().prop_map(|json| json.to_string()),
        any_json().prop_map(|json| json!({"stores": [json]}).to_string()),
        any::<String>(),
    ];
    let tails =
        prop_oneof![Just(String::new()), "[!-~]{0,40}", "(%[0-9a-fA-F]{1,2}|[:/?&=.a-z]){0,20}"];
    let checked = runner.run(&(bodies, tails), |(body, tail)| {
        let uri = format!("/v1/stores:upsert{tail}");
        let Ok(uri) = uri.parse::<http::Uri>() else { return Ok(()) };
        for verb in ["POST", "GET"] {
            let reply =
                runtime.block_on(world.send(with_json(verb, &uri.to_string(), &token, &body)));
            let known = matches!(reply.status.as_u16(), 200 | 400 | 404 | 405);
            prop_assert!(known, "{verb} {uri} {body}: {reply:?}");
        }
        Ok(())
    });
    checked.unwrap();
}
