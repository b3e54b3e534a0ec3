//! actix-web in front of the transcoder, the live stream and the pages: limits, streaming, security headers.
//! (actix-web speaks http 0.2, tonic http 1: headers are converted here and nowhere else.)

use crate::{
    Settings,
    callers::Callers,
    live, origin, pages,
    rest::{Answer, Head, Problem, Rest},
    source::Proxies,
};
use actix_web::{
    HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web,
};
use bytes::Bytes;
use centro_contract::caller::SOURCE;
use centro_node::{Node, health::Report};
use futures::StreamExt;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tracing::Instrument;

/// A quiet stream of messages says so often that it is alive; proxies close silent ones.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Keeps the compressing layer away: sound is small already, and messages must not wait in its buffer.
const AS_IT_IS: (&str, &str) = ("content-encoding", "identity");

/// What the handlers share.
pub struct Shared {
    /// The process.
    pub node: Node,
    /// Its settings.
    pub settings: Settings,
    /// Finds out who calls.
    pub callers: Arc<Callers>,
    /// The transcoder.
    pub rest: Rest,
    /// The API's document.
    pub openapi: Bytes,
    /// Open live streams.
    pub live: Arc<live::Open>,
    /// Those of whom it is not known yet who they are.
    pub lobby: Arc<live::Lobby>,
    /// Who may say where a request comes from.
    pub proxies: Proxies,
}

impl Shared {
    /// A refusal outside the transcoder.
    pub fn problem(
        &self,
        request: &HttpRequest,
        status: http::StatusCode,
        code: &str,
        detail: &str,
    ) -> HttpResponse {
        respond(
            Problem::new(status, code, detail)
                .of_request(&request_id(request))
                .answer(),
        )
    }
}

/// Every path of the door.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/openapi.json", web::get().to(openapi))
        .route("/health/live", web::get().to(live_report))
        .route("/health/ready", web::get().to(ready_report))
        .route("/health/startup", web::get().to(startup_report))
        .route("/metrics", web::get().to(metrics))
        .route("/v1/live", web::get().to(live::accept))
        .default_service(web::to(any));
}

async fn openapi(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(shared.openapi.clone())
}

async fn live_report(shared: web::Data<Shared>) -> HttpResponse {
    probe(&shared.node.live())
}

async fn ready_report(shared: web::Data<Shared>) -> HttpResponse {
    probe(&shared.node.ready())
}

async fn startup_report(shared: web::Data<Shared>) -> HttpResponse {
    probe(&shared.node.startup())
}

fn probe(report: &Report) -> HttpResponse {
    let mut response = if report.ok {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(report)
}

async fn metrics(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    match &shared.settings.metrics {
        Some(metrics) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4")
            .body(metrics.render()),
        None => shared.problem(
            &request,
            http::StatusCode::NOT_FOUND,
            "route_unknown",
            "nothing is served at this path",
        ),
    }
}

/// The API and the pages.
async fn any(
    shared: web::Data<Shared>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    if let Some(answer) = origin::preflight(&request, &shared.settings.allowed_origins) {
        return answer;
    }
    let path = request.path().to_owned();
    let api = path == "/v1" || path.starts_with("/v1/");
    let reads = matches!(request.method().as_str(), "GET" | "HEAD");
    if !api
        && reads
        && let Some(page) = pages::at(&path)
    {
        return page;
    }
    let id = request_id(&request);
    let span = tracing::info_span!("http", method = %request.method(), path, request = id);
    let headers = headers(&shared, &request);
    centro_node::trace::follow(&span, &headers);
    let called = call(&shared, &request, headers, payload).instrument(span);
    let mut response = match called.await {
        Ok(answer) => respond(answer),
        Err(problem) => {
            if problem.status().is_server_error() {
                tracing::warn!(request = id, path, code = problem.code(), "request failed");
            }
            respond(problem.of_request(&id).answer())
        }
    };
    if let Ok(value) = header::HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(header::HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The request's headers, and where it comes from.
fn headers(shared: &Shared, request: &HttpRequest) -> http::HeaderMap {
    let headers = request.headers().iter().filter_map(|(name, value)| {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    let mut headers: http::HeaderMap = headers.collect();
    headers.remove(SOURCE);
    let source = shared.proxies.source(request);
    if let Some(source) = source.and_then(|ip| http::HeaderValue::try_from(ip.to_string()).ok()) {
        headers.insert(SOURCE, source);
    }
    headers
}

async fn call(
    shared: &Shared,
    request: &HttpRequest,
    headers: http::HeaderMap,
    payload: web::Payload,
) -> Result<Answer, Problem> {
    let verb = request.method().as_str().parse().map_err(|_| {
        Problem::new(
            http::StatusCode::NOT_IMPLEMENTED,
            "method_unknown",
            "this HTTP method is not known",
        )
    })?;
    let head = Head {
        verb,
        path: request.uri().path().to_owned(),
        query: request.query_string().to_owned(),
        headers,
    };
    let admitted = shared.rest.admit(&head).await?;
    let reading = payload.to_bytes_limited(shared.settings.max_body);
    let body = match tokio::time::timeout(shared.settings.body_timeout, reading).await {
        Ok(Ok(Ok(body))) => body,
        Err(_) => {
            return Err(Problem::new(
                http::StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "the body did not arrive in time",
            ));
        }
        Ok(Ok(Err(_))) => {
            return Err(Problem::new(
                http::StatusCode::BAD_REQUEST,
                "body_unreadable",
                "the body broke off",
            ));
        }
        Ok(Err(_)) => {
            let detail = format!("a body has at most {} bytes here", shared.settings.max_body);
            return Err(Problem::new(
                http::StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                detail,
            ));
        }
    };
    shared.rest.answer(admitted, &head, &body).await
}

/// The caller's own id of the request, if it is a plain one, else a new one.
fn request_id(request: &HttpRequest) -> String {
    let given = request
        .headers()
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    given
        .filter(plain)
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

fn respond(answer: Answer) -> HttpResponse {
    match answer {
        Answer::Whole {
            status,
            headers,
            body,
        } => build(status.as_u16(), &headers).body(body),
        Answer::Bytes { headers, chunks } => build(200, &headers)
            .insert_header(AS_IT_IS)
            .streaming(chunks),
        Answer::Messages {
            content_type,
            frames,
        } => {
            let alive: &'static [u8] = if content_type == "text/event-stream" {
                b": alive\n\n"
            } else {
                b"\n"
            };
            let kept = futures::stream::unfold(Some(frames), move |frames| async move {
                let mut frames = frames?;
                match tokio::time::timeout(KEEP_ALIVE, frames.next()).await {
                    Ok(Some(frame)) => Some((frame, Some(frames))),
                    Ok(None) => None,
                    Err(_) => Some((Bytes::from_static(alive), Some(frames))),
                }
            });
            HttpResponse::Ok()
                .content_type(content_type)
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header(("x-accel-buffering", "no"))
                .insert_header(AS_IT_IS)
                .streaming(kept.map(Ok::<_, Infallible>))
        }
    }
}

fn build(status: u16, headers: &http::HeaderMap) -> actix_web::HttpResponseBuilder {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in headers {
        response.insert_header((name.as_str(), value.as_bytes()));
    }
    response
}

/// Headers of every answer.
pub async fn secure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let origin = shared
        .and_then(|shared| origin::allowed(request.request(), &shared.settings.allowed_origins));
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|name| name == AS_IT_IS.1)
    {
        headers.remove(header::CONTENT_ENCODING);
    }
    origin::admit(headers, origin);
    let fixed = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), payment=(), usb=(), microphone=(self)",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(
            header::HeaderName::from_static(name),
            header::HeaderValue::from_static(value),
        );
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let nothing =
            header::HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    }
    Ok(response)
}
