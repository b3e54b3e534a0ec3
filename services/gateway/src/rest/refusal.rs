//! From a gRPC status with `google.rpc` details to a problem.

use super::problem::{FieldError, Place, Problem};
use centro_contract::{Body, Route, pointer};
use http::{HeaderValue, StatusCode, header};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// What the caller of a route gets for a status. Nothing of a fault inside leaks out.
pub fn problem(status: &Status, route: &Route) -> Problem {
    let details = status.get_error_details();
    let info = details.error_info();
    let code = info.map_or_else(
        || default_code(status.code()).to_owned(),
        |info| info.reason.clone(),
    );
    let http = http_status(status.code(), &code);
    let inside = matches!(
        status.code(),
        Code::Internal | Code::Unknown | Code::DataLoss
    ) && info.is_none();
    let errors = details.bad_request().map(|bad| {
        let violations = bad.field_violations.iter();
        violations
            .map(|violation| {
                let own = if violation.reason.is_empty() {
                    &code
                } else {
                    &violation.reason
                };
                FieldError::new(place(route, &violation.field), own, &violation.description)
            })
            .collect()
    });
    let detail = if inside {
        "something failed on our side; the log has the details"
    } else {
        status.message()
    };
    let mut problem = Problem::new(http, code, detail).with_errors(errors.unwrap_or_default());
    if let Some(info) = info {
        let facts = info
            .metadata
            .iter()
            .filter(|(key, value)| !key.is_empty() && !value.is_empty());
        problem = problem.with_meta(facts.map(|(key, value)| (key.clone(), value.clone())));
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        problem = problem.with_header(
            header::RETRY_AFTER,
            HeaderValue::from(delay.as_secs().max(1)),
        );
    }
    if http == StatusCode::UNAUTHORIZED {
        problem = problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    problem
}

fn http_status(code: Code, reason: &str) -> StatusCode {
    match (code, reason) {
        (_, "etag_mismatch") => StatusCode::PRECONDITION_FAILED,
        (Code::InvalidArgument | Code::OutOfRange, _) => StatusCode::BAD_REQUEST,
        (Code::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Code::PermissionDenied, _) => StatusCode::FORBIDDEN,
        (Code::NotFound, _) => StatusCode::NOT_FOUND,
        (Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted, _) => StatusCode::CONFLICT,
        (Code::ResourceExhausted, _) => StatusCode::TOO_MANY_REQUESTS,
        (Code::Unimplemented, _) => StatusCode::NOT_IMPLEMENTED,
        (Code::Unavailable | Code::Cancelled, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Code::DeadlineExceeded, _) => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn default_code(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument | Code::OutOfRange => "invalid_argument",
        Code::FailedPrecondition | Code::Aborted => "conflict",
        Code::Unauthenticated => "unauthenticated",
        Code::PermissionDenied => "forbidden",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::ResourceExhausted => "busy",
        Code::Unimplemented => "unimplemented",
        Code::Unavailable | Code::Cancelled => "unavailable",
        Code::DeadlineExceeded => "deadline_exceeded",
        _ => "internal",
    }
}

/// Services name fields by a JSON pointer into the resource, the guard by the proto path from the request down
/// (`call_queue.tags[2]`). The caller sees a pointer into the body, or the parameter it came from.
fn place(route: &Route, field: &str) -> Place {
    if field.starts_with('/') {
        return match &route.body {
            Body::None => Place::Parameter(field.trim_start_matches('/').replace('/', ".")),
            _ => Place::Pointer(field.to_owned()),
        };
    }
    let full = |path: &[prost_reflect::FieldDescriptor]| {
        path.iter().map(|f| f.name()).collect::<Vec<_>>().join(".")
    };
    if let Some(capture) = route
        .template
        .captures
        .iter()
        .find(|capture| full(&capture.path) == field)
    {
        return Place::Parameter(capture.name());
    }
    let parts = pointer::parts(&route.method.descriptor.input(), field);
    let joined = |parts: &[String]| parts.iter().map(|part| format!("/{part}")).collect();
    match &route.body {
        Body::Message => Place::Pointer(joined(&parts)),
        Body::Field(body) if parts.first().map(String::as_str) == Some(body.json_name()) => {
            Place::Pointer(joined(&parts[1..]))
        }
        _ => Place::Parameter(parts.join(".")),
    }
}
