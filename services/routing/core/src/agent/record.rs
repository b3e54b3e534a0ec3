//! What is stored of an agent, and what others see of it.

use crate::{
    message::{Caller, EdgeEpoch, Epoch, Medium, PickUp, Presence},
    mutants::{Mutant, breaks},
    settings::{Standing, Terms},
    skills::Profile,
};
use centro_kernel::{ContactId, DeviceId, QueueId, Timestamp, UserId, contact::Reservation};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// How many ended reservations are remembered however old they are, to answer a repeated `End` truthfully.
const REMEMBERED: usize = 32;
/// How many are remembered at most, however young they are.
const MOST_REMEMBERED: usize = 4_096;

/// A reservation that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ended {
    /// Its number.
    pub number: u64,
    /// The contact that the agent had been connected with.
    pub connected: Option<ContactId>,
    /// When.
    pub at: Timestamp,
}

/// What the person, or a supervisor, chose. The last choice wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Chosen {
    /// Serves no queue.
    #[default]
    LoggedOut,
    /// Takes contacts.
    Ready,
    /// Logged in, but takes none; with the reason given, or an empty one.
    Paused(String),
}

/// Where an agent stands in one queue, beside what holds for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    /// Takes its contacts.
    #[default]
    Taken,
    /// Takes none, with the reason given, or an empty one.
    Paused(Arc<str>),
    /// Missed too many of its offers (spec D11, "this queue").
    NotResponding,
}

/// One queue that an agent is logged in to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// Which queue.
    pub queue: QueueId,
    /// What kind of contacts it has.
    pub medium: Medium,
    /// Place among its agents, for a linear queue; the lower comes first.
    pub order: u64,
    /// Logged in without being assigned (spec S47-S49): it ends with the log-out and with nothing else.
    pub temporary: bool,
    /// Whether the agent takes its contacts now.
    pub part: Part,
    /// Its offers missed in a row.
    pub misses: u32,
}

impl Membership {
    /// Takes part in a queue of calls, to which the agent is assigned.
    pub const fn new(queue: QueueId) -> Self {
        Self {
            queue,
            medium: Medium::Voice,
            order: 0,
            temporary: false,
            part: Part::Taken,
            misses: 0,
        }
    }
}

/// Why an agent is left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rest {
    /// The device could not be reached.
    Unreachable,
    /// The agent declined (spec D12).
    Rejected,
    /// The device was busy (spec D12).
    Busy,
    /// The agent did not answer (spec D12).
    NoAnswer,
}

/// Whether the agent's desktop is there, beside the phone.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Desktop {
    /// The agent works with the phone alone.
    #[default]
    None,
    /// It shows signs of life.
    Open,
    /// It stopped doing so: the agent is not staffed, whatever was chosen.
    Gone,
}

/// What an agent is doing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The reservation's number.
    pub number: u64,
    /// The queue it was granted to.
    pub queue: QueueId,
    /// The bid that was granted: epoch of the queue's owner, version of the agent.
    pub bid: (Epoch, u64),
    /// The queue's rules for it.
    pub terms: Arc<Terms>,
    /// The contact that was named in the bid: a person picks it up.
    pub pick_up: Option<PickUp>,
    /// How far it has come.
    pub phase: SlotPhase,
    /// When this phase began.
    pub since: Timestamp,
    /// How long the device may ring and the agent be briefed: what the edge said, at least the queue's ring.
    pub ring: Duration,
    /// The contact, from Alerting on.
    pub contact: Option<ContactId>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Name of the process that holds the contact.
    pub edge: Arc<str>,
    /// The latest of the contact's owners that was met; an older one is refused.
    pub edge_epoch: EdgeEpoch,
    /// When this phase ends by itself. Connected does not: then its edge is asked whether it goes on.
    pub due: Option<Timestamp>,
}

/// An agent as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Why the agent is left alone, and until when.
    pub rest: Option<(Timestamp, Rest)>,
    /// Whether the desktop is there.
    pub desktop: Desktop,
    /// Queues the agent is logged in to, in order of id.
    pub memberships: Arc<[Membership]>,
    /// The contact in hand; of several conversations the one that asks for most attention.
    pub contact: Option<ContactId>,
    /// Its queue.
    pub contact_queue: Option<QueueId>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// When wrap-up ends by itself.
    pub wrap_up_until: Option<Timestamp>,
    /// Contacts in hand, each with what is done for it; more than one only in conversations.
    pub in_hand: Arc<[(ContactId, SlotPhase)]>,
}

impl View {
    /// Queues the agent is logged in to, in order of id.
    pub fn queues(&self) -> impl Iterator<Item = QueueId> + '_ {
        self.memberships.iter().map(|m| m.queue)
    }
}

/// The stored record: all that survives a change of owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// Reservations in hand: at most one call, and conversations up to the capacity.
    pub slots: Vec<Slot>,
    /// Queues the agent is logged in to, in order of id.
    pub memberships: Arc<[Membership]>,
    /// What the agent can do.
    pub profile: Profile,
    /// The queues are all that the agent is assigned to, and follow the assignments.
    pub all_queues: bool,
    /// The device to ring.
    pub device: Option<DeviceId>,
    /// Whether it is registered.
    pub device_online: bool,
    /// The agent is left alone until then.
    pub rest: Option<(Timestamp, Rest)>,
    /// Whether the desktop is there.
    pub desktop: Desktop,
    /// When the last contact ended, or the agent became ready, whichever is later.
    pub idle_since: Timestamp,
    /// When the agent logged in.
    pub logged_in_at: Timestamp,
    /// When the last contact was received; the log-in when there was none.
    pub received_at: Timestamp,
    /// Contacts since log-in.
    pub contacts: u32,
    /// Time in conversations since log-in.
    pub talk: Duration,
    /// The last reservations that ended, in the order of their end.
    pub done: VecDeque<Ended>,
    /// What was last told to the world.
    pub shown: View,
}

impl AgentRecord {
    /// A person who never logged in.
    pub fn new(id: UserId, now: Timestamp) -> Self {
        let memberships: Arc<[Membership]> = Arc::from([]);
        Self {
            id,
            chosen: Chosen::LoggedOut,
            not_responding: false,
            misses: 0,
            ver: 1,
            next: 1,
            slots: Vec::new(),
            memberships: memberships.clone(),
            profile: Profile::default(),
            all_queues: false,
            device: None,
            device_online: false,
            rest: None,
            desktop: Desktop::None,
            idle_since: now,
            logged_in_at: now,
            received_at: now,
            contacts: 0,
            talk: Duration::ZERO,
            done: VecDeque::new(),
            shown: View {
                agent: id,
                state: State::LoggedOut,
                since: now,
                chosen: Chosen::LoggedOut,
                device: None,
                device_online: false,
                rest: None,
                desktop: Desktop::None,
                memberships,
                contact: None,
                contact_queue: None,
                caller: Arc::default(),
                wrap_up_until: None,
                in_hand: Arc::from([]),
            },
        }
    }

    /// The membership of this queue.
    pub fn membership(&self, queue: QueueId) -> Option<&Membership> {
        let at = self.memberships.binary_search_by_key(&queue, |m| m.queue);
        at.ok().and_then(|at| self.memberships.get(at))
    }

    /// Whether nothing is left of the log-in: it was ended, and so was every contact.
    pub(crate) fn logged_out(&self) -> bool {
        self.chosen == Chosen::LoggedOut && self.slots.is_empty()
    }

    /// Whether the agent takes any contact at all now.
    pub fn available(&self) -> bool {
        self.chosen == Chosen::Ready
            && !self.not_responding
            && self.rest.is_none()
            && self.desktop != Desktop::Gone
    }

    /// Whether the agent can take one more contact of this medium now.
    pub fn room(&self, medium: Medium) -> bool {
        let reachable = match medium {
            Medium::Voice => self.device_online,
            Medium::Chat => self.desktop == Desktop::Open,
        };
        self.available() && reachable && self.has_capacity(medium)
    }

    /// Whether the agent can take one more contact of this queue now.
    pub fn room_for(&self, membership: &Membership) -> bool {
        membership.part == Part::Taken && self.room(membership.medium)
    }

    /// Whether a further contact of this medium would fit beside those in hand.
    pub fn has_capacity(&self, medium: Medium) -> bool {
        let (mut calls, mut chats) = (self.load(Medium::Voice), self.load(Medium::Chat));
        if medium == Medium::Chat {
            chats *= usize::from(!breaks(Mutant::IgnoreCapacity));
            calls *= usize::from(!breaks(Mutant::InterruptCall));
        }
        self.profile.capacity.has_room(medium, calls, chats) || breaks(Mutant::GrantTwice)
    }

    /// Open contacts of this medium, in any phase.
    pub fn load(&self, medium: Medium) -> usize {
        self.slots
            .iter()
            .filter(|s| s.terms.medium == medium)
            .count()
    }

    /// What the agent tells a queue of itself.
    pub fn presence(&self, queue: QueueId) -> Presence {
        let membership = self.membership(queue);
        let load = |m: &Membership| u8::try_from(self.load(m.medium)).unwrap_or(u8::MAX);
        Presence {
            agent: self.id,
            ver: self.ver,
            member: membership.is_some(),
            free: membership.is_some_and(|m| self.room_for(m)),
            standing: membership.map(|m| self.standing(m)).unwrap_or_default(),
            idle_since: self.idle_since,
            logged_in_at: self.logged_in_at,
            received_at: self.received_at,
            contacts: self.contacts,
            talk: self.talk,
            load: membership.map_or(0, load),
            order: membership.map_or(0, |m| m.order),
            skills: self.profile.skills.clone(),
            lost_to: None,
        }
    }

    /// Whether the agent's phone, or whatever the agent works with, can be reached.
    pub const fn reachable(&self) -> bool {
        self.device_online
            && !matches!(self.rest, Some((_, Rest::Unreachable)))
            && !matches!(self.desktop, Desktop::Gone)
    }

    /// What the agent does, as a queue counts it.
    pub fn standing(&self, membership: &Membership) -> Standing {
        match (self.state(), &membership.part) {
            (State::Reserved | State::Alerting | State::Connected, _) => Standing::InContact,
            // Whoever closed the browser went home, and will not come back from the wrap-up either.
            (State::WrapUp, _) if self.desktop == Desktop::Gone => Standing::Unreachable,
            (State::WrapUp, _) => Standing::WrapUp,
            (State::NotResponding, _) | (_, Part::NotResponding) => Standing::NotResponding,
            (State::Paused | State::LoggedOut, _) | (_, Part::Paused(_)) => Standing::Paused,
            (State::Ready, Part::Taken) => {
                let reachable = match membership.medium {
                    Medium::Voice => self.reachable(),
                    Medium::Chat => self.desktop == Desktop::Open,
                };
                if reachable {
                    Standing::Ready
                } else {
                    Standing::Unreachable
                }
            }
        }
    }

    /// What the agent is doing. A revoked offer no longer counts: the choice that revoked it shows at once.
    pub fn state(&self) -> State {
        match (self.foremost().map(|s| s.phase), &self.chosen) {
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

    /// The slot that asks for most attention: a talk, then a ring, then what is to come, then what is left to do.
    fn foremost(&self) -> Option<&Slot> {
        let urgency = |slot: &&Slot| match slot.phase {
            SlotPhase::Connected => 0,
            SlotPhase::Alerting => 1,
            SlotPhase::Reserved => 2,
            SlotPhase::WrapUp => 3,
            SlotPhase::Revoked => 4,
        };
        let live = self.slots.iter().filter(|s| s.phase != SlotPhase::Revoked);
        live.min_by_key(urgency)
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
        connected: Option<ContactId>,
    ) {
        if self.done.iter().any(|ended| ended.number == number) {
            return;
        }
        self.done.push_back(Ended {
            number,
            connected,
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
        let slot = self.foremost().filter(|s| s.contact.is_some());
        let in_hand = self.slots.iter().filter(|s| s.phase != SlotPhase::Revoked);
        let in_hand: Vec<_> = in_hand
            .filter_map(|s| s.contact.map(|contact| (contact, s.phase)))
            .collect();
        let wrap_ups = self.slots.iter().filter(|s| {
            state == State::WrapUp && s.phase == SlotPhase::WrapUp // of several the longest (spec P11)
        });
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
            rest: self.rest,
            desktop: self.desktop,
            memberships: self.memberships.clone(),
            contact: slot.and_then(|s| s.contact),
            contact_queue: slot.map(|s| s.queue),
            caller: slot.map(|s| s.caller.clone()).unwrap_or_default(),
            wrap_up_until: wrap_ups.filter_map(|s| s.due).max(),
            in_hand: if in_hand == *self.shown.in_hand {
                self.shown.in_hand.clone()
            } else {
                Arc::from(in_hand)
            },
        }
    }
}
