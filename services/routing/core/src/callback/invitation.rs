//! The invitation of one stay: played once, then open until the contact leaves (spec S26, S27, D20).

use centro_kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// Part of the stay: whoever holds the contact keeps it over a ring in vain, a reload and a change of owner. So it is
/// played once, whoever owns the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitation {
    /// Nothing was offered.
    #[default]
    None,
    /// The prompt was played, or still is.
    Offered {
        /// When it began.
        at: Timestamp,
    },
    /// The caller pressed `#`.
    Accepted {
        /// When the prompt began.
        offered_at: Timestamp,
        /// When the key was pressed.
        at: Timestamp,
    },
}

/// What pressing `#` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressed {
    /// Nothing was offered yet.
    Nothing,
    /// The call back is accepted.
    Accepted,
    /// It was accepted before.
    Again,
}

impl Invitation {
    /// The prompt begins. True the first time only: then it is played.
    pub fn offer(&mut self, now: Timestamp) -> bool {
        let first = *self == Self::None;
        if first {
            *self = Self::Offered { at: now };
        }
        first
    }

    /// Whether the prompt was played in this stay.
    pub fn is_offered(&self) -> bool {
        *self != Self::None
    }

    /// The caller presses `#`: accepted from the beginning of the prompt on, at any time.
    pub fn press_hash(&mut self, now: Timestamp) -> Pressed {
        match *self {
            Self::None => Pressed::Nothing,
            Self::Offered { at: offered_at } => {
                *self = Self::Accepted {
                    offered_at,
                    at: now,
                };
                Pressed::Accepted
            }
            Self::Accepted { .. } => Pressed::Again,
        }
    }
}
