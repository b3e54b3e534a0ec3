//! The two forms on their exchanges.

use crate::json;
use centro_bus::{CloudEvents, Event, Unreadable, Wire};

/// What integrators read: `data` is JSON. Reads the internal form, too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Public;

/// What our own processes tell each other: the payload as protobuf. Reads the public form, too, so that a later version may
/// write that one while processes of this version still run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Internal;

impl Wire for Public {
    fn content_type(&self) -> &'static str {
        CloudEvents.content_type()
    }

    fn write(&self, event: &Event) -> Vec<u8> {
        json::structured(event)
    }

    fn read(&self, bytes: &[u8]) -> Result<Event, Unreadable> {
        json::read(bytes)
    }
}

impl Wire for Internal {
    fn content_type(&self) -> &'static str {
        CloudEvents.content_type()
    }

    fn write(&self, event: &Event) -> Vec<u8> {
        CloudEvents.write(event)
    }

    fn read(&self, bytes: &[u8]) -> Result<Event, Unreadable> {
        CloudEvents
            .read(bytes)
            .or_else(|refused| json::read(bytes).map_err(|_| refused))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
