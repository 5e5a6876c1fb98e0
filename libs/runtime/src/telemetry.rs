//! Logs, traces and process telemetry: one call at start, one at the end.

mod calm;
mod otlp;

use std::{io::IsTerminal, time::Duration};

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use serde::{Deserialize, Serialize};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use calm::Calm;
use otlp::Providers;

/// What to tell, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How log lines look on standard error.
    pub format: Format,
    /// Which log lines are written, in the syntax of `RUST_LOG`, for example `info,siyu_order=debug`.
    pub filter: String,
    /// The OTLP/gRPC endpoint that takes traces and telemetry, for example `http://collector:4317`; empty: none.
    pub otlp_endpoint: String,
    /// How many of a hundred traces that start here are kept; a trace that a caller started is kept when the caller keeps it.
    pub sample_percent: u8,
    /// How many seconds lie between two exports of telemetry.
    pub interval_secs: u64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Human,
    /// One JSON object a line, for machines.
    Json,
}

/// Telemetry that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter cannot be read.
    #[error("telemetry.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The exporter cannot be built.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Something else has taken the place already.
    #[error("telemetry was started before")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Running telemetry; it is flushed by [`Telemetry::shutdown`].
#[derive(Debug)]
#[must_use = "what is not shut down is not flushed"]
pub struct Telemetry {
    providers: Option<Providers>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: Format::Human,
            // Libraries log their inner life at info; the suite's own lines are what an operator reads. What PostgreSQL says to a
            // session that it ends, we say ourselves.
            filter: "warn,siyu=info,sqlx::postgres::notice=off".to_owned(),
            otlp_endpoint: String::new(),
            sample_percent: 100,
            interval_secs: 15,
        }
    }
}

/// Starts logs, and traces and telemetry when an endpoint is set. `service` is what the process calls itself, `instance` what
/// tells it from its replicas. Call it within a runtime.
///
/// # Errors
/// [`Error`] when the settings cannot be used, or on a second call.
pub fn init(settings: &Settings, service: &str, instance: &str) -> Result<Telemetry, Error> {
    // Even without an exporter, a trace that a caller started is handed on.
    global::set_text_map_propagator(TraceContextPropagator::new());
    let providers = match settings.otlp_endpoint.as_str() {
        "" => None,
        endpoint => Some(Providers::start(endpoint, settings, service, instance)?),
    };
    let filter = EnvFilter::try_new(&settings.filter)?;
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    let lines = match settings.format {
        Format::Human => lines.map_event_format(|f| Calm::new(f, calm::in_words)).boxed(),
        Format::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(true);
            lines.map_event_format(|f| Calm::new(f, calm::in_json)).boxed()
        }
    };
    let spans = providers.as_ref().map(|providers| {
        let tracer = providers.traces.tracer("siyu");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(suite_spans())
    });
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).try_init()?;
    Ok(Telemetry { providers })
}

impl Telemetry {
    /// Sends what is still here, for at most `limit`: a collector that is down must not hold up a stop.
    pub async fn shutdown(self, limit: Duration) {
        let Some(providers) = self.providers else { return };
        let flush = tokio::task::spawn_blocking(move || providers.shutdown(limit));
        if tokio::time::timeout(limit, flush).await.is_err() {
            tracing::warn!("telemetry was not flushed in time");
        }
    }
}

/// Only the suite's own spans are exported: the exporter's HTTP/2 spans would cause exports of their own.
fn suite_spans() -> tracing_subscriber::filter::FilterFn {
    tracing_subscriber::filter::filter_fn(|metadata| metadata.target().starts_with("siyu"))
}
