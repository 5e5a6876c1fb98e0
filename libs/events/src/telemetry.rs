//! What the log tells about itself: the trace context that events carry, and process telemetry.

use std::sync::LazyLock;

use opentelemetry::{
    Context, KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::Event;

/// How many traces the span of one call of a handler is linked with; more would only make the span heavy.
const MAX_LINKS: usize = 32;

/// The instruments; without an exporter they cost next to nothing.
pub(crate) struct Instruments {
    /// The highest position of a log, by source.
    pub(crate) head: Gauge<i64>,
    /// Rows per stamp, by source.
    pub(crate) stamped: Histogram<u64>,
    /// Events done, by consumer and source.
    pub(crate) handled: Counter<u64>,
    /// Events parked, by consumer and source.
    pub(crate) parked: Counter<u64>,
    /// Events not yet handled, by consumer and source.
    pub(crate) lag: Gauge<i64>,
    /// Events read from the producer's log because the broker did not bring them, by consumer and source.
    pub(crate) healed: Counter<u64>,
}

pub(crate) static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("siyu_events");
    Instruments {
        head: meter.i64_gauge("siyu.events.head").build(),
        stamped: meter.u64_histogram("siyu.events.stamped").build(),
        handled: meter.u64_counter("siyu.events.handled").build(),
        parked: meter.u64_counter("siyu.events.parked").build(),
        lag: meter.i64_gauge("siyu.events.lag").build(),
        healed: meter.u64_counter("siyu.events.healed").build(),
    }
});

/// The attributes of a consumer's instruments.
pub(crate) fn labels(consumer: &'static str, source: &'static str) -> [KeyValue; 2] {
    [KeyValue::new("consumer", consumer), KeyValue::new("source", source)]
}

/// The W3C trace context of the span that is open now; empty when nothing is traced.
pub(crate) fn trace_parent() -> String {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// The span of one call of a handler: part of the trace that caused the events, or linked with their traces if they have
/// several.
pub(crate) fn handle_span(consumer: &'static str, events: &[&Event]) -> Span {
    let (first, last) = (events[0], events[events.len() - 1]);
    let span = tracing::info_span!(
        "handle events",
        otel.kind = "consumer",
        consumer,
        source = %first.source,
        merchant = %first.merchant,
        first = first.position,
        last = last.position,
        count = events.len(),
    );
    if span.is_disabled() {
        return span;
    }
    let mut causes: Vec<&str> = events.iter().map(|event| &*event.trace_parent).collect();
    causes.dedup();
    let mut causes = causes.into_iter().filter_map(parse).take(MAX_LINKS);
    match (causes.next(), causes.next()) {
        (None, _) => {}
        (Some(cause), None) => {
            // An error tells that the span has no place in a trace, which is nothing to act on.
            let _ = span.set_parent(Context::new().with_remote_span_context(cause));
        }
        (Some(one), Some(other)) => {
            [one, other].into_iter().chain(causes).for_each(|cause| span.add_link(cause));
        }
    }
    span
}

fn parse(trace_parent: &str) -> Option<SpanContext> {
    let mut parts = trace_parent.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.len() != 2 || version == "ff" {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_is_read_and_nonsense_is_none() {
        let context = parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled() && context.is_remote());
        for bad in
            ["", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-0-0-00"]
        {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn without_a_trace_the_context_is_empty() {
        assert_eq!(trace_parent(), "");
    }
}
