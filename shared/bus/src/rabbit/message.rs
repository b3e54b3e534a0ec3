//! An event as a message of AMQP.

use crate::{Event, Wire, trace};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use std::sync::Arc;

const PERSISTENT: u8 = 2;

/// What goes to the broker.
pub(super) struct Message {
    /// Another exchange than that of all events.
    pub(super) exchange: Option<ShortString>,
    pub(super) key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// `None` when the event's kind is too long for the broker.
    pub(super) fn new(wire: &Arc<dyn Wire>, event: &Event) -> Option<Self> {
        let mut headers = FieldTable::default();
        if let Some(traceparent) = &event.traceparent {
            let value = AMQPValue::LongString(traceparent.as_str().into());
            headers.insert(trace::TRACEPARENT.into(), value);
        }
        let seconds = u64::try_from(event.time.as_millis() / 1_000).unwrap_or(0);
        Some(Self {
            exchange: None,
            key: ShortString::try_new(event.routing_key()).ok()?,
            properties: BasicProperties::default()
                .with_delivery_mode(PERSISTENT)
                .with_content_type(wire.content_type().into())
                .with_message_id(event.id.to_string().into())
                .with_type(ShortString::try_new(event.kind.as_str()).ok()?)
                .with_timestamp(seconds)
                .with_headers(headers),
            body: wire.write(event),
        })
    }

    /// The same, to one queue that is bound to an exchange by its name.
    pub(super) fn addressed(self, exchange: ShortString, queue: &str) -> Self {
        Self {
            exchange: Some(exchange),
            key: queue.into(),
            ..self
        }
    }
}
