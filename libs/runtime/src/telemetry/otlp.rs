//! The exporters: traces and telemetry over OTLP/gRPC.
#![expect(clippy::float_arithmetic, reason = "a sampling ratio is no money")]

use std::time::Duration;

use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{Sampler, SdkTracerProvider},
};

use super::{Error, Settings};

/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Providers {
    pub(super) traces: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Providers {
    pub(super) fn start(
        endpoint: &str,
        settings: &Settings,
        service: &str,
        instance: &str,
    ) -> Result<Self, Error> {
        let resource = Resource::builder()
            .with_service_name(service.to_owned())
            .with_attribute(KeyValue::new("service.namespace", "siyu"))
            .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let spans = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let ratio = f64::from(settings.sample_percent.min(100)) / 100.0;
        let traces = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .with_resource(resource.clone())
            .with_batch_exporter(spans)
            .build();
        let measures = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let interval = Duration::from_secs(settings.interval_secs.max(1));
        let reader = PeriodicReader::builder(measures).with_interval(interval).build();
        let meters =
            SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
        global::set_tracer_provider(traces.clone());
        global::set_meter_provider(meters.clone());
        Ok(Self { traces, meters })
    }

    /// Flushes and ends both; blocks up to `limit` each.
    pub(super) fn shutdown(&self, limit: Duration) {
        for outcome in
            [self.traces.shutdown_with_timeout(limit), self.meters.shutdown_with_timeout(limit)]
        {
            if let Err(error) = outcome {
                tracing::warn!(%error, "telemetry was not flushed");
            }
        }
    }
}
