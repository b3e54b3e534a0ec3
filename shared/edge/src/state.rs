//! What an edge is made of: its deadlines, its phase, how far its offers got.

use centro_kernel::{
    QueueId, Timestamp, UserId,
    contact::{LeftReason, Reservation},
};
use std::{collections::BTreeSet, time::Duration};

/// The edge's own deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// How long `Connect` may stay unanswered before the edge gives the agent up.
    pub commit: Duration,
    /// How often unanswered requests are repeated.
    pub retry: Duration,
    /// How long an agent who rejected the contact is not asked for it again.
    pub reject_delay: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            commit: Duration::from_secs(5),
            retry: Duration::from_millis(500),
            reject_delay: Duration::from_secs(10),
        }
    }
}

/// Where the contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// In no queue yet.
    New,
    /// In a queue, or about to be.
    Waiting,
    /// With an agent.
    Connected(Reservation),
    /// In no queue any more.
    Gone(LeftReason),
}

/// Whom a contact concerns at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bonds {
    /// Reservations in use, or whose end is not acknowledged.
    pub reservations: BTreeSet<Reservation>,
    /// Queues that know of the contact.
    pub queues: BTreeSet<QueueId>,
}

impl Bonds {
    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.reservations.is_empty() && self.queues.is_empty()
    }
}

/// How far an offer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// `Alert` sent; nothing rings.
    Asking,
    /// The device rings.
    Ringing,
    /// The device answered; the agent hears what there is to know before the customer is connected (spec G15, D4).
    Briefing,
    /// The device answered, `Connect` sent; nothing is bridged.
    Committing,
    /// Given up after `Connect` was sent: only the agent's record knows what happened. No other offer until it says.
    Settling,
}

/// An offer and its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LegState {
    /// How far it got.
    pub leg: Leg,
    /// When it must have gone further; no meaning while settling.
    pub due: Timestamp,
    /// How long the device may ring; a new owner of the contact lets it ring for as long again.
    pub ring: Duration,
    /// How long the briefing may take; zero: there is none.
    pub brief: Duration,
}

/// A wish to leave that waits for a commit in flight: exactly one of answer and exit wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Leave the queue unanswered.
    Leave(LeftReason),
    /// The customer hung up, and the agent's record says that they had been connected by then.
    Answered(UserId),
    /// Go to another queue and keep the enqueue time.
    Move(QueueId),
}

impl Exit {
    /// Whether a person wanted it who looks after the queue; it may still change.
    pub(crate) fn is_a_persons_wish(self) -> bool {
        matches!(
            self,
            Self::Move(_) | Self::Leave(LeftReason::TransferredByUser)
        )
    }
}
