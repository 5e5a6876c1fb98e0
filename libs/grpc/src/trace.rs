//! W3C trace context, in and out.

use http::{HeaderMap, HeaderName};
use opentelemetry::{global, propagation::Extractor, trace::TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("traceparent");

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Makes the caller's span the parent of ours.
pub fn join(span: &Span, headers: &HeaderMap) {
    if !headers.contains_key(&HEADER) {
        return;
    }
    let parent = global::get_text_map_propagator(|known| known.extract(&Headers(headers)));
    // There is nothing to join when traces are not exported.
    drop(span.set_parent(parent));
}

/// The trace context to hand on: that of `span`, or the caller's own when traces are not exported. Empty when there is none.
pub fn parent_of(span: &Span, headers: &HeaderMap) -> String {
    let own = current(span);
    if !own.is_empty() {
        return own;
    }
    let theirs = headers.get(&HEADER).and_then(|value| value.to_str().ok());
    theirs.filter(|text| is_well_formed(text)).unwrap_or_default().to_owned()
}

/// The trace context of a span, empty when traces are not exported.
pub(crate) fn current(span: &Span) -> String {
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// Whether a text is a `traceparent` of version 00: what is written into an event log must be one.
fn is_well_formed(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let [version, trace, span, flags] = parts[..] else { return false };
    version == "00" && hex(trace, 32) && hex(span, 16) && hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_parent_is_handed_on() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        for (text, is_kept) in
            [(good, true), ("00-zz-00-01", false), ("", false), (&good[..54], false)]
        {
            headers.insert(HEADER, text.parse().unwrap());
            let kept = parent_of(&Span::none(), &headers);
            assert_eq!(kept, if is_kept { text } else { "" });
        }
    }
}
