//! CloudEvents 1.0, structured JSON, with ProtoJSON in `data`.
//!
//! | attribute | what it is |
//! |---|---|
//! | `source` | `/centro/<service>` |
//! | `dataschema` | the `$id` of the JSON Schema of `data` |
//! | `tenantid` | whose event it is |
//! | `tenantsequence` | its number among all events that the tenant's integrations are told, from 1, without a gap |
//! | `sequence` | the same among those whose `subject` is its contact; absent for others |
//! | `contactid`, `queueid`, `agentid` | whom it concerns, where `data` says it |
//! | `traceparent` | W3C trace context of what caused it |
//!
//! Numbers are 20 digits, so that they sort as texts, as the extension `sequence` asks for.

use crate::payload::{self, payload};
use base64::{Engine, engine::general_purpose::STANDARD};
use centro_bus::{Event, Unreadable};
use centro_kernel::Timestamp;
use chrono::{DateTime, SecondsFormat};
use prost::Message;
use prost_reflect::{DeserializeOptions, DynamicMessage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

const SPECVERSION: &str = "1.0";
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/protobuf";
/// Before the full name of the payload's message, so that it is a URI: of a JSON Schema, and of the message itself.
const SCHEMA: &str = "urn:centro:schema:";
const PROTO: &str = "proto:";

/// The `$id` of the JSON Schema of a message's data.
pub fn schema_uri(message: &str) -> String {
    format!("{SCHEMA}{message}")
}

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    specversion: Cow<'a, str>,
    id: Cow<'a, str>,
    source: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    subject: Cow<'a, str>,
    time: Cow<'a, str>,
    datacontenttype: Cow<'a, str>,
    dataschema: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenantid: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenantsequence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contactid: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    queueid: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agentid: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_base64: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Form<'a> {
    #[serde(flatten, borrow)]
    head: Head<'a>,
    #[serde(default)]
    data: Value,
}

/// The event as JSON. What this build cannot read, because a newer process sent it, keeps its payload as protobuf in
/// `data_base64`, and `datacontenttype` says so.
pub fn structured(event: &Event) -> Vec<u8> {
    let payload = payload(event);
    let id_of = |name| {
        let value = payload.as_ref()?.get_field_by_name(name)?;
        let text = value.as_str().filter(|text| !text.is_empty())?;
        Some(Cow::Owned(text.to_owned()))
    };
    let service = event.kind.split('.').next().unwrap_or_default();
    let number = |number: u64| (number > 0).then(|| format!("{number:020}"));
    let mut head = Head {
        specversion: SPECVERSION.into(),
        id: event.id.to_string().into(),
        source: format!("/centro/{service}").into(),
        kind: event.kind.as_str().into(),
        subject: event.subject.as_str().into(),
        time: rfc3339(event.time).into(),
        datacontenttype: JSON.into(),
        dataschema: schema_uri(&event.data_type).into(),
        tenantid: event.tenant.map(|tenant| tenant.to_string().into()),
        tenantsequence: number(event.sequence),
        sequence: number(event.contact_sequence),
        contactid: id_of("contact_id"),
        queueid: id_of("queue_id"),
        agentid: id_of("agent_id"),
        traceparent: event.traceparent.as_deref().map(Into::into),
        data_base64: None,
    };
    if let Some(whole) = payload.as_ref().and_then(|payload| joined(&head, payload)) {
        return whole;
    }
    head.datacontenttype = PROTOBUF.into();
    head.dataschema = format!("{PROTO}{}", event.data_type).into();
    head.data_base64 = Some(STANDARD.encode(&event.data).into());
    serde_json::to_vec(&head).unwrap_or_default() // strings alone: it cannot fail
}

/// Head and data as one object, each written once.
fn joined(head: &Head<'_>, payload: &DynamicMessage) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut out, head).ok()?;
    out.pop(); // the brace; a head is never empty
    out.extend_from_slice(b",\"data\":");
    let mut out = payload::write(payload, out).ok()?;
    out.push(b'}');
    Some(out)
}

/// The event again. Fields that this build does not know are left out.
///
/// # Errors
/// It is not one of these, or this build does not know its payload.
pub(crate) fn read(bytes: &[u8]) -> Result<Event, Unreadable> {
    let Form { head, data } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if head.specversion != SPECVERSION {
        return Err(Unreadable(format!("CloudEvents {}", head.specversion)));
    }
    let (data_type, data) = match &*head.datacontenttype {
        JSON => decoded(&head.dataschema, data)?,
        PROTOBUF => encoded(&head)?,
        other => return Err(Unreadable(format!("{other} data"))),
    };
    let time = DateTime::parse_from_rfc3339(&head.time).map_err(unreadable)?;
    let number = |text: Option<String>| text.map_or(Ok(0), |text| text.parse());
    let tenant = head.tenantid.map(|tenant| tenant.parse()).transpose();
    Ok(Event {
        id: head.id.parse().map_err(unreadable)?,
        tenant: tenant.map_err(unreadable)?,
        kind: head.kind.into_owned(),
        subject: head.subject.into_owned(),
        time: Timestamp::from_millis(time.timestamp_millis()),
        sequence: number(head.tenantsequence).map_err(unreadable)?,
        contact_sequence: number(head.sequence).map_err(unreadable)?,
        traceparent: head.traceparent.map(Cow::into_owned),
        data_type,
        data: data.into(),
    })
}

fn decoded(schema: &str, data: Value) -> Result<(String, Vec<u8>), Unreadable> {
    let name = schema
        .strip_prefix(SCHEMA)
        .ok_or_else(|| Unreadable(format!("the schema {schema}")))?;
    let message = centro_proto::POOL
        .get_message_by_name(name)
        .ok_or_else(|| Unreadable(format!("data of {name}, which this version does not know")))?;
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let message =
        DynamicMessage::deserialize_with_options(message, data, &options).map_err(unreadable)?;
    Ok((name.to_owned(), message.encode_to_vec()))
}

fn encoded(head: &Head<'_>) -> Result<(String, Vec<u8>), Unreadable> {
    let schema = &head.dataschema;
    let name = schema
        .strip_prefix(PROTO)
        .ok_or_else(|| Unreadable(format!("the schema {schema}")))?;
    let data = head.data_base64.as_deref().unwrap_or_default();
    let data = STANDARD.decode(data.as_bytes()).map_err(unreadable)?;
    Ok((name.to_owned(), data))
}

/// RFC 3339 with milliseconds, in UTC; the epoch for years beyond chrono's 262,142, which no clock says.
fn rfc3339(time: Timestamp) -> String {
    DateTime::from_timestamp_millis(time.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn unreadable(reason: impl ToString) -> Unreadable {
    Unreadable(reason.to_string())
}
