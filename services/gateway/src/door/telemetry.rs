//! How long calls from outside take and how they end.

use std::{sync::LazyLock, time::Instant};

use http::Response;
use opentelemetry::{
    KeyValue, global,
    metrics::{Histogram, UpDownCounter},
};
use tonic::{Code, body::Body};
use tracing::Span;

/// Fine where an answer should be, coarse where it should not, in seconds.
const BOUNDARIES: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

struct Instruments {
    duration: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("siyu.gateway");
    Instruments {
        duration: meter
            .f64_histogram("gateway.request.duration")
            .with_unit("s")
            .with_description("how long requests from outside took until their first byte")
            .with_boundaries(BOUNDARIES.to_vec())
            .build(),
        in_flight: meter
            .i64_up_down_counter("gateway.requests.in_flight")
            .with_description("how many requests from outside are being worked on")
            .build(),
    }
});

/// What a request is, for a chart: both words come from closed sets.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    /// "rest", "grpc" or "grpc-web".
    pub protocol: &'static str,
    /// The method's full name, or "unknown".
    pub method: String,
}

/// One request being measured. It is recorded when dropped, so that those who gave up count too.
struct Measure {
    labels: [KeyValue; 2],
    started: Instant,
    outcome: &'static str,
}

/// The answer of `work`, measured.
pub(super) async fn measured(
    labels: Labels,
    work: impl Future<Output = Response<Body>>,
) -> Response<Body> {
    let mut measure = Measure::start(labels);
    let response = work.await;
    Span::current().record("http.response.status_code", response.status().as_u16());
    measure.outcome = outcome(&response);
    response
}

impl Measure {
    fn start(labels: Labels) -> Self {
        let labels = [
            KeyValue::new("protocol", labels.protocol),
            KeyValue::new("rpc.method", labels.method),
        ];
        INSTRUMENTS.in_flight.add(1, &labels);
        Self { labels, started: Instant::now(), outcome: "gone" }
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        INSTRUMENTS.in_flight.add(-1, &self.labels);
        let [protocol, method] = self.labels.clone();
        let labels = [protocol, method, KeyValue::new("outcome", self.outcome)];
        INSTRUMENTS.duration.record(self.started.elapsed().as_secs_f64(), &labels);
    }
}

/// Whose turn it is: nobody's, the caller's or ours.
fn outcome(response: &Response<Body>) -> &'static str {
    let header = response.headers().get("grpc-status");
    match header.map(|value| Code::from_bytes(value.as_bytes())) {
        None if response.status().is_server_error() => "server_error",
        None if response.status().is_client_error() => "client_error",
        None | Some(Code::Ok) => "ok",
        Some(
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss,
        ) => "server_error",
        Some(_) => "client_error",
    }
}
