//! Which events there are, read from the option `centro.event` of their messages.

use prost_reflect::{DynamicMessage, MessageDescriptor, Value};
use std::{collections::BTreeMap, sync::LazyLock};

/// Where messages of events are.
const PACKAGE: &str = "centro.events.v1";
const OPTION: &str = "centro.event";

/// A type of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// CloudEvents `type`, e.g. `routing.contact.queued`.
    pub name: String,
    /// The message of its data.
    pub message: MessageDescriptor,
    /// For the processes of the installation alone.
    pub internal: bool,
}

/// All types of events, by name.
pub fn catalogue() -> &'static BTreeMap<String, Kind> {
    static ALL: LazyLock<BTreeMap<String, Kind>> = LazyLock::new(read);
    &ALL
}

/// Whether integrators may be told of events of this type. One that this build does not know is public: a newer process
/// sends it during an update, and nothing must be missing then.
pub fn is_public(kind: &str) -> bool {
    catalogue().get(kind).is_none_or(|kind| !kind.internal)
}

fn read() -> BTreeMap<String, Kind> {
    let pool = &*centro_proto::POOL;
    let Some(option) = pool.get_extension_by_name(OPTION) else {
        return BTreeMap::new();
    };
    let mut all = BTreeMap::new();
    let messages = pool.all_messages().filter(|m| m.package_name() == PACKAGE);
    for message in messages {
        let options = message.options();
        if !options.has_extension(&option) {
            continue;
        }
        if let Value::Message(event) = &*options.get_extension(&option) {
            let internal = field(event, "internal").and_then(|value| value.as_bool());
            let types = field(event, "types").and_then(|value| value.as_list().map(<[_]>::to_vec));
            for name in types.unwrap_or_default() {
                let name = name.as_str().unwrap_or_default().to_owned();
                let kind = Kind {
                    name: name.clone(),
                    message: message.clone(),
                    internal: internal.unwrap_or(false),
                };
                all.insert(name, kind);
            }
        }
    }
    all
}

fn field(message: &DynamicMessage, name: &str) -> Option<Value> {
    message
        .get_field_by_name(name)
        .map(|value| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_an_event_says_which_and_none_says_it_twice() {
        let pool = &*centro_proto::POOL;
        let top = pool
            .all_messages()
            .filter(|m| m.package_name() == PACKAGE && m.parent_message().is_none());
        for message in top {
            let named = catalogue().values().any(|kind| kind.message == message);
            assert!(named, "{} has no event", message.full_name());
        }
        for kind in catalogue().values() {
            let words: Vec<_> = kind.name.split('.').collect();
            assert_eq!(words.len(), 3, "{}: <service>.<subject>.<event>", kind.name);
        }
        assert_eq!(catalogue().len(), 27);
    }

    #[test]
    fn only_what_is_marked_is_kept_from_integrators() {
        assert!(!is_public("identity.access.revoked"));
        assert!(is_public("routing.contact.queued"));
        assert!(is_public("dialer.lead.called"), "of a newer process");
    }
}
