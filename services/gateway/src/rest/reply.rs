//! From a service's reply to HTTP: JSON, raw bytes (`google.api.HttpBody`), or a stream of messages.

use super::{Answer, Head, Problem, refusal};
use bytes::Bytes;
use centro_contract::Route;
use centro_proto::google::api::HttpBody;
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use std::{io, sync::Arc};
use tonic::Status;

const RAW: &str = "google.api.HttpBody";

/// The answer to a unary call.
///
/// # Errors
/// 502 when the reply is not the RPC's message.
pub fn whole(route: &Route, head: &Head, reply: Bytes) -> Result<Answer, Problem> {
    let output = route.method.descriptor.output();
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if output.full_name() == "google.protobuf.Empty" {
        return Ok(Answer::Whole {
            status: StatusCode::NO_CONTENT,
            headers,
            body: Bytes::new(),
        });
    }
    if output.full_name() == RAW {
        let body = HttpBody::decode(reply).map_err(|_| Problem::malformed_reply())?;
        raw_headers(&mut headers, &body.content_type);
        return Ok(Answer::Whole {
            status: StatusCode::OK,
            headers,
            body: body.data,
        });
    }
    let message = DynamicMessage::decode(output, reply).map_err(|_| Problem::malformed_reply())?;
    let text = |name: &str| {
        let value = message.get_field_by_name(name)?;
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    if let Some(etag) = text("etag") {
        let etag = format!("\"{}\"", etag.trim_matches('"'));
        let tags = head
            .headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let same = |tag: &str| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == etag;
        let unchanged = head.verb == Verb::GET && tags.flat_map(|value| value.split(',')).any(same);
        if let Ok(value) = HeaderValue::from_str(&etag) {
            headers.insert(header::ETAG, value);
        }
        if unchanged {
            return Ok(Answer::Whole {
                status: StatusCode::NOT_MODIFIED,
                headers,
                body: Bytes::new(),
            });
        }
    }
    let mut status = StatusCode::OK;
    if route.method.creates && route.verb == Verb::POST {
        status = StatusCode::CREATED;
        let place = text("id").map(|id| format!("{}/{id}", head.path.trim_end_matches('/')));
        if let Some(place) = place.and_then(|place| HeaderValue::from_str(&place).ok()) {
            headers.insert(header::LOCATION, place);
        }
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let body = proto_json(&message).map_err(|_| Problem::malformed_reply())?;
    Ok(Answer::Whole {
        status,
        headers,
        body: body.into(),
    })
}

/// The answer to a server-streaming call.
///
/// # Errors
/// What the service says before its first message.
pub async fn stream(
    route: &Arc<Route>,
    headers: &HeaderMap,
    replies: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin + 'static,
) -> Result<Answer, Problem> {
    if route.method.descriptor.output().full_name() == RAW {
        return raw(route, replies).await;
    }
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let events = accept.contains("text/event-stream");
    let (output, route) = (route.method.descriptor.output(), route.clone());
    let frames = replies.map(move |reply| {
        let item = reply
            .map_err(|status| refusal::problem(&status, &route))
            .and_then(|bytes| {
                let message = DynamicMessage::decode(output.clone(), bytes).ok();
                message
                    .and_then(|message| proto_json(&message).ok())
                    .ok_or_else(Problem::malformed_reply)
            });
        match (item, events) {
            (Ok(json), true) => Bytes::from([b"data: ", &json[..], b"\n\n"].concat()),
            (Ok(json), false) => Bytes::from([&json[..], b"\n"].concat()),
            (Err(problem), true) => {
                Bytes::from(format!("event: error\ndata: {}\n\n", problem.json()))
            }
            (Err(problem), false) => Bytes::from(format!("{{\"error\":{}}}\n", problem.json())),
        }
    });
    let content_type = if events {
        "text/event-stream"
    } else {
        "application/x-ndjson"
    };
    Ok(Answer::Messages {
        content_type,
        frames: Box::pin(frames),
    })
}

/// The first message says what it is; the rest are bytes only.
async fn raw(
    route: &Route,
    mut replies: impl Stream<Item = Result<Bytes, Status>> + Send + Unpin + 'static,
) -> Result<Answer, Problem> {
    let first = match replies.next().await {
        Some(Ok(bytes)) => HttpBody::decode(bytes).map_err(|_| Problem::malformed_reply())?,
        Some(Err(status)) => return Err(refusal::problem(&status, route)),
        None => HttpBody::default(),
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    raw_headers(&mut headers, &first.content_type);
    let rest = replies.map(|reply| {
        let bytes = reply.map_err(|status| io::Error::other(status.message().to_owned()))?;
        HttpBody::decode(bytes)
            .map(|body| body.data)
            .map_err(io::Error::other)
    });
    let chunks = stream::iter([Ok(first.data)]).chain(rest);
    Ok(Answer::Bytes {
        headers,
        chunks: Box::pin(chunks),
    })
}

fn raw_headers(headers: &mut HeaderMap, content_type: &str) {
    let kind = HeaderValue::from_str(content_type)
        .ok()
        .filter(|kind| !kind.is_empty());
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("inline"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
}

/// ProtoJSON; scalars without presence are always written, so that a typed client may rely on them.
///
/// # Errors
/// When the message cannot be JSON, e.g. a timestamp out of range.
pub fn proto_json(message: &DynamicMessage) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = serde_json::Serializer::new(Vec::with_capacity(512));
    message.serialize_with_options(
        &mut out,
        &SerializeOptions::new().skip_default_fields(false),
    )?;
    Ok(out.into_inner())
}
