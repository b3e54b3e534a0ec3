//! What happened, in the words of the trade. Written with the state that it tells of, then published.

use crate::{
    agent::{State, View},
    message::{Caller, ContactKind, Rank},
    queue::Boost,
    reason::Decision,
};
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// One fact about a contact or an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// A contact entered a queue.
    ContactQueued {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// How it came about.
        kind: ContactKind,
        /// Who waits.
        caller: Arc<Caller>,
        /// When it took its place.
        enqueued_at: Timestamp,
        /// Higher is served first.
        priority: u32,
        /// Its place in line, from 1.
        position: u32,
    },
    /// A person gave a contact another priority.
    ContactReprioritised {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Higher is served first.
        priority: u32,
        /// Its place in line now, from 1.
        position: u32,
    },
    /// A contact goes first from here on: it waited or was overtaken as much as the queue allows (spec U13).
    ContactBoosted {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// What was too much.
        why: Boost,
    },
    /// A contact needs less from here on (spec D23).
    NeedsRelaxed {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// The step in force, from 0; beyond the last one nothing is needed.
        step: u8,
    },
    /// An agent was reserved for a contact.
    ContactOffered {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Which agent, and under which number.
        reservation: Reservation,
        /// Why this agent (spec U1).
        decision: Arc<Decision>,
    },
    /// An agent had bids of several queues and granted the best: higher weight, then the longer wait, then the draw.
    BidsCompared {
        /// Which agent, and under which number.
        reservation: Reservation,
        /// The queue that won.
        queue: QueueId,
        /// All of them with what they bid and the draw, the winner first; at most 16.
        bids: Arc<[(QueueId, Rank, u64)]>,
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
    /// A contact is no longer in the queue, or was not taken. Of a call whose customer is to be called back (reason
    /// `CallbackRequested`) the place stays, and this comes once more when that is over.
    ContactLeft {
        /// Which contact.
        contact: ContactId,
        /// Which queue.
        queue: QueueId,
        /// Who answered; none when nobody did.
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
