//! The body of a request: of the right kind, not too large, not too slow, and with all others not too much at once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;

use crate::{config::Http, problem::Problem};

/// Reads bodies within bounds.
#[derive(Debug)]
pub(super) struct Intake {
    max: usize,
    timeout: Duration,
    /// What may be held at once, in units of [`UNIT`] bytes.
    budget: Arc<Semaphore>,
}

/// A body, and the part of the budget that it takes while it is being worked on.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub bytes: Bytes,
    _budget: Option<OwnedSemaphorePermit>,
}

const UNIT: usize = 1024;

impl Intake {
    pub(super) fn new(http: &Http) -> Self {
        let units = http.bodies_max_bytes.max(http.body_max_bytes).div_ceil(UNIT);
        Self {
            max: http.body_max_bytes,
            timeout: http.body_timeout(),
            budget: Arc::new(Semaphore::new(units)),
        }
    }

    /// Reads a whole body.
    pub(super) async fn take(&self, headers: &HeaderMap, body: Body) -> Result<Taken, Problem> {
        if body.is_end_stream() {
            return Ok(Taken::default());
        }
        is_json(headers)?;
        // A body of unknown length may become as large as any.
        let size = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
        if size.is_some_and(|size| size > self.max) {
            return Err(self.too_large());
        }
        let units = u32::try_from(size.unwrap_or(self.max).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let budget = self.budget.clone().try_acquire_many_owned(units).map_err(|_| full())?;
        let read = tokio::time::timeout(self.timeout, Limited::new(body, self.max).collect());
        match read.await {
            Ok(Ok(body)) => Ok(Taken { bytes: body.to_bytes(), _budget: Some(budget) }),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(self.too_large()),
            Ok(Err(error)) => {
                let detail = format!("the body broke off: {error}");
                Err(Problem::new(StatusCode::BAD_REQUEST, "BODY_BROKEN", detail))
            }
            Err(_) => Err(self.too_slow()),
        }
    }

    fn too_large(&self) -> Problem {
        let detail = format!("the body must have at most {} bytes", self.max);
        closing(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", detail))
    }

    fn too_slow(&self) -> Problem {
        let detail = format!("the body must be sent within {} seconds", self.timeout.as_secs());
        closing(Problem::new(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", detail))
    }
}

/// The rest of the body is not read, so nothing else can follow on the connection.
fn closing(problem: Problem) -> Problem {
    problem.with_header(CONNECTION, HeaderValue::from_static("close"))
}

fn full() -> Problem {
    let detail = "too many large requests at once, repeat later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", detail)
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |what: &str| {
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "MEDIA_TYPE_UNSUPPORTED", what))
    };
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return refuse("the body must not be compressed");
    }
    let Some(kind) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        refuse("the body must be application/json")
    }
}
