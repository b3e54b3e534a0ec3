//! What is stored of an agent, and what others see of it.

use crate::message::{Caller, Epoch, Terms};
use centro_kernel::{ContactId, DeviceId, QueueId, Timestamp, UserId, contact::Reservation};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// How many ended reservations are remembered however old they are, to answer a repeated `End` truthfully.
const REMEMBERED: usize = 32;
/// How many are remembered at most, however young they are.
const MOST_REMEMBERED: usize = 4_096;

/// A reservation that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its number.
    pub number: u64,
    /// Whether the parties had been connected.
    pub was_connected: bool,
    /// When.
    pub at: Timestamp,
}

/// What the person, or a supervisor, chose. The last choice wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Chosen {
    /// Serves no queue.
    #[default]
    LoggedOut,
    /// Takes contacts.
    Ready,
    /// Logged in, but takes none; with the reason given, or an empty one.
    Paused(String),
}

/// What an agent is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Serves no queue.
    #[default]
    LoggedOut,
    /// Waits for a contact.
    Ready,
    /// Held for a contact; nothing rings yet.
    Reserved,
    /// The device rings.
    Alerting,
    /// Talks with a customer.
    Connected,
    /// Finishes the last contact.
    WrapUp,
    /// Takes no contacts, by choice.
    Paused,
    /// Missed offers; gets no more until ready is chosen.
    NotResponding,
}

/// How far a reservation has come. It only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SlotPhase {
    /// Held for a queue whose contact has not asked yet.
    Reserved,
    /// The edge may ring the device.
    Alerting,
    /// The agent paused or logged out while it rang; the edge was told to stop.
    Revoked,
    /// The parties may be bridged.
    Connected,
    /// The contact is over, the agent's work is not.
    WrapUp,
}

/// One reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The reservation's number.
    pub number: u64,
    /// The queue it was granted to.
    pub queue: QueueId,
    /// The bid that was granted: epoch of the queue's owner, version of the agent.
    pub bid: (Epoch, u64),
    /// The queue's rules for it.
    pub terms: Terms,
    /// How far it has come.
    pub phase: SlotPhase,
    /// When this phase began.
    pub since: Timestamp,
    /// How long the device may ring: what the edge said, at least the queue's rule.
    pub ring: Duration,
    /// The contact, from Alerting on.
    pub contact: Option<ContactId>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Name of the process that holds the contact.
    pub edge: Arc<str>,
    /// When this phase ends by itself. Connected does not: then its edge is asked whether it goes on.
    pub due: Option<Timestamp>,
}

/// An agent as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Who.
    pub agent: UserId,
    /// What the agent does.
    pub state: State,
    /// Since when: in this state, paused for this reason, ready with the device as it is.
    pub since: Timestamp,
    /// What the agent chose; differs from `state` during a contact.
    pub chosen: Chosen,
    /// The device to ring.
    pub device: Option<DeviceId>,
    /// Whether it is registered and answers.
    pub device_online: bool,
    /// Queues the agent is logged in to.
    pub queues: Arc<[QueueId]>,
    /// The contact in hand.
    pub contact: Option<ContactId>,
    /// Its queue.
    pub contact_queue: Option<QueueId>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// When wrap-up ends by itself.
    pub wrap_up_until: Option<Timestamp>,
}

/// The stored record: all that survives a change of owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRecord {
    /// Who.
    pub id: UserId,
    /// What the person chose.
    pub chosen: Chosen,
    /// Too many offers were missed.
    pub not_responding: bool,
    /// Offers missed in a row.
    pub misses: u32,
    /// Grows with every change; a bid must quote the present one.
    pub ver: u64,
    /// Number of the next reservation.
    pub next: u64,
    /// Reservations in hand; at most one, as long as all contacts are calls.
    pub slots: Vec<Slot>,
    /// Queues the agent is logged in to, in order of id.
    pub queues: Arc<[QueueId]>,
    /// The queues are all that the agent is assigned to, and follow the assignments.
    pub all_queues: bool,
    /// The device to ring.
    pub device: Option<DeviceId>,
    /// Whether it is registered.
    pub device_online: bool,
    /// It is registered but could not be reached; it is not tried again before this.
    pub unreachable_until: Option<Timestamp>,
    /// When the last contact ended, or the agent became ready, whichever is later.
    pub idle_since: Timestamp,
    /// When the agent logged in.
    pub logged_in_at: Timestamp,
    /// The last reservations that ended, in the order of their end.
    pub done: VecDeque<Ended>,
    /// What was last told to the world.
    pub shown: View,
}

impl AgentRecord {
    /// A person who never logged in.
    pub fn new(id: UserId, now: Timestamp) -> Self {
        let queues: Arc<[QueueId]> = Arc::from([]);
        Self {
            id,
            chosen: Chosen::LoggedOut,
            not_responding: false,
            misses: 0,
            ver: 1,
            next: 1,
            slots: Vec::new(),
            queues: queues.clone(),
            all_queues: false,
            device: None,
            device_online: false,
            unreachable_until: None,
            idle_since: now,
            logged_in_at: now,
            done: VecDeque::new(),
            shown: View {
                agent: id,
                state: State::LoggedOut,
                since: now,
                chosen: Chosen::LoggedOut,
                device: None,
                device_online: false,
                queues,
                contact: None,
                contact_queue: None,
                caller: Arc::default(),
                wrap_up_until: None,
            },
        }
    }

    /// Whether the agent can take a call now.
    pub fn room(&self) -> bool {
        self.chosen == Chosen::Ready
            && !self.not_responding
            && self.reachable()
            && self.slots.is_empty()
    }

    /// Whether the device can be rung.
    pub const fn reachable(&self) -> bool {
        self.device_online && self.unreachable_until.is_none()
    }

    /// What the agent is doing. A revoked offer no longer counts: the choice that revoked it shows at once.
    pub fn state(&self) -> State {
        let phase = self
            .slots
            .iter()
            .map(|s| s.phase)
            .find(|p| *p != SlotPhase::Revoked);
        match (phase, &self.chosen) {
            (Some(SlotPhase::Reserved), _) => State::Reserved,
            (Some(SlotPhase::Alerting), _) => State::Alerting,
            (Some(SlotPhase::Connected), _) => State::Connected,
            (Some(SlotPhase::WrapUp), _) => State::WrapUp,
            (_, Chosen::LoggedOut) => State::LoggedOut,
            (_, Chosen::Paused(_)) => State::Paused,
            (_, Chosen::Ready) if self.not_responding => State::NotResponding,
            (_, Chosen::Ready) => State::Ready,
        }
    }

    /// The slot with this number.
    pub fn slot(&self, number: u64) -> Option<&Slot> {
        self.slots.iter().find(|s| s.number == number)
    }

    pub(crate) fn slot_mut(&mut self, number: u64) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|s| s.number == number)
    }

    /// The reservation with this number.
    pub const fn reservation(&self, number: u64) -> Reservation {
        Reservation {
            agent: self.id,
            number,
        }
    }

    /// Remembers how a reservation ended: at least for `keep`, which is longer than any `End` is repeated.
    pub(crate) fn remember(
        &mut self,
        now: Timestamp,
        keep: Duration,
        number: u64,
        was_connected: bool,
    ) {
        if self.done.iter().any(|ended| ended.number == number) {
            return;
        }
        self.done.push_back(Ended {
            number,
            was_connected,
            at: now,
        });
        while self.done.len() > REMEMBERED
            && (self.done.len() > MOST_REMEMBERED
                || self.done.front().is_some_and(|e| now.since(e.at) > keep))
        {
            self.done.pop_front();
        }
    }

    /// The agent as others see it now.
    pub(crate) fn view(&self, now: Timestamp) -> View {
        let state = self.state();
        let slot = self
            .slots
            .iter()
            .find(|s| !matches!(s.phase, SlotPhase::Revoked | SlotPhase::Reserved));
        let device_online = self.reachable();
        // What counts as one stretch of time: a pause has its reason, being ready a phone that can ring.
        let shown = &self.shown;
        let goes_on = state == shown.state
            && match state {
                State::Paused => self.chosen == shown.chosen,
                State::Ready => device_online == shown.device_online,
                _ => true,
            };
        View {
            agent: self.id,
            state,
            since: if goes_on { shown.since } else { now },
            chosen: self.chosen.clone(),
            device: self.device,
            device_online,
            queues: self.queues.clone(),
            contact: slot.and_then(|s| s.contact),
            contact_queue: slot.map(|s| s.queue),
            caller: slot.map(|s| s.caller.clone()).unwrap_or_default(),
            wrap_up_until: slot
                .filter(|s| s.phase == SlotPhase::WrapUp)
                .and_then(|s| s.due),
        }
    }
}
