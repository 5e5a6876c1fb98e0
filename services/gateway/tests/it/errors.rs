//! Every way in which a REST request fails, and what its caller is told.

use http::{StatusCode, header};
use http_body_util::Full;
use serde_json::json;
use siyu_gateway::Config;
use tonic::body::Body;

use crate::world::{Reply, World, request, with_json};

/// Posts a text as JSON to the upsert of stores.
async fn upsert(world: &World, token: &str, body: &str) -> Reply {
    world.send(with_json("POST", "/v1/stores:upsert", token, body)).await
}

#[tokio::test]
async fn a_bad_field_is_named_by_its_path() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    for (body, field, what) in [
        (r#"{"stores":[{"code":"A"},{"colour":1}]}"#, "stores[1].colour", "is no field"),
        (r#"{"shops":[]}"#, "shops", "is no field"),
        (r#"{"stores":[{"kind":"BAZAAR"}]}"#, "stores[0].kind", "must be one of STORE_KIND_UNSP"),
        (
            r#"{"stores":[{"area_centi_sqm":"x"}]}"#,
            "stores[0].area_centi_sqm",
            "must be a whole number of 64 bits",
        ),
        (
            r#"{"stores":[{"area_centi_sqm":1.5}]}"#,
            "stores[0].area_centi_sqm",
            "must be a whole number",
        ),
        (
            r#"{"stores":[{"area_centi_sqm":9223372036854775808}]}"#,
            "stores[0].area_centi_sqm",
            "must be a whole number",
        ),
        (r#"{"stores":[{"name":7}]}"#, "stores[0].name", "must be a text"),
        (r#"{"stores":{}}"#, "stores", "must be a list"),
        (r#"{"stores":[{"hours":[]}]}"#, "stores[0].hours", "must be an object"),
        (
            r#"{"stores":[{"create_time":"noon"}]}"#,
            "stores[0].create_time",
            "must be a time of RFC 3339",
        ),
        (r#"{"stores":[null]}"#, "stores[0]", "must be an object"),
    ] {
        let (status, code, errors) = upsert(&world, &token, body).await.problem();
        assert_eq!((status, code.as_str()), (400, "INVALID_FIELD"), "{body}");
        assert_eq!(errors.len(), 1, "{body}");
        assert_eq!(errors[0].0, field, "{body}: {errors:?}");
        assert!(errors[0].1.contains(what), "{body}: {errors:?}");
        assert!(errors[0].1.contains("(line 1, column "), "{body}: {errors:?}");
    }
}

#[tokio::test]
async fn all_bounds_that_a_request_breaks_are_told_at_once() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let body = json!({"stores": [{"code": "", "name": "x".repeat(121), "area_centi_sqm": -1}]});
    let (status, code, errors) = upsert(&world, &token, &body.to_string()).await.problem();
    assert_eq!((status, code.as_str()), (400, "INVALID_FIELD"));
    let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["stores[0].code", "stores[0].name", "stores[0].area_centi_sqm"]);
}

#[tokio::test]
async fn what_is_not_json_is_said_to_be_that_with_its_place() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    for body in ["{", "{\"stores\": [}", "{} {}", "stores=1", "{\"stores\":[{\"code\":\"\u{1}\"}]}"]
    {
        let reply = upsert(&world, &token, body).await;
        let (status, code, _) = reply.problem();
        assert_eq!((status, code.as_str()), (400, "BODY_MALFORMED"), "{body}");
        assert!(reply.json()["detail"].as_str().unwrap().contains("line 1 column"), "{reply:?}");
    }
    for body in ["[]", "7", "null", "\"x\""] {
        let reply = upsert(&world, &token, body).await;
        assert_eq!(reply.problem().1, "BODY_MALFORMED");
        assert_eq!(reply.json()["detail"], "the body cannot be read: it must be an object");
    }
    let deep = format!("{{\"stores\":{}", "[".repeat(100_000));
    assert_eq!(upsert(&world, &token, &deep).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn query_parameters_that_mean_nothing_are_refused_by_name() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    for (path, field, what) in [
        ("/v1/stores?colour=red", "colour", "is no query parameter"),
        ("/v1/stores?page_size=many", "page_size", "must be a whole number of 32 bits"),
        ("/v1/stores?page_size=99999999999", "page_size", "must be a whole number of 32 bits"),
        ("/v1/stores?page_size=1&pageSize=2", "pageSize", "is given twice"),
        ("/v1/stores?page_size", "page_size", "must be a whole number"),
        ("/v1/stores?page_token=%zz", "page_token", "percent-encoded"),
        ("/v1/orders?state=LOST", "state", "must be one of ORDER_STATE_UNSPECIFIED, "),
        ("/v1/orders?pay_time_from=yesterday", "pay_time_from", "must be a time of RFC 3339"),
        ("/v1/orders/ord_1?order_id=ord_2", "order_id", "is no query parameter"),
        ("/v1/stores?page_size=-1", "page_size", "must be at least 0"),
    ] {
        let reply = world.get(path, &token).await;
        let (status, code, errors) = reply.problem();
        assert_eq!((status, code.as_str()), (400, "INVALID_FIELD"), "{path}");
        assert_eq!(errors[0].0, field, "{path}");
        assert!(errors[0].1.contains(what), "{path}: {errors:?}");
    }
    let post = with_json("POST", "/v1/stores:upsert?stores=1", &token, "{}");
    assert_eq!(world.send(post).await.problem().2[0].0, "stores");
}

#[tokio::test]
async fn the_faults_of_services_keep_their_reasons() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    for (store, status, code) in [
        ("state", 400, "STORE_CLOSED"),
        ("aborted", 409, "STORE_BUSY"),
        ("exists", 409, "STORE_EXISTS"),
        ("reused", 422, "REQUEST_ID_REUSED"),
        ("exhausted", 429, "STORE_FULL"),
        ("unavailable", 503, "STORE_AWAY"),
        ("internal", 500, "INTERNAL"),
        ("panic", 500, "INTERNAL"),
        ("unknown", 404, "NOT_FOUND"),
    ] {
        let reply = world.get(&format!("/v1/stores/{store}"), &token).await;
        let problem = reply.problem();
        assert_eq!((problem.0, problem.1.as_str()), (status, code), "{store}");
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(reply.header("retry-after"), if matches!(status, 429 | 503) { "1" } else { "" });
    }
    let reply = world.get("/v1/stores/unknown", &token).await;
    assert_eq!(reply.json()["metadata"], json!({"resource": "store"}));
    assert_eq!(reply.json()["type"], "urn:siyu:problem:not_found");
}

#[tokio::test]
async fn a_wrong_method_and_an_unknown_path_are_told_apart() {
    let world = World::new().await;
    let send = |method: &str, path: &str| {
        world.send(request(method, path, "").body(Body::empty()).unwrap())
    };
    let reply = send("DELETE", "/v1/merchants").await;
    assert_eq!(reply.problem().1, "METHOD_NOT_ALLOWED");
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD, POST"));
    let reply = send("GET", "/v1/nothing").await;
    assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (404, "PATH_UNKNOWN"));
    let reply = send("GET", "/v1/stores/%ff").await;
    assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (400, "PATH_MALFORMED"));
}

#[tokio::test]
async fn bodies_of_another_kind_or_where_none_is_read_are_refused() {
    let world = World::new().await;
    let (_, token) = world.token(1, &[]).await;
    let post = |kind: &str, coding: Option<&str>| {
        let mut post = with_json("POST", "/v1/stores:upsert", &token, "{}");
        post.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        if let Some(coding) = coding {
            post.headers_mut().insert(header::CONTENT_ENCODING, coding.parse().unwrap());
        }
        world.send(post)
    };
    for reply in [
        post("application/x-www-form-urlencoded", None).await,
        post("text/plain", None).await,
        post("application/json", Some("gzip")).await,
    ] {
        assert_eq!(reply.problem().1, "MEDIA_TYPE_UNSUPPORTED");
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let (_, code, _) = post("Application/JSON; charset=utf-8", None).await.problem();
    assert_eq!(code, "INVALID_FIELD", "it was read: there are no stores in it");
    let get = with_json("GET", "/v1/stores", &token, "{\"page_size\":1}");
    assert_eq!(world.send(get).await.problem().1, "BODY_UNREAD");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_it_says_so_or_not() {
    let mut config = Config::default();
    config.http.body_max_bytes = 1000;
    let world = World::with(config).await;
    let (_, token) = world.token(1, &[]).await;
    let large = format!("{{\"stores\":[],\"x\":\"{}\"}}", "x".repeat(1000));
    let announced = with_json("POST", "/v1/stores:upsert", &token, &large);
    let frames = futures::stream::iter(
        large
            .into_bytes()
            .chunks(100)
            .map(|c| {
                Ok::<_, std::io::Error>(http_body::Frame::data(bytes::Bytes::copy_from_slice(c)))
            })
            .collect::<Vec<_>>(),
    );
    let streamed = request("POST", "/v1/stores:upsert", &token)
        .body(Body::new(http_body_util::StreamBody::new(frames)))
        .unwrap();
    for request in [announced, streamed] {
        let reply = world.send(request).await;
        assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (413, "BODY_TOO_LARGE"));
    }
}

#[tokio::test]
async fn an_unknown_caller_is_refused_before_the_body_is_read() {
    let world = World::new().await;
    let body = Body::new(Full::new(bytes::Bytes::from(vec![b'x'; 9_000_000])));
    let reply = world.send(request("POST", "/v1/stores:upsert", "").body(body).unwrap()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (401, "CREDENTIAL_MISSING"));
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"siyu\"");
}

#[tokio::test]
async fn a_call_that_takes_too_long_ends() {
    let mut config = Config::default();
    config.http.call_timeout_secs = 1;
    let world = World::with(config).await;
    let (_, token) = world.token(1, &[]).await;
    let reply = world.get("/v1/stores/never", &token).await;
    assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (504, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn more_calls_than_there_are_places_for_are_refused_at_once() {
    let mut config = Config::default();
    config.http.in_flight_max = 0;
    let world = World::with(config).await;
    let reply = world.get("/v1/stores", "").await;
    assert_eq!((reply.status.as_u16(), reply.problem().1.as_str()), (503, "OVERLOADED"));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(world.get("/healthz", "").await.status, StatusCode::OK);
}
