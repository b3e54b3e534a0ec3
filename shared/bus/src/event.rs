//! The envelope: CloudEvents 1.0 attributes beside a message of `centro.events.v1`.

use crate::trace;
use bytes::Bytes;
use centro_kernel::{EventId, TenantId, Timestamp};
use prost::{Message, Name};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique; consumers know repeats by it (CloudEvents `id`).
    pub id: EventId,
    /// Whose event it is. `None` for what belongs to no tenant, e.g. a call to an unknown number.
    pub tenant: Option<TenantId>,
    /// `<service>.<subject>.<event>`, e.g. `routing.contact.queued` (CloudEvents `type`).
    pub kind: String,
    /// Id of the thing it is about (CloudEvents `subject`). Events of one subject keep their order.
    pub subject: String,
    /// When it happened (CloudEvents `time`).
    pub time: Timestamp,
    /// Grows with each event of one publisher, so that a gap can be seen; 0 until the publisher's outbox numbers it.
    pub sequence: u64,
    /// Its number among the events of its contact, without a gap; 0 where nobody numbered it or its subject is no contact.
    pub contact_sequence: u64,
    /// W3C trace context of what caused it.
    pub traceparent: Option<String>,
    /// Full name of the payload's message, e.g. `centro.events.v1.ContactQueued`.
    pub data_type: String,
    /// The encoded payload.
    pub data: Bytes,
}

impl Event {
    /// An event with a new id, caused by what the current span does.
    pub fn new<M: Message + Name>(
        tenant: Option<TenantId>,
        kind: &str,
        subject: impl ToString,
        time: Timestamp,
        data: &M,
    ) -> Self {
        Self {
            id: EventId::generate(),
            tenant,
            kind: kind.to_owned(),
            subject: subject.to_string(),
            time,
            sequence: 0,
            contact_sequence: 0,
            traceparent: trace::current(),
            data_type: M::full_name(),
            data: data.encode_to_vec().into(),
        }
    }

    /// `<tenant>.<service>.<subject>.<event>`; the tenant is `-` where there is none.
    pub fn routing_key(&self) -> String {
        match self.tenant {
            Some(tenant) => format!("{tenant}.{}", self.kind),
            None => format!("-.{}", self.kind),
        }
    }

    /// The payload, when it is an `M` and well formed.
    pub fn decode<M: Message + Name + Default>(&self) -> Option<M> {
        (self.data_type == M::full_name())
            .then(|| M::decode(self.data.clone()).ok())
            .flatten()
    }
}
