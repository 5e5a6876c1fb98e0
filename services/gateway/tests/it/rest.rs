//! REST and gRPC are one thing said in two ways.

use http::{StatusCode, header};
use serde_json::{Value, json};
use tonic::body::Body;

use crate::{
    fake::store_id,
    world::{World, request, with_json},
};

#[tokio::test]
async fn a_reply_has_the_names_of_the_contract_and_writes_zeros() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let reply = world.get(&format!("/v1/stores/{}", store_id()), &token).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-trace-id").len(), 32);
    assert_eq!(
        reply.json(),
        json!({"store": {
            "id": store_id(), "code": "", "name": "", "kind": "STORE_KIND_UNSPECIFIED",
            "zone": "", "area_centi_sqm": "0"
        }})
    );
}

#[tokio::test]
async fn a_request_may_write_names_in_either_style_and_numbers_in_either_form() {
    let world = World::new().await;
    let (_, token) = world.token(1, &["stores.*"]).await;
    for store in [
        json!({"code": "A", "name": "a", "kind": "STORE_KIND_FRANCHISE", "area_centi_sqm": 16050}),
        json!({"code": "A", "name": "a", "kind": 2, "areaCentiSqm": "16050", "hours": null}),
    ] {
        let reply = world.post("/v1/stores:upsert", &token, &json!({"stores": [store]})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let stored = &reply.json()["stores"][0];
        assert_eq!(stored["kind"], "STORE_KIND_FRANCHISE");
        assert_eq!(stored["area_centi_sqm"], "16050");
    }
}

#[tokio::test]
async fn a_query_fills_the_request() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    for query in
        ["page_size=7&page_token=a%20b", "pageToken=a+b&pageSize=7&", "&page_size=7&page_token=a b"]
    {
        let reply =
            world.get(&format!("/v1/stores?{}", query.replace("a b", "a%20b")), &token).await;
        assert_eq!(reply.json()["next_page_token"], "7/a b", "{query}");
    }
}

#[tokio::test]
async fn an_idempotency_key_is_the_request_id() {
    let world = World::new().await;
    let send = |key: &'static str, body: Value| {
        let mut request = with_json("POST", "/v1/merchants", &world.operator, &body.to_string());
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        world.send(request)
    };
    let name = |reply: &crate::world::Reply| reply.json()["merchant"]["name"].clone();
    assert_eq!(name(&send("k1", json!({"name": "n"})).await), "n/k1");
    assert_eq!(name(&send("k1", json!({"name": "n", "request_id": "k1"})).await), "n/k1");
    let reply = send("k2", json!({"name": "n", "request_id": "k1"})).await;
    let (status, code, errors) = reply.problem();
    assert_eq!((status, code.as_str()), (400, "INVALID_FIELD"));
    assert_eq!(errors[0].0, "request_id");
    let reply = send(" ", json!({"name": "n"})).await;
    assert_eq!(reply.problem().2[0].0, "Idempotency-Key");
}

#[tokio::test]
async fn a_post_without_a_body_is_an_empty_message() {
    let world = World::new().await;
    let (id, token) = world.token(1, &[]).await;
    let post = request("POST", &format!("/v1/tokens/{id}:revoke"), &token);
    let reply = world.send(post.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.json()["token"]["id"], id);
}

#[tokio::test]
async fn the_trace_of_the_caller_reaches_the_service_and_comes_back() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let get = request("GET", "/v1/merchant", &token)
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let reply = world.send(get.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.header("x-trace-id"), trace);
    let seen = reply.json()["merchant"]["name"].as_str().unwrap().to_owned();
    assert_eq!(seen.split('-').nth(1), Some(trace), "{seen}");
    let reply = world.get("/v1/merchant", &token).await;
    let seen = reply.json()["merchant"]["name"].as_str().unwrap().to_owned();
    assert_eq!(seen.split('-').nth(1), Some(reply.header("x-trace-id")), "{seen}");
}

#[tokio::test]
async fn head_is_get_and_options_tells_the_methods() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let send = |method: &str, path: &str| {
        world.send(request(method, path, &token).body(Body::empty()).unwrap())
    };
    assert_eq!(send("HEAD", "/v1/merchant").await.status, StatusCode::OK);
    let reply = send("OPTIONS", "/v1/merchants").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("allow"), "GET, HEAD, POST");
}

#[tokio::test]
async fn what_callers_say_of_themselves_is_not_read() {
    let world = World::new().await;
    let (_, token) = world.token(2, &[]).await;
    let get = request("GET", "/v1/merchant", &token)
        .header("x-siyu-merchant", siyu_testkit::merchant(1).to_string())
        .header(header::FORWARDED, "for=1.2.3.4");
    let reply = world.send(get.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.json()["merchant"]["id"], siyu_testkit::merchant(2).to_string());
}
