//! Words of the routing protocol that queues, agents and edges share.

use crate::UserId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One reservation of one agent. Numbers are given out by the agent's own record, only grow, and never mean two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reservation {
    /// Whose reservation.
    pub agent: UserId,
    /// Grows with each reservation of this agent.
    pub number: u64,
}

impl fmt::Display for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.agent, self.number)
    }
}

/// Why an offer of a contact to an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OfferEnd {
    /// The agent answered, was connected, and the conversation ended.
    Answered,
    /// The offer was refused before the device rang: no penalty.
    NeverRang,
    /// The device rang and nobody answered in time: a missed offer.
    NoAnswer,
    /// The agent declined.
    Rejected,
    /// The customer left while the device rang.
    CallerGone,
    /// A time-out, `*` or a move cut the ring: no penalty.
    Cut,
    /// Another agent or device took the contact.
    Elsewhere,
    /// The agent paused or logged out while it rang.
    Revoked,
    /// The device answered, but the edge gave the agent up before the bridge: no wrap-up.
    CommitFailed,
    /// The device could not be reached.
    DeviceFailed,
    /// The device was busy with another call (SIP 486, 600): no miss, but not asked again for the queue's busy delay.
    Busy,
}

/// Why a contact left a queue (spec G12, D31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LeftReason {
    /// Connected with an agent.
    Answered,
    /// The customer hung up.
    Abandoned,
    /// The customer pressed `*`.
    DtmfExit,
    /// The Queue node's time-out passed.
    Timeout,
    /// The queue had no agents left.
    LeftEmpty,
    /// The queue had no agents on entry.
    JoinedEmpty,
    /// The queue was full on entry.
    QueueFull,
    /// A supervisor moved it.
    TransferredByUser,
    /// The customer asked for a callback.
    CallbackRequested,
    /// A supervisor cancelled the callback.
    CallbackCancelledByUser,
    /// The callback was not made in time.
    CallbackExpired,
    /// No agent has the needed skills.
    NoSkillMatch,
    /// The queue was closed or deleted.
    QueueClosed,
    /// The process that held the contact died.
    SystemFailure,
}

/// How a contact's stay ended, as the customer experienced it (spec G11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// Connected with an agent.
    Handled,
    /// Left before that.
    Abandoned,
    /// A callback was requested and not returned yet. Not an abandon.
    Pending,
    /// Left by own action.
    EvictedCustomer,
    /// Removed by a rule.
    EvictedSystem,
    /// Removed by a person.
    EvictedUser,
}

impl LeftReason {
    /// The outcome that goes with the reason.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Answered => Outcome::Handled,
            Self::Abandoned => Outcome::Abandoned,
            Self::DtmfExit => Outcome::EvictedCustomer,
            Self::CallbackRequested => Outcome::Pending,
            Self::TransferredByUser | Self::CallbackCancelledByUser => Outcome::EvictedUser,
            Self::Timeout
            | Self::LeftEmpty
            | Self::JoinedEmpty
            | Self::QueueFull
            | Self::CallbackExpired
            | Self::NoSkillMatch
            | Self::QueueClosed
            | Self::SystemFailure => Outcome::EvictedSystem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_for_a_callback_has_not_abandoned_and_a_cancelled_one_was_taken_away_by_a_person() {
        assert_eq!(LeftReason::CallbackRequested.outcome(), Outcome::Pending);
        assert_eq!(
            LeftReason::CallbackCancelledByUser.outcome(),
            Outcome::EvictedUser
        );
        for rule in [LeftReason::CallbackExpired, LeftReason::NoSkillMatch] {
            assert_eq!(rule.outcome(), Outcome::EvictedSystem);
        }
    }
}
