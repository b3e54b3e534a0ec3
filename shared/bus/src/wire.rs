//! What an event looks like outside of the process.

use crate::Event;
use base64::{Engine, engine::general_purpose::STANDARD};
use centro_kernel::Timestamp;
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Turns events into bytes and back. Whoever builds the bus chooses it.
pub trait Wire: Send + Sync + 'static {
    /// The content type of what it writes, as a message's property.
    fn content_type(&self) -> &'static str;

    /// The whole event.
    fn write(&self, event: &Event) -> Vec<u8>;

    /// The event again, exactly as it was.
    ///
    /// # Errors
    /// It is not one of these, or lacks something.
    fn read(&self, bytes: &[u8]) -> Result<Event, Unreadable>;
}

/// Bytes that are no event, and what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event: {0}")]
pub struct Unreadable(pub String);

/// CloudEvents 1.0, structured JSON, with the payload as protobuf in `data_base64`.
///
/// `source` is `/centro/<service>`; `dataschema` names the payload's message; `sequence`, `tenantid` and `traceparent` are
/// extension attributes, absent where the event has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudEvents;

const SPECVERSION: &str = "1.0";
const PROTOBUF: &str = "application/protobuf";
/// Before the full name of the payload's message, so that it is a URI.
const SCHEMA: &str = "proto:";

#[derive(Serialize, Deserialize)]
struct Form<'a> {
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
    sequence: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenantid: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    #[serde(default)]
    data_base64: Cow<'a, str>,
}

impl Wire for CloudEvents {
    fn content_type(&self) -> &'static str {
        "application/cloudevents+json; charset=utf-8"
    }

    fn write(&self, event: &Event) -> Vec<u8> {
        let service = event.kind.split('.').next().unwrap_or_default();
        let form = Form {
            specversion: SPECVERSION.into(),
            id: event.id.to_string().into(),
            source: format!("/centro/{service}").into(),
            kind: event.kind.as_str().into(),
            subject: event.subject.as_str().into(),
            time: rfc3339(event.time).into(),
            datacontenttype: PROTOBUF.into(),
            dataschema: format!("{SCHEMA}{}", event.data_type).into(),
            sequence: (event.sequence > 0).then(|| event.sequence.to_string().into()),
            tenantid: event.tenant.map(|tenant| tenant.to_string().into()),
            traceparent: event.traceparent.as_deref().map(Into::into),
            data_base64: STANDARD.encode(&event.data).into(),
        };
        serde_json::to_vec(&form).unwrap_or_default() // strings alone: it cannot fail
    }

    fn read(&self, bytes: &[u8]) -> Result<Event, Unreadable> {
        let form: Form<'_> = serde_json::from_slice(bytes).map_err(unreadable)?;
        if form.specversion != SPECVERSION || form.datacontenttype != PROTOBUF {
            return Err(Unreadable(format!(
                "CloudEvents {} with {} data",
                form.specversion, form.datacontenttype
            )));
        }
        let Some(data_type) = form.dataschema.strip_prefix(SCHEMA) else {
            return Err(Unreadable(format!("the schema {}", form.dataschema)));
        };
        let time = DateTime::parse_from_rfc3339(&form.time).map_err(unreadable)?;
        let sequence = form.sequence.map(|number| number.parse()).transpose();
        let tenant = form.tenantid.map(|tenant| tenant.parse()).transpose();
        Ok(Event {
            id: form.id.parse().map_err(unreadable)?,
            tenant: tenant.map_err(unreadable)?,
            kind: form.kind.into_owned(),
            subject: form.subject.into_owned(),
            time: Timestamp::from_millis(time.timestamp_millis()),
            sequence: sequence.map_err(unreadable)?.unwrap_or(0),
            contact_sequence: 0,
            traceparent: form.traceparent.map(Cow::into_owned),
            data_type: data_type.to_owned(),
            data: STANDARD
                .decode(form.data_base64.as_bytes())
                .map_err(unreadable)?
                .into(),
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use centro_kernel::{EventId, TenantId};
    use serde_json::{Value, json};

    fn event() -> Event {
        Event {
            id: EventId::generate(),
            tenant: Some(TenantId::generate()),
            kind: "routing.contact.queued".into(),
            subject: "con_\"1\"".into(),
            time: Timestamp::from_millis(1_700_000_000_123),
            sequence: u64::MAX,
            contact_sequence: 0,
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            data_type: "centro.events.v1.ContactQueued".into(),
            data: vec![0, 255, 7].into(),
        }
    }

    #[test]
    fn an_event_is_a_cloud_event() {
        let event = event();
        let written: Value = serde_json::from_slice(&CloudEvents.write(&event)).unwrap();
        let expected = json!({
            "specversion": "1.0",
            "id": event.id.to_string(),
            "source": "/centro/routing",
            "type": "routing.contact.queued",
            "subject": "con_\"1\"",
            "time": "2023-11-14T22:13:20.123Z",
            "datacontenttype": "application/protobuf",
            "dataschema": "proto:centro.events.v1.ContactQueued",
            "sequence": "18446744073709551615",
            "tenantid": event.tenant.unwrap().to_string(),
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "data_base64": "AP8H",
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let bare = Event {
            tenant: None,
            sequence: 0,
            traceparent: None,
            data: vec![].into(),
            time: Timestamp::from_millis(-1),
            ..event()
        };
        for event in [event(), bare] {
            assert_eq!(CloudEvents.read(&CloudEvents.write(&event)), Ok(event));
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let good: Value = serde_json::from_slice(&CloudEvents.write(&event())).unwrap();
        for (key, bad) in [
            ("specversion", json!("0.3")),
            ("id", json!("con_1")),
            ("type", Value::Null),
            ("time", json!("yesterday")),
            ("datacontenttype", json!("application/json")),
            ("dataschema", json!("https://example.com")),
            ("sequence", json!("-1")),
            ("tenantid", json!("x")),
            ("data_base64", json!("*")),
        ] {
            let mut form = good.clone();
            form[key] = bad;
            let read = CloudEvents.read(form.to_string().as_bytes());
            assert!(read.is_err(), "{key}: {read:?}");
        }
        assert!(CloudEvents.read(b"\xff").is_err());
    }
}
