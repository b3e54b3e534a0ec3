//! The W3C trace context that rides with an event, so that one contact is one trace across the bus.

use crate::Event;
use opentelemetry::{propagation::Extractor, trace::TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the context's field, in headers too.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// The current span's context as a `traceparent`; `None` where nothing is traced.
pub fn current() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            span.trace_id(),
            span.span_id(),
            span.trace_flags().to_u8()
        )
    })
}

/// Makes `span` a child of what caused the event. To be called before the span is entered.
pub fn follow(span: &Span, event: &Event) {
    if let Some(traceparent) = &event.traceparent {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.extract(&Carrier(traceparent))
        });
        // Refused only for a span that is disabled or already entered; then there is nothing to connect.
        let _ = span.set_parent(parent);
    }
}

struct Carrier<'a>(&'a str);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        key.eq_ignore_ascii_case(TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
