//! Which web pages may call from a browser. None, unless an operator names their origins: apps and servers need no leave.

use std::collections::HashSet;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        ORIGIN, VARY,
    },
};
use tonic::body::Body;

/// The origins that may call.
#[derive(Debug, Default)]
pub(crate) struct Cors {
    origins: HashSet<String>,
}

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// What REST and gRPC-web clients send.
const SENT: &str = "authorization, content-type, idempotency-key, traceparent, tracestate, \
    x-grpc-web, x-user-agent, grpc-timeout";
/// What they must be able to read: without it a browser hides the status of a gRPC-web call.
const READ: &str = "grpc-status, grpc-message, grpc-status-details-bin, x-trace-id, retry-after";
const MAX_AGE_SECS: &str = "7200";

impl Cors {
    pub(crate) fn new(origins: &[String]) -> Self {
        Self { origins: origins.iter().map(|o| o.trim_end_matches('/').to_owned()).collect() }
    }

    /// The origin of a request, if it may call.
    pub(super) fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.origins.contains(origin.to_str().ok()?).then(|| origin.clone())
    }

    /// The answer to a browser that asks before it calls.
    pub(super) fn preflight(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let headers = request.headers();
        if request.method() != Method::OPTIONS
            || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let origin = self.origin(headers)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECS));
        Some(self.mark(response, Some(origin)))
    }

    /// Lets a page of the origin read the answer.
    pub(super) fn mark(
        &self,
        mut response: Response<Body>,
        origin: Option<HeaderValue>,
    ) -> Response<Body> {
        let headers = response.headers_mut();
        if !self.origins.is_empty() {
            // Caches between must not give one origin's answer to another.
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
        }
        response
    }
}
