//! What is the same for everyone.

use http::{StatusCode, header};
use siyu_gateway::Config;
use siyu_grpc::{Audience, Rules};
use tonic::body::Body;

use crate::world::{World, request};

#[tokio::test]
async fn the_page_shows_every_method_and_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let root = world.get("/", "").await;
    assert_eq!((root.status, root.header("location")), (StatusCode::FOUND, "/docs"));
    assert_eq!(world.get("/docs/", "").await.status, StatusCode::OK);
    let page = world.get("/docs", "").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let pool = prost_reflect::DescriptorPool::decode(siyu_proto::DESCRIPTOR_SET).unwrap();
    for service in pool.services() {
        for method in service.methods() {
            let shown = html.contains(&format!("id=\"{}.{}\"", service.full_name(), method.name()));
            let path = format!("/{}/{}", service.full_name(), method.name());
            let access = Rules::suite().get(&path).unwrap().access.clone();
            let internal = access.is_none_or(|access| access.audience == Audience::Internal);
            assert_eq!(shown, !internal, "{}", method.full_name());
        }
    }
    for foreign in ["src=", "@import", "url(", "<link", "http-equiv", "fetch("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn every_link_of_the_page_leads_to_a_place_on_it() {
    let world = World::new().await;
    let page = world.get("/docs", "").await;
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let links = html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut count = 0;
    for link in links {
        assert!(html.contains(&format!("id=\"{link}\"")), "{link}");
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[tokio::test]
async fn a_page_that_the_browser_has_is_not_sent_again_and_a_new_one_is_compressed() {
    let world = World::new().await;
    let send = async |name: header::HeaderName, value: &str| {
        let get = request("GET", "/openapi.json", "").header(name, value);
        world.send(get.body(Body::empty()).unwrap()).await
    };
    let plain = send(header::ACCEPT_ENCODING, "br, gzip;q=0").await;
    assert_eq!(plain.header("content-encoding"), "");
    let packed = send(header::ACCEPT_ENCODING, "br, gzip").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 4 < plain.body.len(), "{}", packed.body.len());
    let again = send(header::IF_NONE_MATCH, plain.header("etag")).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let post = request("POST", "/docs", "").body(Body::empty()).unwrap();
    assert_eq!(world.send(post).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn liveness_is_not_readiness() {
    let world = World::new().await;
    let database = world.readiness.component("gateway.database");
    assert_eq!(world.get("/healthz", "").await.status, StatusCode::OK);
    let waiting = world.get("/readyz", "").await;
    assert_eq!(waiting.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(waiting.json()["waiting"][0]["component"], "gateway.database");
    database.ready();
    assert_eq!(world.get("/readyz", "").await.status, StatusCode::OK);
    world.readiness.drain();
    assert_eq!(world.get("/readyz", "").await.json()["waiting"][0]["reason"], "draining");
    assert_eq!(world.get("/healthz", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn web_pages_may_call_only_from_origins_that_the_operator_named() {
    let config =
        Config { cors_origins: vec!["https://console.example/".to_owned()], ..Config::default() };
    let world = World::with(config).await;
    let ask = async |method: &str, origin: &str| {
        let ask = request(method, "/v1/stores", "")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        world.send(ask.body(Body::empty()).unwrap()).await
    };
    let preflight = ask("OPTIONS", "https://console.example").await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://console.example");
    assert!(preflight.header("access-control-allow-headers").contains("x-grpc-web"));
    let call = ask("GET", "https://console.example").await;
    assert_eq!(call.header("access-control-allow-origin"), "https://console.example");
    assert!(call.header("access-control-expose-headers").contains("grpc-status"));
    for foreign in ["https://evil.example", "null", "https://console.example.evil"] {
        for method in ["OPTIONS", "GET"] {
            let reply = ask(method, foreign).await;
            assert!(!reply.headers.contains_key("access-control-allow-origin"), "{foreign}");
        }
    }
    let closed = World::new().await;
    let get = request("GET", "/v1/stores", "").header(header::ORIGIN, "https://console.example");
    let reply = closed.send(get.body(Body::empty()).unwrap()).await;
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
}
