//! What is stored of an agent, and what others see of it.

use crate::message::{Caller, Epoch, Terms};
use centro_kernel::{ContactId, DeviceId, QueueId, Timestamp, UserId, contact::Reservation};
use std::{collections::VecDeque, sync::Arc};

/// How many ended reservations are remembered, to answer a repeated `End` truthfully.
const REMEMBERED: usize = 32;

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
    /// The contact, from Alerting on.
    pub contact: Option<ContactId>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Name of the process that holds the contact.
    pub edge: Arc<str>,
    /// When this phase ends by itself. Connected has none: it ends with `End` or when its edge is dead.
    pub due: Option<Timestamp>,
}

/// An agent as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Who.
    pub agent: UserId,
    /// What the agent does.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// What the agent chose; differs from `state` during a contact.
    pub chosen: Chosen,
    /// The device to ring.
    pub device: Option<DeviceId>,
    /// Whether it is registered.
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
    /// The device to ring.
    pub device: Option<DeviceId>,
    /// Whether it is registered.
    pub device_online: bool,
    /// When the last contact ended, or the agent became ready, whichever is later.
    pub idle_since: Timestamp,
    /// When the agent logged in.
    pub logged_in_at: Timestamp,
    /// The last reservations that ended, and whether they had been connected.
    pub done: VecDeque<(u64, bool)>,
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
            device: None,
            device_online: false,
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
            && self.device_online
            && self.slots.is_empty()
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

    pub(crate) fn remember(&mut self, number: u64, was_connected: bool) {
        if !self.done.iter().any(|(n, _)| *n == number) {
            self.done.push_back((number, was_connected));
            if self.done.len() > REMEMBERED {
                self.done.pop_front();
            }
        }
    }

    /// The agent as others see it now.
    pub(crate) fn view(&self, now: Timestamp) -> View {
        let state = self.state();
        let slot = self
            .slots
            .iter()
            .find(|s| !matches!(s.phase, SlotPhase::Revoked | SlotPhase::Reserved));
        View {
            agent: self.id,
            state,
            since: if state == self.shown.state {
                self.shown.since
            } else {
                now
            },
            chosen: self.chosen.clone(),
            device: self.device,
            device_online: self.device_online,
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
