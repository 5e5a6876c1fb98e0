//! Errors as a REST caller sees them: `application/problem+json` (RFC 9457), from the same faults that a gRPC caller gets.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Map, Value, json};
use siyu_kernel::{Code, Fault, Violation};
use tonic::{Status, body::Body};

use crate::trace::Trace;

/// The media type of an error.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// One error, not yet sent.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    /// The stable reason, `INVALID_FIELD`.
    code: String,
    detail: String,
    errors: Vec<Violation>,
    metadata: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// An error that only HTTP has.
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            metadata: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// What a service answered.
    pub(crate) fn of(answer: Status) -> Self {
        if answer.code() == tonic::Code::Unimplemented {
            // A service older than this gateway; the caller did nothing wrong, and neither is anything broken.
            let detail = "the service does not have this method yet";
            return Self::new(StatusCode::NOT_IMPLEMENTED, "METHOD_UNKNOWN", detail);
        }
        let retry = siyu_grpc::retry_after(&answer);
        let fault = siyu_grpc::fault(answer);
        let mut problem = Self::new(http_status(&fault), fault.reason(), fault.message());
        problem.0.errors = fault.violations().to_vec();
        problem.0.metadata = fault
            .metadata()
            .iter()
            .map(|(&key, value)| (key.to_owned(), Value::String(value.clone())))
            .collect();
        if let Some(wait) = retry {
            problem = problem.with_header(RETRY_AFTER, whole_seconds(wait));
        }
        if fault.code() == Code::Unauthenticated {
            let scheme = HeaderValue::from_static("Bearer realm=\"siyu\"");
            problem = problem.with_header(WWW_AUTHENTICATE, scheme);
        }
        problem
    }

    /// Adds a header to the answer.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The body, with the trace by which an operator finds the call.
    pub(crate) fn json(&self, trace: &Trace) -> Value {
        let parts = &self.0;
        let errors: Vec<Value> = parts
            .errors
            .iter()
            .map(|v| json!({"field": v.field, "description": v.description}))
            .collect();
        json!({
            "type": format!("urn:siyu:problem:{}", parts.code.to_lowercase()),
            "title": parts.status.canonical_reason().unwrap_or("Error"),
            "status": parts.status.as_u16(),
            "code": parts.code,
            "detail": parts.detail,
            "errors": errors,
            "metadata": parts.metadata,
            "trace_id": trace.id(),
        })
    }

    /// The answer.
    pub(crate) fn response(self, trace: &Trace) -> Response<Body> {
        let body = self.json(trace).to_string();
        let mut response = Response::new(crate::body::full(body));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.0.headers);
        response
    }
}

impl From<Fault> for Problem {
    /// By way of the status, so that the cause is logged where all causes are.
    fn from(fault: Fault) -> Self {
        Self::of(siyu_grpc::status(fault))
    }
}

/// The mapping of `google.rpc.Code`, and one exception: a key used for another request has a status of its own
/// (reference §6.3).
pub(crate) fn http_status(fault: &Fault) -> StatusCode {
    if fault.reason() == "REQUEST_ID_REUSED" {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    match fault.code() {
        Code::InvalidArgument | Code::FailedPrecondition => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// `Retry-After` knows whole seconds only.
fn whole_seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX))
}
