//! The corners of the REST rules that the suite's contracts do not use: variables inside messages, a field as body, PATCH,
//! every kind of field, streams of replies.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::Path,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::json;
use siyu_gateway::Config;
use siyu_grpc::{Server, Settings, Upstream};
use siyu_runtime::Readiness;
use siyu_testkit::FixedClock;
use tonic::{Status, body::Body, server::NamedService};

use crate::world::{Reply, World, assertions, request, with_json};

static CONTRACTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = [here.join("tests/proto"), here.join("../../proto")];
    let mut compiler = protox::Compiler::new(roots).unwrap();
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(["siyu/zoo/v1/zoo.proto", "siyu/gateway/v1/token.proto"]).unwrap();
    compiler.encode_file_descriptor_set()
});

async fn world() -> World {
    World::build(Config::default(), upstreams, Some(&CONTRACTS)).await
}

fn upstreams(clock: &FixedClock) -> BTreeMap<&'static str, Upstream> {
    let clock = Arc::new(clock.clone());
    let app = Server::new(Settings::default(), assertions(), clock, Readiness::new())
        .contracts(&CONTRACTS)
        .service(Zoo)
        .build();
    BTreeMap::from([("zoo", Upstream::in_process(app.unwrap()))])
}

/// Answers with what it was asked; a stream with as many answers as were asked for.
#[derive(Clone)]
struct Zoo;

impl NamedService for Zoo {
    const NAME: &'static str = "siyu.zoo.v1.ZooService";
}

impl tower::Service<Request<Body>> for Zoo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let is_watch = request.uri().path().ends_with("/WatchAnimals");
            let asked = request.into_body().collect().await.unwrap().to_bytes().slice(5..);
            let count = if is_watch { count(&asked) } else { 1 };
            let mut frames: Vec<Result<Frame<Bytes>, Status>> =
                (0..count).map(|_| Ok(Frame::data(answer(&asked)))).collect();
            let mut trailers = HeaderMap::new();
            let fails = is_watch && count % 2 == 1;
            trailers.insert("grpc-status", if fails { "5" } else { "0" }.parse().unwrap());
            frames.push(Ok(Frame::trailers(trailers)));
            let body = Body::new(StreamBody::new(futures::stream::iter(frames)));
            let response = Response::builder().header("content-type", "application/grpc");
            Ok(response.body(body).unwrap())
        })
    }
}

fn count(asked: &[u8]) -> i32 {
    let pool = DescriptorPool::decode(CONTRACTS.as_slice()).unwrap();
    let descriptor = pool.get_message_by_name("siyu.zoo.v1.AnimalRequest").unwrap();
    let message = DynamicMessage::decode(descriptor, asked).unwrap();
    message.get_field_by_name("count").unwrap().as_i32().unwrap()
}

/// The frame of a message whose first field is what was asked.
fn answer(asked: &Bytes) -> Bytes {
    let mut message = Vec::new();
    prost::encoding::bytes::encode(1, asked, &mut message);
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(&message);
    frame.freeze()
}

async fn ask(world: &World, method: &str, path: &str, body: &str) -> Reply {
    let token = &world.operator;
    if body.is_empty() {
        return world.send(request(method, path, token).body(Body::empty()).unwrap()).await;
    }
    world.send(with_json(method, path, token, body)).await
}

/// What the zoo was asked, by name of the field.
async fn asked(world: &World, method: &str, path: &str, body: &str) -> serde_json::Value {
    let reply = ask(world, method, path, body).await;
    assert_eq!(reply.status, StatusCode::OK, "{method} {path}: {reply:?}");
    reply.json()["request"].clone()
}

#[tokio::test]
async fn a_variable_may_stand_inside_a_message_and_one_field_be_the_body() {
    let world = world().await;
    let body = r#"{"diet": "DIET_HERBIVORE", "legs": 4}"#;
    let path = "/v1/animals/Ada%20L?update_mask=diet,legs&cage=7&request_id=r";
    let request = asked(&world, "PATCH", path, body).await;
    assert_eq!(request["animal"]["name"], "Ada L");
    assert_eq!(request["animal"]["diet"], "DIET_HERBIVORE");
    assert_eq!(request["update_mask"], "diet,legs");
    assert_eq!((&request["cage"], &request["request_id"]), (&json!("7"), &json!("r")));

    let same = asked(&world, "PATCH", "/v1/animals/Ada", r#"{"name": "Ada"}"#).await;
    assert_eq!(same["animal"]["name"], "Ada");
    for (path, body, field) in [
        ("/v1/animals/Ada", r#"{"name": "Bob"}"#, "animal.name"),
        ("/v1/animals/Ada", r#"{"wings": 2}"#, "animal.wings"),
        ("/v1/animals/Ada", r#"{"young": [{"legs": "many"}]}"#, "animal.young[0].legs"),
        ("/v1/animals/Ada", "[]", "animal"),
        ("/v1/animals/Ada?animal.legs=4", "{}", "animal.legs"),
    ] {
        let reply = ask(&world, "PATCH", path, body).await;
        assert_eq!(reply.problem().2[0].0, field, "{path} {body}");
    }
}

#[tokio::test]
async fn one_method_may_have_two_paths_and_a_literal_wins_over_a_variable() {
    let world = world().await;
    let body = r#"{"animal": {"legs": 2}, "count": 3}"#;
    let request = asked(&world, "PUT", "/v1/cages/north/animals/Ada", body).await;
    assert_eq!((&request["cage"], &request["animal"]["name"]), (&json!("north"), &json!("Ada")));
    assert_eq!((&request["animal"]["legs"], &request["count"]), (&json!(2), &json!(3)));
    assert_eq!(asked(&world, "GET", "/v1/animals/keeper", "").await["cage"], "");
    assert_eq!(asked(&world, "GET", "/v1/animals/keepers", "").await["cage"], "keepers");
    let wrong = ask(&world, "DELETE", "/v1/animals/keeper", "").await;
    assert_eq!(wrong.header("allow"), "GET, HEAD, PATCH");
}

#[tokio::test]
async fn every_kind_of_field_can_stand_in_a_query() {
    let world = world().await;
    let query = "animal.name=a%26b&animal.diet=2&animal.birthTime=2024-02-29T12:00:00.5%2B08:00\
        &animal.sleep=1.5s&animal.weight_grams=-5&animal.legs=4&animal.teeth=30\
        &animal.hairs=18446744073709551615&animal.height=1.25&animal.width=0.5&animal.picture=AQI%3D\
        &animal.tame=true&animal.nicknames=x&animal.nicknames=y&animal.diets=DIET_CARNIVORE\
        &animal.diets=1&animal.rank=0&animal.motto=eat&count=2";
    let request = asked(&world, "GET", &format!("/v1/animals?{query}"), "").await;
    let animal = json!({
        "name": "a&b", "diet": "DIET_CARNIVORE", "birth_time": "2024-02-29T04:00:00.500Z",
        "sleep": "1.500s", "weight_grams": "-5", "legs": 4, "teeth": 30,
        "hairs": "18446744073709551615", "height": 1.25, "width": 0.5, "picture": "AQI=",
        "tame": true, "nicknames": ["x", "y"], "diets": ["DIET_CARNIVORE", "DIET_HERBIVORE"],
        "names": {}, "young": [], "rank": "0", "motto": "eat"
    });
    assert_eq!(request["animal"], animal);
    for (query, field) in [
        ("animal=x", "animal"),
        ("animal.names=x", "animal.names"),
        ("animal.names.en=x", "animal.names.en"),
        ("animal.young.name=x", "animal.young.name"),
        ("animal.teeth=-1", "animal.teeth"),
        ("animal.height=tall", "animal.height"),
        ("animal.picture=%21", "animal.picture"),
        ("animal.tame=yes", "animal.tame"),
        ("animal.sleep=long", "animal.sleep"),
        ("animal.birth_time.seconds=1", "animal.birth_time.seconds"),
        ("animal.=1", "animal."),
        ("=1", ""),
    ] {
        let reply = ask(&world, "GET", &format!("/v1/animals?{query}"), "").await;
        let (status, code, errors) = reply.problem();
        assert_eq!((status, code.as_str(), errors[0].0.as_str()), (400, "INVALID_FIELD", field));
    }
}

#[tokio::test]
async fn what_a_body_says_comes_back_as_it_was() {
    let world = world().await;
    let animal = json!({
        "name": "\u{0}\u{1F98A}\"", "diet": "DIET_UNSPECIFIED", "birth_time": "0001-01-01T00:00:00Z",
        "sleep": "-0.000000001s", "weight_grams": "9223372036854775807", "legs": -2_147_483_648_i64,
        "teeth": 4_294_967_295_u32, "hairs": "0", "height": "Infinity", "width": "NaN", "picture": "",
        "tame": false, "nicknames": ["", ""], "diets": [], "names": {"en": "fox", "": "x"},
        "young": [{"name": "kit", "diet": 7, "weight_grams": "0", "legs": 0, "teeth": 0, "hairs": "0",
            "height": 0.0, "width": 0.0, "picture": "", "tame": false, "nicknames": [], "diets": [],
            "names": {}, "young": []}],
        "rank": "-1", "motto": ""
    });
    let body = json!({"animal": animal}).to_string();
    let request = asked(&world, "PUT", "/v1/cages/c/animals/%00%F0%9F%A6%8A%22", &body).await;
    assert_eq!(request["animal"], animal);
}

#[tokio::test]
async fn a_stream_is_lines_of_json_and_says_how_it_ended() {
    let world = world().await;
    let reply = ask(&world, "GET", "/v1/animals:watch?count=2&cage=x", "").await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let lines = |reply: &Reply| -> Vec<serde_json::Value> {
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let two = lines(&reply);
    assert_eq!(two.len(), 2);
    assert_eq!(two[1]["result"]["request"]["cage"], "x");
    let broken = lines(&ask(&world, "GET", "/v1/animals:watch?count=3", "").await);
    assert_eq!(broken.len(), 4);
    assert_eq!(broken[3]["error"]["status"], 404);
    assert_eq!(broken[3]["error"]["trace_id"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn methods_for_siblings_and_methods_without_access_have_no_path() {
    let world = world().await;
    assert_eq!(ask(&world, "GET", "/v1/close", "").await.problem().1, "PATH_UNKNOWN");
    let document = world.get("/openapi.json", "").await;
    let text = String::from_utf8_lossy(&document.body).into_owned();
    assert!(text.contains("GetKeeper") && !text.contains("CloseZoo") && !text.contains("OpenZoo"));
    assert_eq!(
        document.json()["paths"]["/v1/animals/{animal.name}"]["patch"]["operationId"],
        "ZooService_UpdateAnimal"
    );
    let page = world.get("/docs", "").await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(page.contains("WatchAnimals") && !page.contains("CloseZoo"));
}
