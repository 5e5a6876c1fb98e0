//! The door: what comes in on either port, sorted by what it is. gRPC, gRPC-web, REST and pages share both ports.
//!
//! From the outside in: panic → cross-origin rules → telemetry → places → one of the four, or the door for payment companies.

mod cors;
mod pages;
mod telemetry;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use siyu_kernel::{Code, Fault, Ids};
use siyu_runtime::tasks::panic_message;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use crate::{
    body::Held,
    hooks::{self, Hooks},
    passthrough::{Once, Passthrough, is_own},
    problem::Problem,
    rest::Rest,
    trace::{TRACE_ID, Trace},
};
pub(crate) use cors::Cors;
pub(crate) use pages::{Docs, Pages};
use telemetry::Labels;

/// Everything behind the two ports.
#[derive(Debug)]
pub(crate) struct Door {
    pub rest: Rest,
    pub grpc: Arc<Passthrough>,
    pub pages: Pages,
    pub hooks: Hooks,
    /// The notifications of payment companies that may be under way at once.
    pub hook_places: Arc<Semaphore>,
    pub cors: Cors,
    pub ids: Arc<dyn Ids>,
    /// The calls that may be under way at once.
    pub places: Arc<Semaphore>,
    /// Those among them that need no credential.
    pub open_places: Arc<Semaphore>,
}

/// What a request is, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grpc,
    GrpcWeb,
    /// REST, or a page.
    Plain,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match kind.unwrap_or_default() {
            kind if kind.starts_with("application/grpc-web") => Self::GrpcWeb,
            kind if kind.starts_with("application/grpc") => Self::Grpc,
            _ => Self::Plain,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::GrpcWeb => "grpc-web",
            Self::Plain => "rest",
        }
    }
}

impl Door {
    /// Answers a request: always with a response, whatever happens inside.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let kind = Kind::of(request.headers());
        if let Some(preflight) = self.cors.preflight(&request) {
            return preflight;
        }
        if kind == Kind::Plain
            && let Some(page) =
                self.pages.answer(request.method(), request.uri(), request.headers())
        {
            return page;
        }
        let origin = self.cors.origin(request.headers());
        let labels = self.labels(kind, &request);
        let span = span(&labels);
        let trace = Trace::of(&span, request.headers(), self.ids.as_ref());
        let work = telemetry::measured(labels, self.sorted(kind, request, trace.clone()));
        // Unwind safety: all that outlives the call is behind locks that ignore poisoning.
        let mut response = match AssertUnwindSafe(work.instrument(span)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => {
                let cause = format!("panicked: {}", panic_message(panic.as_ref()));
                refusal(kind, Fault::internal(cause), &trace)
            }
        };
        response.headers_mut().insert(TRACE_ID, trace.id_header());
        self.cors.mark(response, origin)
    }

    async fn sorted(&self, kind: Kind, request: Request<Body>, trace: Trace) -> Response<Body> {
        if kind == Kind::Plain && Hooks::is_for(request.uri().path()) {
            let Ok(place) = self.hook_places.clone().try_acquire_owned() else {
                return hooks::overloaded();
            };
            return self.hooks.answer(request).await.map(|body| Held::body(body, place));
        }
        let is_open = kind != Kind::Plain && is_own(request.uri().path());
        let places = if is_open { &self.open_places } else { &self.places };
        let Ok(place) = places.clone().try_acquire_owned() else {
            return refusal(kind, overloaded(), &trace);
        };
        let response = match kind {
            Kind::Plain => self.rest.answer(request, &trace).await,
            Kind::Grpc if request.version() < Version::HTTP_2 => return needs_http2(&trace),
            Kind::Grpc => self.grpc.answer(request, &trace).await,
            Kind::GrpcWeb => {
                let once = Once { passthrough: self.grpc.clone(), trace };
                let Ok(response) = GrpcWebLayer::new().layer(once).call(request).await;
                response.map(Body::new)
            }
        };
        // A call is under way until its last byte: a stream works while it sends.
        response.map(|body| Held::body(body, place))
    }

    fn labels(&self, kind: Kind, request: &Request<Body>) -> Labels {
        let path = request.uri().path();
        let method = match kind {
            Kind::Plain if Hooks::is_for(path) => Some(hooks::NAME),
            Kind::Plain => self.rest.name(request.method(), path),
            Kind::Grpc | Kind::GrpcWeb => self.grpc.name(path),
        };
        // A made-up path has one name for all: a name per path would never end.
        Labels { protocol: kind.name(), method: method.unwrap_or("unknown").to_owned() }
    }
}

fn span(labels: &Labels) -> Span {
    tracing::info_span!(
        "door",
        otel.name = labels.method,
        otel.kind = "server",
        protocol = labels.protocol,
        rpc.method = labels.method,
        http.response.status_code = tracing::field::Empty,
    )
}

fn refusal(kind: Kind, fault: Fault, trace: &Trace) -> Response<Body> {
    match kind {
        Kind::Plain => Problem::from(fault).response(trace),
        Kind::Grpc | Kind::GrpcWeb => siyu_grpc::status(fault).into_http(),
    }
}

fn overloaded() -> Fault {
    Fault::new(Code::Unavailable, "OVERLOADED", "too many calls at once, repeat later")
}

fn needs_http2(trace: &Trace) -> Response<Body> {
    let detail = "gRPC needs HTTP/2; over HTTP/1.1 use REST or gRPC-web";
    Problem::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "HTTP2_REQUIRED", detail)
        .with_header(RETRY_AFTER, HeaderValue::from_static("0"))
        .response(trace)
}
