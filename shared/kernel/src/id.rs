//! Typed identifiers. The text form is a three-letter prefix and a UUID v7 in hex, e.g. `que_0199…`, so that an id in a
//! log says what it names and sorts by the time it was made.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {expected}_0123456789abcdef0123456789abcdef")]
pub struct IdError {
    /// The prefix that was expected.
    pub expected: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later in order than all before it (to the millisecond).
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// An id with a given value, for tests and simulations.
            pub const fn from_u128(value: u128) -> Self {
                Self(Uuid::from_u128(value))
            }

            /// The value behind the id, e.g. to hash or shard by.
            pub const fn as_u128(&self) -> u128 {
                self.0.as_u128()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // In one piece: every event and every answer on the wire carries several ids as texts.
                let mut text = [0; $prefix.len() + 1 + 32];
                let (prefix, hex) = text.split_at_mut($prefix.len() + 1);
                prefix.copy_from_slice(concat!($prefix, "_").as_bytes());
                self.0.simple().encode_lower(hex);
                f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = IdError { expected: $prefix };
                let hex = text
                    .strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32 && !hex.bytes().any(|b| b.is_ascii_uppercase()))
                    .ok_or(wrong.clone())?;
                Uuid::try_parse(hex).map(Self).map_err(|_| wrong)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// One customer organisation. Every row and every message names one.
    TenantId = "ten";
    /// A person. An agent is a person, so agents are named by it too.
    UserId = "usr";
    /// A call queue.
    QueueId = "que";
    /// One customer communication, from arrival to end.
    ContactId = "con";
    /// One SIP call as the edge sees it.
    CallId = "cal";
    /// A phone that registers.
    DeviceId = "dev";
    /// A line to a carrier.
    TrunkId = "trk";
    /// A number callers dial.
    NumberId = "num";
    /// A dial plan.
    DialPlanId = "dpl";
    /// A skill of agents.
    SkillId = "ski";
    /// A recording.
    RecordingId = "rec";
    /// A key for a program.
    ApiKeyId = "key";
    /// One event on the bus.
    EventId = "evt";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = QueueId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let text = QueueId::from_u128(7).to_string();
        assert_eq!(text, "que_00000000000000000000000000000007");
        assert_eq!(text.parse::<UserId>(), Err(IdError { expected: "usr" }));
        assert!("que_7".parse::<QueueId>().is_err());
        assert!(
            "que_0000000000000000000000000000000A"
                .parse::<QueueId>()
                .is_err()
        );
    }
}
