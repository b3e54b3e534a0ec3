//! One trace through every RPC: the caller's context rides in `traceparent`, the server's span continues it.

use http::{HeaderMap, HeaderValue, Request};
use opentelemetry::propagation::Extractor;
use std::task::{Context, Poll};
use tonic::service::Routes;
use tracing::{Instrument, Span, debug_span, instrument::Instrumented};
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// Puts the current span's context into a request.
pub(crate) fn inject(headers: &mut HeaderMap) {
    let context = centro_bus::trace::current();
    if let Some(value) = context.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(TRACEPARENT, value);
    }
}

/// Routes whose every RPC runs in a span of its own.
pub(crate) fn traced(routes: Routes) -> Routes {
    let layer = tower::layer::layer_fn(Traced);
    Routes::from(routes.into_axum_router().layer(layer)).prepare()
}

fn server_span<B>(request: &Request<B>) -> Span {
    let path = request.uri().path().trim_start_matches('/');
    let span = debug_span!(
        "rpc",
        otel.name = path,
        otel.kind = "server",
        rpc.system = "grpc"
    );
    follow(&span, request.headers());
    span
}

/// Makes `span` a child of what the caller's headers name, if they do. To be called before the span is entered.
pub fn follow(span: &Span, headers: &HeaderMap) {
    if headers.contains_key(TRACEPARENT) {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.extract(&Headers(headers))
        });
        // Refused only for a span that is disabled; then there is nothing to connect.
        let _ = span.set_parent(parent);
    }
}

#[derive(Clone)]
struct Traced<S>(S);

impl<S, B> tower::Service<Request<B>> for Traced<S>
where
    S: tower::Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = server_span(&request);
        let response = span.in_scope(|| self.0.call(request));
        response.instrument(span)
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
