//! One trace per call: that of the caller, else a new one, so that every answer names a trace by which the logs are found.

use http::{HeaderMap, HeaderName, HeaderValue};
use siyu_kernel::Ids;
use tracing::Span;

/// The header of the W3C trace context.
pub(crate) const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header in which a caller learns the trace.
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The trace of a call, as a `traceparent`.
#[derive(Debug, Clone)]
pub(crate) struct Trace(String);

impl Trace {
    /// Joins the caller's trace, or begins one.
    pub(crate) fn of(span: &Span, headers: &HeaderMap, ids: &dyn Ids) -> Self {
        siyu_grpc::trace::join(span, headers);
        let known = siyu_grpc::trace::parent_of(span, headers);
        if !known.is_empty() {
            return Self(known);
        }
        // Not sampled: traces are not exported, or this one would have a span.
        let (trace, parent) = (ids.uuid().as_u128(), ids.uuid().as_u64_pair().1);
        Self(format!("00-{trace:032x}-{parent:016x}-00"))
    }

    /// The 32 hexadecimal digits of the trace.
    pub(crate) fn id(&self) -> &str {
        self.0.split('-').nth(1).unwrap_or_default()
    }

    /// What the caller gets.
    pub(crate) fn id_header(&self) -> HeaderValue {
        HeaderValue::from_str(self.id()).expect("a trace id is hexadecimal")
    }

    /// What the services get.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("a trace parent is visible ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_trace_is_kept_and_a_missing_one_begun() {
        let ids = siyu_testkit::SeededIds::new(1);
        let mut headers = HeaderMap::new();
        let begun = Trace::of(&Span::none(), &headers, &ids);
        assert_eq!(begun.id().len(), 32);
        headers.insert(TRACE_PARENT, begun.header());
        assert_eq!(Trace::of(&Span::none(), &headers, &ids).id(), begun.id());
        headers.insert(TRACE_PARENT, HeaderValue::from_static("nonsense"));
        assert_ne!(Trace::of(&Span::none(), &headers, &ids).id(), begun.id());
    }
}
