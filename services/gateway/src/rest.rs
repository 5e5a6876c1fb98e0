//! REST/JSON: every public method by the path that its contract gives it, with no code of its own.
//!
//! A request is one message put together from path, query and body; the answer is the reply in the canonical JSON form of
//! protobuf, with names as in the contract. Streams of replies are lines of JSON. The services see no difference to gRPC.

mod call;
mod intake;
mod json;
mod request;
mod route;
mod text;

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use http::{
    HeaderMap, HeaderValue, Method as HttpMethod, Request, Response, StatusCode,
    header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE},
};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message as _;
use prost_reflect::MessageDescriptor;
use siyu_grpc::Upstream;
use siyu_kernel::{Code, Fault};
use tonic::{Status, body::Body, metadata::MetadataMap};

use crate::{
    auth::Doorman,
    body::full,
    config::Http,
    contract::{Binding, Contract, ContractError, Method},
    problem::Problem,
    trace::{TRACE_PARENT, Trace},
    upstreams::Upstreams,
};
use intake::Intake;
use request::{Parts, Unfit};
use route::{Found, Routes};

/// The transcoder.
#[derive(Debug)]
pub(crate) struct Rest {
    routes: Routes,
    upstreams: Arc<Upstreams>,
    doorman: Arc<Doorman>,
    intake: Intake,
    http: Http,
}

impl Rest {
    pub(crate) fn new(
        contract: &Contract,
        upstreams: Arc<Upstreams>,
        doorman: Arc<Doorman>,
        http: &Http,
    ) -> Result<Self, ContractError> {
        let routes = Routes::new(contract)?;
        Ok(Self { routes, upstreams, doorman, intake: Intake::new(http), http: http.clone() })
    }

    /// The method that a request is for, for telemetry.
    pub(crate) fn name(&self, http: &HttpMethod, path: &str) -> Option<&str> {
        match self.routes.find(http, path) {
            Found::Method(method, ..) => Some(method.grpc_name()),
            Found::Only(_) | Found::Nothing | Found::Garbled => None,
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Body>, trace: &Trace) -> Response<Body> {
        let answer = self.call(request, trace).await;
        answer.unwrap_or_else(|problem| problem.response(trace))
    }

    async fn call(&self, request: Request<Body>, trace: &Trace) -> Result<Response<Body>, Problem> {
        let (head, body) = request.into_parts();
        let (method, binding, variables) = match self.routes.find(&head.method, head.uri.path()) {
            Found::Method(method, binding, variables) => (method, binding, variables),
            Found::Only(methods) if head.method == HttpMethod::OPTIONS => {
                return Ok(options(&methods));
            }
            Found::Only(methods) => return Err(wrong_method(&methods)),
            Found::Nothing => return Err(no_path(head.uri.path())),
            Found::Garbled => return Err(garbled()),
        };
        // Before the body is read: nobody unknown makes us hold megabytes.
        let assertion = self.doorman.admit(&head.headers).await?;
        let upstream = self.upstreams.of(method)?;
        let taken = self.intake.take(&head.headers, body).await?;
        let key = idempotency_key(&head.headers)?;
        let query = head.uri.query();
        let parts = Parts { variables, query, body: &taken.bytes, key };
        let message = assembled(method, binding, parts)?;

        let mut call = tonic::Request::new(message);
        describe(call.metadata_mut(), assertion, trace);
        call.set_timeout(self.http.call_timeout());
        if method.server_streams {
            return self.stream(method, upstream, call, trace).await;
        }
        let reply = call::unary(upstream.clone(), method.path.clone(), call);
        let reply = self.in_time(reply).await?;
        let json =
            json::write(&method.output, &reply).map_err(|e| Fault::internal(e.to_string()))?;
        Ok(answer("application/json", full(json)))
    }

    async fn stream(
        &self,
        method: &Method,
        upstream: &Upstream,
        call: tonic::Request<Bytes>,
        trace: &Trace,
    ) -> Result<Response<Body>, Problem> {
        let replies = call::stream(upstream.clone(), method.path.clone(), call);
        let replies = self.in_time(replies).await?;
        let (output, trace) = (method.output.clone(), trace.clone());
        let lines =
            replies.map(move |reply| Ok::<_, Status>(Frame::data(line(&output, reply, &trace))));
        Ok(answer("application/x-ndjson", Body::new(StreamBody::new(lines))))
    }

    /// The service keeps the deadline too; this one is for a service that is gone.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Problem> {
        let answer = tokio::time::timeout(self.http.call_timeout(), call).await;
        answer.map_or_else(|_| Err(too_late().into()), |answer| answer.map_err(Problem::of))
    }
}

fn too_late() -> Fault {
    Fault::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the call took longer than allowed")
}

/// The request message, encoded. The JSON is gone when the call begins.
fn assembled(method: &Method, binding: &Binding, parts: Parts<'_>) -> Result<Bytes, Problem> {
    match request::assemble(method, binding, parts) {
        Ok(message) => Ok(message.encode_to_vec().into()),
        Err(Unfit::Fields(violations)) => Err(Fault::invalid(violations).into()),
        Err(Unfit::Malformed(what)) => {
            let detail = format!("the body cannot be read: {what}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "BODY_MALFORMED", detail))
        }
        Err(Unfit::BodyUnread) => {
            let detail = "the method takes no body: everything is in path and query";
            Err(Problem::new(StatusCode::BAD_REQUEST, "BODY_UNREAD", detail))
        }
    }
}

fn describe(metadata: &mut MetadataMap, assertion: HeaderValue, trace: &Trace) {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, assertion);
    headers.insert(TRACE_PARENT, trace.header());
    *metadata = MetadataMap::from_headers(headers);
}

/// One line of a stream: `{"result": …}`, or `{"error": …}` as the last one.
fn line(output: &MessageDescriptor, reply: Result<Bytes, Status>, trace: &Trace) -> Bytes {
    let written = reply.and_then(|reply| {
        json::write(output, &reply)
            .map_err(|error| siyu_grpc::status(Fault::internal(error.to_string())))
    });
    match written {
        Ok(json) => [b"{\"result\":".as_slice(), &json, b"}\n"].concat().into(),
        Err(status) => {
            let problem = Problem::of(status).json(trace);
            format!("{{\"error\":{problem}}}\n").into()
        }
    }
}

fn answer(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // Replies are one caller's, and some hold secrets.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn options(methods: &[HttpMethod]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allow(methods));
    response
}

fn wrong_method(methods: &[HttpMethod]) -> Problem {
    let allow = allow(methods);
    let detail = format!("the path takes {}", allow.to_str().unwrap_or_default());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
        .with_header(ALLOW, allow)
}

fn allow(methods: &[HttpMethod]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(HttpMethod::as_str).collect();
    if methods.contains(&HttpMethod::GET) {
        names.push("HEAD");
    }
    names.sort_unstable();
    HeaderValue::from_str(&names.join(", ")).expect("names of HTTP methods are visible ASCII")
}

fn no_path(path: &str) -> Problem {
    let detail = format!("nothing is at {path}; every path stands in /docs and /openapi.json");
    Problem::new(StatusCode::NOT_FOUND, "PATH_UNKNOWN", detail)
}

fn garbled() -> Problem {
    let detail = "the path is not properly percent-encoded UTF-8";
    Problem::new(StatusCode::BAD_REQUEST, "PATH_MALFORMED", detail)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().map(str::trim).filter(|key| !key.is_empty());
    match key {
        Some(key) => Ok(Some(key)),
        None => Err(Fault::field("Idempotency-Key", "must be visible ASCII").into()),
    }
}
