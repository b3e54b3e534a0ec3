//! What one step of a queue or agent is judged by, and how it is remembered.

use super::{Actor, contacts::Place};
use crate::decision_log::rules::{Rules, Step};
use centro_kernel::{ContactId, QueueId, Timestamp, UserId};
use centro_routing_core::{
    Agent, AgentMessage, EdgeEpoch, Event, Queue, QueueChange, QueueEffect, QueueMessage,
    SlotPhase,
    invariants::{self, Broken},
};

/// How many of a line are looked at before the contact that was offered.
const FIRST: usize = 64;

/// Something that was heard or told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// What, in a word of the protocol.
    pub what: &'static str,
    /// About which contact.
    pub contact: Option<ContactId>,
    /// From or about which agent.
    pub agent: Option<UserId>,
    /// From or about which queue.
    pub queue: Option<QueueId>,
    /// The reservation's number; 0: none.
    pub number: u64,
}

impl Seen {
    const fn new(at: Timestamp, what: &'static str) -> Self {
        Self {
            at,
            what,
            contact: None,
            agent: None,
            queue: None,
            number: 0,
        }
    }
}

/// Whose steps can be judged.
pub trait Watched: Rules {
    /// What must be known of the moment before the step.
    type Before;

    /// Its key.
    fn actor(id: Self::Id) -> Actor;
    /// What must be known of the moment before the step.
    fn before(&self, message: &Self::Message) -> Self::Before;
    /// The message in a word.
    fn heard(at: Timestamp, message: &Self::Message) -> Seen;
    /// Judges the step: what it broke, and the contact that it is about.
    fn judge(
        &self,
        before: &Self::Before,
        out: &Step<Self>,
    ) -> Result<(), (Broken, Option<ContactId>)>;
    /// Where contacts are by this step. `here` is what the actor told before, and is kept for the next time.
    fn places(
        &self,
        id: Self::Id,
        out: &Step<Self>,
        here: &mut Vec<ContactId>,
        tell: &mut dyn FnMut(ContactId, Place, bool),
    );
}

/// A queue before a step.
pub struct QueueBefore {
    waiting: u32,
    /// Asks for a place and has none.
    newcomer: Option<ContactId>,
}

impl Watched for Queue {
    type Before = QueueBefore;

    fn actor(id: QueueId) -> Actor {
        Actor::Queue(id)
    }

    fn before(&self, message: &QueueMessage) -> QueueBefore {
        let newcomer = match message {
            QueueMessage::Attach(attach) => Some(attach.contact),
            _ => None,
        };
        QueueBefore {
            waiting: self.waiting(),
            newcomer: newcomer.filter(|contact| self.entry(*contact).is_none()),
        }
    }

    fn heard(at: Timestamp, message: &QueueMessage) -> Seen {
        let (what, contact, agent) = match message {
            QueueMessage::Attach(attach) => ("heard attach", Some(attach.contact), None),
            QueueMessage::OfferEnded {
                contact,
                reservation,
                ..
            } => ("heard offer_ended", Some(*contact), Some(reservation.agent)),
            QueueMessage::Left { contact, .. } => ("heard left", Some(*contact), None),
            QueueMessage::Detached { contact, .. } => ("heard detached", Some(*contact), None),
            QueueMessage::AskPosition { contact } => ("heard ask_position", Some(*contact), None),
            QueueMessage::EdgeDead { contact } => ("heard edge_dead", Some(*contact), None),
            QueueMessage::Presence(presence) if presence.free => {
                ("heard presence: free", None, Some(presence.agent))
            }
            QueueMessage::Presence(presence) => {
                ("heard presence: not free", None, Some(presence.agent))
            }
            QueueMessage::Grant(grant) => {
                let agent = grant.reservation.agent;
                let mut seen = Seen::new(at, "heard grant");
                (seen.agent, seen.number) = (Some(agent), grant.reservation.number);
                return seen;
            }
            QueueMessage::PickUp { agent, pick_up } => {
                ("heard pick_up", Some(pick_up.contact), Some(*agent))
            }
            QueueMessage::PickUpRings { agent, contact, .. } => {
                ("heard pick_up_rings", Some(*contact), Some(*agent))
            }
            QueueMessage::PickUpRefused { agent, contact, .. } => {
                ("heard pick_up_refused", Some(*contact), Some(*agent))
            }
            QueueMessage::SetPriority { contact, .. } => {
                ("heard set_priority", Some(*contact), None)
            }
            QueueMessage::Wish { contact, .. } => ("heard wish", Some(*contact), None),
            QueueMessage::Configure(_) => ("heard configure", None, None),
            QueueMessage::Close => ("heard close", None, None),
            QueueMessage::Timer(_) => ("heard timer", None, None),
        };
        Seen {
            contact,
            agent,
            ..Seen::new(at, what)
        }
    }

    fn judge(
        &self,
        before: &QueueBefore,
        out: &Step<Self>,
    ) -> Result<(), (Broken, Option<ContactId>)> {
        let (was, is) = (before.waiting, self.waiting());
        invariants::line_adds_up(was, before.newcomer, &out.events, is)
            .map_err(|rule| (rule, before.newcomer))?;
        let boosted = |contact: ContactId| {
            let mut events = out.events.iter();
            events.any(|e| matches!(e, Event::ContactBoosted { contact: c, .. } if *c == contact))
        };
        for event in &out.events {
            if let Event::ContactOffered {
                contact,
                reservation,
                decision,
                ..
            } = event
                && !decision.picked_up
            {
                let (contact, agent) = (*contact, reservation.agent);
                // Whoever was overtaken once too often goes first from the next grant on.
                invariants::order_of_first(FIRST, self, contact, agent, |entry| {
                    entry.attached && !boosted(entry.contact)
                })
                .map_err(|rule| (rule, Some(contact)))?;
            }
        }
        for effect in &out.send {
            if let QueueEffect::Agent(agent, AgentMessage::Pass { .. }) = effect {
                invariants::pass(self, *agent).map_err(|rule| (rule, None))?;
            }
        }
        Ok(())
    }

    fn places(
        &self,
        id: QueueId,
        out: &Step<Self>,
        _: &mut Vec<ContactId>,
        tell: &mut dyn FnMut(ContactId, Place, bool),
    ) {
        for change in &out.changes {
            match change {
                QueueChange::Put(entry, _) => tell(entry.contact, Place::Waits(id), true),
                QueueChange::Remove(contact) => tell(*contact, Place::Waits(id), false),
                QueueChange::Bury(..) | QueueChange::Forget(_) => {}
            }
        }
    }
}

/// An agent before a step.
pub struct AgentBefore {
    slots: usize,
    /// Which owner of which contact waits for an answer, and about which reservation.
    asker: Option<(u64, ContactId, EdgeEpoch)>,
}

impl Watched for Agent {
    type Before = AgentBefore;

    fn actor(id: UserId) -> Actor {
        Actor::Agent(id)
    }

    fn before(&self, message: &AgentMessage) -> AgentBefore {
        AgentBefore {
            slots: self.record().slots.len(),
            asker: message.asker(),
        }
    }

    fn heard(at: Timestamp, message: &AgentMessage) -> Seen {
        let (what, contact, queue, number) = match message {
            AgentMessage::LogIn(_) => ("heard log_in", None, None, 0),
            AgentMessage::SetStatus(_) => ("heard set_status", None, None, 0),
            AgentMessage::SetQueueStatus { queue, .. } => {
                ("heard set_queue_status", None, Some(*queue), 0)
            }
            AgentMessage::EndWrapUp { contact, .. } => ("heard end_wrap_up", *contact, None, 0),
            AgentMessage::ExtendWrapUp { contact, .. } => {
                ("heard extend_wrap_up", *contact, None, 0)
            }
            AgentMessage::DesktopSeen => ("heard desktop_seen", None, None, 0),
            AgentMessage::DesktopClosed => ("heard desktop_closed", None, None, 0),
            AgentMessage::SetProfile(_) => ("heard set_profile", None, None, 0),
            AgentMessage::Device { .. } => ("heard device", None, None, 0),
            AgentMessage::LeaveQueues(_) => ("heard leave_queues", None, None, 0),
            AgentMessage::Unassigned(_) => ("heard unassigned", None, None, 0),
            AgentMessage::QueuesDeleted(_) => ("heard queues_deleted", None, None, 0),
            AgentMessage::JoinQueues(_) => ("heard join_queues", None, None, 0),
            AgentMessage::Bid(bid) => ("heard bid", None, Some(bid.queue), 0),
            AgentMessage::Pass { queue, .. } => ("heard pass", None, Some(*queue), 0),
            AgentMessage::Release { number } => ("heard release", None, None, *number),
            AgentMessage::Alert {
                number, contact, ..
            } => ("heard alert", Some(*contact), None, *number),
            AgentMessage::Connect {
                number, contact, ..
            } => ("heard connect", Some(*contact), None, *number),
            AgentMessage::End {
                number, contact, ..
            } => ("heard end", Some(*contact), None, *number),
            AgentMessage::EdgeDead { contact } => ("heard edge_dead", Some(*contact), None, 0),
            AgentMessage::NotHeld {
                number, contact, ..
            } => ("heard not_held", Some(*contact), None, *number),
            AgentMessage::QueueMoved { queue, .. } => ("heard queue_moved", None, Some(*queue), 0),
            AgentMessage::Timer(_) => ("heard timer", None, None, 0),
        };
        Seen {
            contact,
            queue,
            number,
            ..Seen::new(at, what)
        }
    }

    fn judge(
        &self,
        before: &AgentBefore,
        out: &Step<Self>,
    ) -> Result<(), (Broken, Option<ContactId>)> {
        let record = self.record();
        if record.slots.len() > before.slots {
            invariants::granted(record).map_err(|rule| (rule, None))?;
        }
        if let (Some((number, contact, owner)), Some(answer)) = (before.asker, out.answer) {
            invariants::answer(record, number, contact, owner, answer)
                .map_err(|rule| (rule, Some(contact)))?;
        }
        Ok(())
    }

    fn places(
        &self,
        id: UserId,
        out: &Step<Self>,
        here: &mut Vec<ContactId>,
        tell: &mut dyn FnMut(ContactId, Place, bool),
    ) {
        if out.changes.is_empty() {
            return;
        }
        let talks = |contact: ContactId| {
            let mut slots = self.record().slots.iter();
            slots.any(|s| s.phase == SlotPhase::Connected && s.contact == Some(contact))
        };
        here.retain(|contact| {
            let stays = talks(*contact);
            if !stays {
                tell(*contact, Place::Talks(id), false);
            }
            stays
        });
        for slot in &self.record().slots {
            if let Some(contact) = slot.contact
                && slot.phase == SlotPhase::Connected
                && !here.contains(&contact)
            {
                here.push(contact);
                tell(contact, Place::Talks(id), true);
            }
        }
    }
}

/// An event in a word.
pub fn told(at: Timestamp, event: &Event) -> Seen {
    let (what, contact, queue, reservation) = match event {
        Event::ContactQueued { contact, queue, .. } => ("told queued", contact, queue, None),
        Event::ContactReprioritised { contact, queue, .. } => {
            ("told reprioritised", contact, queue, None)
        }
        Event::ContactBoosted { contact, queue, .. } => ("told boosted", contact, queue, None),
        Event::NeedsRelaxed { contact, queue, .. } => ("told needs_relaxed", contact, queue, None),
        Event::ContactOffered {
            contact,
            queue,
            reservation,
            ..
        } => ("told offered", contact, queue, Some(reservation)),
        Event::OfferEnded {
            contact,
            queue,
            reservation,
            ..
        } => ("told offer_ended", contact, queue, Some(reservation)),
        Event::ContactConnected {
            contact,
            queue,
            reservation,
        } => ("told connected", contact, queue, Some(reservation)),
        Event::ContactLeft { contact, queue, .. } => ("told left", contact, queue, None),
        Event::WrapUpEnded { contact, queue, .. } => ("told wrap_up_ended", contact, queue, None),
        Event::BidsCompared {
            reservation, queue, ..
        } => {
            return Seen {
                queue: Some(*queue),
                agent: Some(reservation.agent),
                number: reservation.number,
                ..Seen::new(at, "told bids_compared")
            };
        }
        Event::AgentStateChanged { view, .. } => {
            return Seen {
                contact: view.contact,
                agent: Some(view.agent),
                ..Seen::new(at, "told state_changed")
            };
        }
    };
    Seen {
        contact: Some(*contact),
        queue: Some(*queue),
        agent: reservation.map(|r| r.agent),
        number: reservation.map_or(0, |r| r.number),
        ..Seen::new(at, what)
    }
}
