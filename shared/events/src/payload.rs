//! The payload of an event, by reflection.

use centro_bus::Event;
use prost_reflect::{DynamicMessage, SerializeOptions};

/// The payload; `None` when this build does not know it.
pub fn payload(event: &Event) -> Option<DynamicMessage> {
    let descriptor = centro_proto::POOL.get_message_by_name(&event.data_type)?;
    DynamicMessage::decode(descriptor, event.data.clone()).ok()
}

/// ProtoJSON with every field that has no presence, as the API answers.
pub(crate) fn write(message: &DynamicMessage, out: Vec<u8>) -> serde_json::Result<Vec<u8>> {
    let mut out = serde_json::Serializer::new(out);
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(&mut out, &options)?;
    Ok(out.into_inner())
}
