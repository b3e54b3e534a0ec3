//! Path, query, body and headers to the request message. Reports every mistake at once.

use super::{
    Head, decode,
    decode::Decoder,
    json, media_type,
    problem::{FieldError, Place, Problem},
    query,
};
use bytes::Bytes;
use centro_contract::{Api, Body, Route};
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use prost_reflect::{DynamicMessage, Value};
use std::time::Duration;

/// The request message of a route.
///
/// # Errors
/// 400 with every mistake, 415.
pub fn read(
    api: &Api,
    route: &Route,
    captured: &[String],
    head: &Head,
    body: &Bytes,
) -> Result<DynamicMessage, Problem> {
    let method = &route.method;
    let mut decoder = Decoder::new(&api.extensions, method.mask.is_some());
    let input = method.descriptor.input();
    let mut request = DynamicMessage::new(input.clone());
    match &route.body {
        Body::None if body.is_empty() => {}
        Body::None => {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "body_unexpected",
                "this operation takes no body",
            ));
        }
        Body::Message => {
            if let Some(json) = json_body(head, body)? {
                request = decoder.message(&input, &json, "").unwrap_or(request);
            }
        }
        Body::Field(field) => {
            let json = json_body(head, body)?.ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    "body_missing",
                    "this operation needs a JSON body",
                )
            })?;
            if let Some(value) = decoder.field(field, &json, "") {
                request.set_field(field, value);
            }
            if let (Some(mask), Some(resource)) = (&method.mask, field.kind().as_message()) {
                let mut paths = vec![];
                decode::mask(&api.extensions, resource, &json, "", &mut paths);
                let paths = paths.into_iter().map(Value::String).collect();
                if let Some(mask) = request.get_field_mut(mask).as_message_mut() {
                    mask.set_field_by_name("paths", Value::List(paths));
                }
            }
        }
    }
    query::apply(&mut decoder, &mut request, route, &head.query);
    for (capture, text) in route.template.captures.iter().zip(captured) {
        query::bind(
            &mut decoder,
            &mut request,
            &capture.path,
            text,
            Place::Parameter(capture.name()),
        );
    }
    if let Some(etag) = head.headers.get(header::IF_MATCH)
        && !set_etag(&mut request, route, etag)
    {
        let place = Place::Header("If-Match".into());
        decoder.fail(
            place,
            "precondition_unsupported",
            "this operation cannot be made conditional",
        );
    }
    decoder.finish()?;
    Ok(request)
}

/// How long the call may take: `Request-Timeout` in seconds, within the limits.
///
/// # Errors
/// 400 for a header that is no positive number.
pub fn deadline(
    headers: &HeaderMap,
    usual: Duration,
    longest: Duration,
) -> Result<Duration, Problem> {
    let Some(text) = headers.get("request-timeout") else {
        return Ok(usual);
    };
    text.to_str()
        .ok()
        .and_then(|text| text.trim().parse::<f64>().ok())
        .filter(|seconds| *seconds > 0.0 && seconds.is_finite())
        .map(|seconds| Duration::from_secs_f64(seconds.min(longest.as_secs_f64())))
        .ok_or_else(|| {
            let place = Place::Header("Request-Timeout".into());
            Problem::fields(vec![FieldError::new(
                place,
                "header_malformed",
                "expected seconds, more than 0",
            )])
        })
}

/// The `Idempotency-Key`, if there is one.
///
/// # Errors
/// 400 for one that is not 1 to 255 visible ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::trim);
    let good =
        |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    key.filter(good).map(Some).ok_or_else(|| {
        let place = Place::Header("Idempotency-Key".into());
        Problem::fields(vec![FieldError::new(
            place,
            "header_malformed",
            "expected 1 to 255 visible ASCII characters",
        )])
    })
}

fn json_body(head: &Head, body: &Bytes) -> Result<Option<serde_json::Value>, Problem> {
    if body.is_empty() {
        return Ok(None);
    }
    let kind = media_type(&head.headers, header::CONTENT_TYPE);
    if kind != "application/json"
        && !(head.verb == Verb::PATCH && kind == "application/merge-patch+json")
    {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(
            status,
            "media_type_unsupported",
            "send application/json",
        ));
    }
    json::parse(body).map(Some)
}

/// `If-Match` goes into `etag` of the resource in the body, or of the request. A tag that is none simply does not
/// match. `false` when there is nowhere to put it.
fn set_etag(request: &mut DynamicMessage, route: &Route, value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or("?").trim();
    if text == "*" {
        return true;
    }
    let text = text.strip_prefix("W/").unwrap_or(text);
    let etag = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let etag = if etag.is_empty() { "?" } else { etag };
    let target = match &route.body {
        Body::Field(field) => request.get_field_mut(field).as_message_mut(),
        _ => Some(request),
    };
    target.is_some_and(|target| {
        target
            .try_set_field_by_name("etag", Value::String(etag.to_owned()))
            .is_ok()
    })
}
