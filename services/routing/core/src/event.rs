//! What happened, in the words of the trade. Written with the state that it tells of, then published.

use crate::{agent::State, agent::View, message::Caller};
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::{sync::Arc, time::Duration};

/// One fact about a contact or an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A contact entered a queue.
    ContactQueued {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Who waits.
        caller: Arc<Caller>,
        /// When it took its place.
        enqueued_at: Timestamp,
        /// Higher is served first.
        priority: u32,
        /// Its place in line, from 1.
        position: u32,
    },
    /// An agent was reserved for a contact.
    ContactOffered {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Which agent, and under which number.
        reservation: Reservation,
    },
    /// An offer was answered or came to nothing.
    OfferEnded {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Which agent, and under which number.
        reservation: Reservation,
        /// How it ended.
        why: OfferEnd,
        /// How long the device rang; zero when it never did.
        ring: Duration,
    },
    /// Customer and agent may be bridged.
    ContactConnected {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Which agent, and under which number.
        reservation: Reservation,
    },
    /// A contact is no longer in the queue, or was not taken.
    ContactLeft {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// The agent it was connected with.
        agent: Option<UserId>,
        /// Why it left.
        reason: LeftReason,
        /// When it took its place.
        enqueued_at: Timestamp,
        /// How long it waited.
        wait: Duration,
    },
    /// The agent is done with a contact.
    WrapUpEnded {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Which agent.
        agent: UserId,
        /// How long it took.
        wrap_up: Duration,
    },
    /// What an agent does, chose, or where the agent can be reached has changed.
    AgentStateChanged {
        /// The agent now.
        view: View,
        /// What the agent did before.
        previous: State,
    },
}
