//! What the figures need of an event. The only place of this folder that reads the fields of [`Event`] and [`View`].

use super::measure::millis;
use crate::{
    Event,
    agent::{Chosen, State, View},
};
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use serde::{Deserialize, Serialize};

/// What an agent spends time with. All of them but `LoggedOut` are login time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Serves no queue.
    LoggedOut,
    /// Waits for a contact, with a phone that can ring.
    Ready,
    /// Ready, but the phone cannot be rung: no contact could come.
    Unreachable,
    /// Held for a contact; nothing rings yet.
    Reserved,
    /// The phone rings.
    Alerting,
    /// Talks with a customer.
    Connected,
    /// Finishes the last contact.
    WrapUp,
    /// Takes no contacts, for this reason.
    Paused(String),
    /// Missed offers.
    NotResponding,
}

impl Activity {
    fn of(view: &View) -> Self {
        match view.state {
            State::LoggedOut => Self::LoggedOut,
            State::Ready if !view.device_online => Self::Unreachable,
            State::Ready => Self::Ready,
            State::Reserved => Self::Reserved,
            State::Alerting => Self::Alerting,
            State::Connected => Self::Connected,
            State::WrapUp => Self::WrapUp,
            State::Paused => Self::Paused(match &view.chosen {
                Chosen::Paused(reason) => reason.clone(),
                _ => String::new(),
            }),
            State::NotResponding => Self::NotResponding,
        }
    }
}

/// What an agent does now, and did before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgentChange {
    pub(super) agent: UserId,
    pub(super) activity: Activity,
    pub(super) state: State,
    pub(super) before: State,
    pub(super) since: Timestamp,
}

impl AgentChange {
    /// A state came to its end here.
    pub(super) fn ends(&self, state: State) -> bool {
        self.before == state && self.state != state
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Entered {
        queue: QueueId,
        contact: ContactId,
        enqueued_at: Timestamp,
    },
    Left {
        queue: QueueId,
        contact: ContactId,
        enqueued_at: Timestamp,
        reason: LeftReason,
        wait_ms: u64,
    },
    Connected {
        queue: QueueId,
        contact: ContactId,
        reservation: Reservation,
    },
    OfferEnded {
        queue: QueueId,
        reservation: Reservation,
        why: OfferEnd,
        ring_ms: u64,
    },
    WrapUpEnded {
        queue: QueueId,
        contact: ContactId,
        agent: UserId,
        wrap_up_ms: u64,
    },
    Agent(AgentChange),
}

/// `None` for what no figure counts.
pub(super) fn fact(event: &Event) -> Option<Fact> {
    Some(match event {
        Event::ContactQueued {
            contact,
            queue,
            enqueued_at,
            ..
        } => Fact::Entered {
            queue: *queue,
            contact: *contact,
            enqueued_at: *enqueued_at,
        },
        Event::ContactLeft {
            contact,
            queue,
            reason,
            enqueued_at,
            wait,
            ..
        } => Fact::Left {
            queue: *queue,
            contact: *contact,
            enqueued_at: *enqueued_at,
            reason: *reason,
            wait_ms: millis(*wait),
        },
        Event::ContactConnected {
            contact,
            queue,
            reservation,
            ..
        } => Fact::Connected {
            queue: *queue,
            contact: *contact,
            reservation: *reservation,
        },
        Event::OfferEnded {
            queue,
            reservation,
            why,
            ring,
            ..
        } => Fact::OfferEnded {
            queue: *queue,
            reservation: *reservation,
            why: *why,
            ring_ms: millis(*ring),
        },
        Event::WrapUpEnded {
            contact,
            queue,
            agent,
            wrap_up,
            ..
        } => Fact::WrapUpEnded {
            queue: *queue,
            contact: *contact,
            agent: *agent,
            wrap_up_ms: millis(*wrap_up),
        },
        Event::AgentStateChanged { view, previous, .. } => Fact::Agent(AgentChange {
            agent: view.agent,
            activity: Activity::of(view),
            since: view.since,
            state: view.state,
            before: *previous,
        }),
        // An offer counts when it is over: then it is known how it ended. The others move nobody in or out.
        Event::ContactOffered { .. }
        | Event::BidsCompared { .. }
        | Event::ContactReprioritised { .. }
        | Event::ContactBoosted { .. }
        | Event::NeedsRelaxed { .. } => return None,
    })
}

/// Whose figures an event changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concerns {
    /// This queue's. What an agent does concerns the queue that it last connected with as well.
    pub queue: Option<QueueId>,
    /// This agent's.
    pub agent: Option<UserId>,
    /// The agent is connected with a contact of the queue from here on.
    pub connects: bool,
}

/// Whose figures an event changes, so that it is told to nobody else.
pub fn concerns(event: &Event) -> Concerns {
    let (queue, agent, connects) = match fact(event) {
        None => (None, None, false),
        Some(Fact::Entered { queue, .. } | Fact::Left { queue, .. }) => (Some(queue), None, false),
        Some(Fact::Connected {
            queue, reservation, ..
        }) => (Some(queue), Some(reservation.agent), true),
        Some(Fact::OfferEnded {
            queue, reservation, ..
        }) => (Some(queue), Some(reservation.agent), false),
        Some(Fact::WrapUpEnded { queue, agent, .. }) => (Some(queue), Some(agent), false),
        Some(Fact::Agent(change)) => (None, Some(change.agent), false),
    };
    Concerns {
        queue,
        agent,
        connects,
    }
}

/// Whether an offer reached the agent: the phone rang. Only such an offer is one that the agent could answer.
pub(super) fn rang(why: OfferEnd) -> bool {
    !matches!(why, OfferEnd::NeverRang | OfferEnd::DeviceFailed)
}
