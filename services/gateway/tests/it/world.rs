//! A gateway with its database and services behind it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use siyu_gateway::{Config, Gateway, Parts, Secret};
use siyu_grpc::{Assertions, Upstream};
use siyu_pg::Migration;
use siyu_runtime::{Readiness, Tasks};
use siyu_testkit::{Database, FixedClock, SeededIds};
use tonic::body::Body;

use crate::fake;

const SCHEMA: &[&[Migration]] = &[siyu_pg::base_migrations(), siyu_gateway::migrations()];
pub(crate) const ASSERTION_KEY: &[u8] = b"a key of at least thirty-two bytes, for tests";

/// Everything that a test may want to look at.
pub(crate) struct World {
    pub gateway: Gateway,
    pub database: Database,
    pub clock: FixedClock,
    pub operator: String,
    pub readiness: Readiness,
    _tasks: Tasks,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

static DRAWN: AtomicU8 = AtomicU8::new(0);

/// Never the same twice, and nothing like random.
fn counted() -> [u8; 32] {
    [DRAWN.fetch_add(1, Ordering::Relaxed); 32]
}

/// The parts of a gateway on the wall clock of 2024.
pub(crate) async fn parts(
    upstreams: BTreeMap<&'static str, Upstream>,
) -> (Parts, Database, FixedClock) {
    let database = Database::fresh(SCHEMA).await;
    let clock = FixedClock::at("2024-06-01T00:00:00Z");
    let parts = Parts {
        db: database.db().clone(),
        upstreams,
        assertions: assertions(),
        clock: Arc::new(clock.clone()),
        ids: Arc::new(SeededIds::new(7)),
        random: counted,
        readiness: Readiness::new(),
        tasks: Tasks::new(),
    };
    (parts, database, clock)
}

pub(crate) fn assertions() -> Arc<Assertions> {
    Arc::new(Assertions::new(ASSERTION_KEY).unwrap())
}

impl World {
    /// The suite's contracts, with made-up services behind them.
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::build(config, fake::upstreams, None).await
    }

    /// Other services, and other contracts if they are given.
    pub(crate) async fn build(
        mut config: Config,
        upstreams: impl FnOnce(&FixedClock) -> BTreeMap<&'static str, Upstream>,
        contracts: Option<&'static [u8]>,
    ) -> Self {
        let operator = Secret::new([255; 32]);
        config.operator_sha256 = operator.digest().to_string();
        let (mut parts, database, clock) = parts(BTreeMap::new()).await;
        parts.upstreams = upstreams(&clock);
        let (tasks, readiness) = (parts.tasks.clone(), parts.readiness.clone());
        let contracts = contracts.unwrap_or(siyu_proto::DESCRIPTOR_SET);
        let gateway = Gateway::of_contracts(contracts, &config, parts).unwrap();
        let operator = operator.expose().to_owned();
        Self { gateway, database, clock, operator, readiness, _tasks: tasks }
    }

    /// A token of the `n`-th merchant, made by the operator.
    pub(crate) async fn token(&self, merchant: u32, scopes: &[&str]) -> (String, String) {
        let merchant = siyu_testkit::merchant(merchant).to_string();
        let body = json!({"merchant_id": merchant, "name": "test", "scopes": scopes});
        let reply = self.post("/v1/tokens", &self.operator, &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let text = |path: &str| reply.json().pointer(path).unwrap().as_str().unwrap().to_owned();
        (text("/token/id"), text("/secret"))
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(request("GET", path, token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send(with_json("POST", path, token, &body.to_string())).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::read(self.gateway.answer(request).await).await
    }
}

/// A request with a bearer token, unless that is empty.
pub(crate) fn request(method: &str, path: &str, token: &str) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    if token.is_empty() {
        return request;
    }
    request.header(header::AUTHORIZATION, format!("Bearer {token}"))
}

pub(crate) fn with_json(method: &str, path: &str, token: &str, body: &str) -> Request<Body> {
    request(method, path, token)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::new(Full::new(Bytes::from(body.to_owned()))))
        .unwrap()
}

impl Reply {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: head.status, headers: head.headers, body }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, code, and the bad fields with what is wrong with them.
    pub(crate) fn problem(&self) -> (u16, String, Vec<(String, String)>) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        assert_eq!(json["trace_id"].as_str().unwrap().len(), 32);
        assert!(!json["title"].as_str().unwrap().is_empty());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = json["errors"].as_array().unwrap();
        let errors = errors.iter().map(|e| (text(&e["field"]), text(&e["description"])));
        (self.status.as_u16(), text(&json["code"]), errors.collect())
    }
}
