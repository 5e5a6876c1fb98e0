//! How long each method takes and how it ends.

use std::{sync::LazyLock, time::Instant};

use http::{HeaderMap, Response};
use opentelemetry::{
    KeyValue, StringValue, global,
    metrics::{Histogram, UpDownCounter},
};
use tonic::{Code, body::Body};
use tracing::Span;

use super::{Target, stream};

/// Fine where an answer should be, coarse where it should not, in seconds.
const BOUNDARIES: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

struct Instruments {
    duration: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
}

/// Made at the first call: `telemetry::init` comes before the first server.
static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("siyu.grpc");
    Instruments {
        duration: meter
            .f64_histogram("rpc.server.call.duration")
            .with_unit("s")
            .with_description("how long calls took, by method and status code")
            .with_boundaries(BOUNDARIES.to_vec())
            .build(),
        in_flight: meter
            .i64_up_down_counter("rpc.server.calls.in_flight")
            .with_description("how many calls are being worked on")
            .build(),
    }
});

/// One call being measured. It is recorded when dropped, so that cancelled and panicked calls count too.
pub(super) struct Measured {
    labels: [KeyValue; 2],
    started: Instant,
    code: Option<Code>,
    span: Span,
}

/// The answer of `work`, measured; that of a stream until its end.
pub(super) async fn measured(
    target: Target<'_>,
    work: impl Future<Output = Response<Body>>,
) -> Response<Body> {
    let Some(mut call) = Measured::start(target) else { return work.await };
    let response = work.await;
    call.ended(response.headers());
    if target.is_stream() && call.code.is_none() {
        return response.map(|body| Body::new(stream::Watched::new(body, call)));
    }
    // The trailers of a single reply are written with it, and only ever say OK.
    call.code.get_or_insert(Code::Ok);
    response
}

impl Measured {
    fn start(target: Target<'_>) -> Option<Self> {
        let (service, method): (StringValue, StringValue) = match target {
            Target::Open(_) => return None,
            Target::Method(rule) => (rule.service.clone().into(), rule.method.clone().into()),
            // One name for all made-up paths: a name per path would never end.
            Target::Unknown => ("unknown".into(), "unknown".into()),
        };
        let labels = [KeyValue::new("rpc.service", service), KeyValue::new("rpc.method", method)];
        INSTRUMENTS.in_flight.add(1, &labels);
        Some(Self { labels, started: Instant::now(), code: None, span: Span::current() })
    }

    /// Takes note of the status in the headers of a refusal or in the trailers of a reply, if it stands there.
    pub(super) fn ended(&mut self, headers: &HeaderMap) {
        if let Some(value) = headers.get("grpc-status") {
            self.code = Some(Code::from_bytes(value.as_bytes()));
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let code = match self.code {
            Some(code) => code,
            None if std::thread::panicking() => Code::Internal,
            // Whoever asked no longer waits: the connection broke, or the caller gave up.
            None => Code::Cancelled,
        };
        self.span.record("rpc.grpc.status_code", code as i32);
        INSTRUMENTS.in_flight.add(-1, &self.labels);
        let [service, method] = self.labels.clone();
        let labels = [service, method, KeyValue::new("rpc.response.status_code", name(code))];
        INSTRUMENTS.duration.record(self.started.elapsed().as_secs_f64(), &labels);
    }
}

const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
