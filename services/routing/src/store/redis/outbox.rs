//! Events as they wait in a shard's stream: what they are about as JSON, and the payload as it is.

use ::redis::{FromRedisValue, ParsingError, Value};
use centro_bus::Event;
use centro_kernel::{EventId, TenantId, Timestamp};
use prost::bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct About<'a> {
    id: EventId,
    tenant: Option<TenantId>,
    kind: std::borrow::Cow<'a, str>,
    subject: std::borrow::Cow<'a, str>,
    time: Timestamp,
    traceparent: Option<std::borrow::Cow<'a, str>>,
    data_type: std::borrow::Cow<'a, str>,
}

/// What is written of an event beside its payload.
pub fn about(event: &Event) -> serde_json::Result<String> {
    serde_json::to_string(&About {
        id: event.id,
        tenant: event.tenant,
        kind: event.kind.as_str().into(),
        subject: event.subject.as_str().into(),
        time: event.time,
        traceparent: event.traceparent.as_deref().map(Into::into),
        data_type: event.data_type.as_str().into(),
    })
}

/// An event that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Its place in the stream.
    pub id: String,
    /// The event; none when it cannot be read.
    pub event: Option<Event>,
}

impl FromRedisValue for Waiting {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (id, fields): (String, Vec<(String, Vec<u8>)>) = ::redis::from_redis_value(value)?;
        let field = |name: &str| {
            fields
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
        };
        let event = field("about").zip(field("data"));
        let event = event.and_then(|(about, data)| read(&about, data.into(), number(&id)));
        Ok(Self { id, event })
    }
}

fn read(about: &[u8], data: Bytes, sequence: u64) -> Option<Event> {
    let about: About<'_> = serde_json::from_slice(about).ok()?;
    Some(Event {
        id: about.id,
        tenant: about.tenant,
        kind: about.kind.into_owned(),
        subject: about.subject.into_owned(),
        time: about.time,
        sequence,
        contact_sequence: 0,
        traceparent: about.traceparent.map(std::borrow::Cow::into_owned),
        data_type: about.data_type.into_owned(),
        data,
    })
}

/// The number of a place in the stream, `milliseconds-count`. It grows along the stream, and with Redis's clock from one
/// stream to another.
fn number(id: &str) -> u64 {
    let (millis, count) = id.split_once('-').unwrap_or((id, "0"));
    let part = |text: &str| text.parse::<u64>().unwrap_or_default();
    (part(millis) << 20) | part(count).min((1 << 20) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_along_a_stream() {
        let ids = ["1790000000000-0", "1790000000000-1", "1790000000001-0"];
        assert!(ids.map(number).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let event = Event {
            id: EventId::from_u128(1),
            tenant: Some(TenantId::from_u128(2)),
            kind: "routing.contact.left".into(),
            subject: "\"quoted\"".into(),
            time: Timestamp::from_millis(3),
            sequence: 7,
            contact_sequence: 0,
            traceparent: Some("00-1-2-01".into()),
            data_type: "centro.events.v1.ContactLeft".into(),
            data: Bytes::from_static(&[0, 255, 13, 10]),
        };
        let about = about(&event).unwrap();
        assert_eq!(read(about.as_bytes(), event.data.clone(), 7), Some(event));
    }
}
