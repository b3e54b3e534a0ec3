//! An edge's step, as `services/telephony/src/call/queued.rs` does it.

use super::{Outcome, Step, World};
use crate::{
    ids::{agent_no, contact_id, queue_no},
    letter::Mail,
    mutant::Mutant,
};
use centro_edge::{Command, Edge, Effect, Leg, Phase};
use centro_kernel::{ContactId, QueueId, Timestamp, contact::Reservation};
use centro_routing_core::{
    AgentMessage, QueueMessage,
    invariants::{Hold, Use},
};
use std::{collections::VecDeque, sync::Arc};

/// A contact and the process that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    edge: Option<Edge>,
    /// The attachment whose stream is open.
    stream: Option<(QueueId, u32)>,
}

impl Contact {
    pub(super) const fn new(edge: Edge) -> Self {
        Self {
            edge: Some(edge),
            stream: None,
        }
    }

    /// Its edge; none once its process has died.
    pub const fn edge(&self) -> Option<&Edge> {
        self.edge.as_ref()
    }

    /// Where it is; none once its process has died.
    pub fn phase(&self) -> Option<Phase> {
        self.edge.as_ref().map(Edge::phase)
    }

    /// The queue and attachment of its stream.
    pub fn stream(&self) -> Option<(QueueId, u32)> {
        self.stream.filter(|_| self.edge.is_some())
    }

    pub(super) const fn kill(&mut self) -> Option<Edge> {
        self.edge.take()
    }
}

/// What an edge does with reservations right now.
pub(super) fn holds(contact: ContactId, edge: &Edge) -> Vec<Hold> {
    let bridged = match edge.phase() {
        Phase::Connected(of) => Some((of, Use::Bridged)),
        Phase::New | Phase::Waiting | Phase::Gone(_) => None,
    };
    let legs = edge.legs().map(|(of, leg)| {
        let how = match leg {
            Leg::Asking => Use::Asks,
            Leg::Ringing => Use::Rings,
            Leg::Committing => Use::Commits,
            Leg::Settling => Use::Settles,
        };
        (of, how)
    });
    bridged
        .into_iter()
        .chain(legs)
        .map(|(of, how)| Hold { contact, of, how })
        .collect()
}

impl World {
    pub(super) fn contact_step(&mut self, now: Timestamp, c: usize, command: Command) -> Step {
        if self.contacts[c].edge.is_none() {
            return Step::of(Outcome::Nobody);
        }
        let contact = contact_id(c);
        let state = self.contacts[c].change();
        let Some(edge) = state.edge.as_mut() else {
            return Step::of(Outcome::Nobody);
        };
        let before = holds(contact, edge);
        let here = (edge.queue(), edge.attach_no());
        let mut given = command;
        if let (
            Command::MoveTo {
                queue,
                attach_no: wished @ 0,
                ..
            },
            (Some(at), no),
        ) = (&mut given, here)
        {
            (*queue, *wished) = (at, no); // a script's wish: wherever it waits
        }
        if let (
            Some(Mutant::OldOwnerOffer),
            Command::Offer {
                queue, attach_no, ..
            },
            (Some(at), no),
        ) = (self.mutant, &mut given, here)
        {
            (*queue, *attach_no) = (at, no);
        }
        let mut effects: VecDeque<_> = edge.handle(now, given).into();
        let (mut sent, mut done) = (Vec::new(), Vec::new());
        while let Some(effect) = effects.pop_front() {
            match &effect {
                Effect::Attach {
                    queue, attach_no, ..
                } => state.stream = Some((*queue, *attach_no)),
                Effect::Left { queue, .. }
                    if state.stream.is_some_and(|(open, _)| open == *queue)
                        && edge.queue() != Some(*queue) =>
                {
                    state.stream = None;
                }
                Effect::Alert(of) if self.mutant == Some(Mutant::RingWithoutAlert) => {
                    effects.extend(edge.handle(now, Command::AlertOk(*of)));
                    continue;
                }
                _ => {}
            }
            match to_mail(&self.shape, now, c, edge, effect) {
                Ok(mail) => sent.push(mail),
                Err(effect) => done.push(effect),
            }
        }
        let after = holds(contact, edge);
        let gone = matches!(edge.phase(), Phase::Gone(_));
        if let Command::Offer {
            queue,
            attach_no,
            reservation,
            ..
        } = command
        {
            let taken = after.iter().any(|h| h.of == reservation)
                && !before.iter().any(|h| h.of == reservation);
            if taken && here != (Some(queue), attach_no) {
                self.watch.old_offer_taken();
            }
        }
        if before != after {
            self.watch_contact(contact, &before, after, gone);
        }
        Step {
            outcome: Outcome::Done,
            sent,
            events: Vec::new(),
            effects: done,
        }
    }

    /// Deadlines passed: in a world without time, all that are due at this moment, and then it is no later than before.
    pub(crate) fn tick_without_time(&mut self, at: Timestamp, c: usize) -> Step {
        Mutant::plant(self.mutant);
        let step = self.contact_step(at, c, Command::Tick);
        if let Some(edge) = self.contacts[c].change().edge.as_mut() {
            edge.forget_time();
        }
        step
    }

    /// The process of the contact is asked whether it uses a reservation; only its no has a meaning.
    pub(super) fn has_offer(&self, c: usize, of: Reservation) -> Step {
        let edge = self.contacts[c].edge.as_ref();
        let has = edge.is_some_and(|edge| edge.bonds().reservations.contains(&of));
        let mut step = Step::of(Outcome::Done);
        if !has {
            let (number, contact) = (of.number, contact_id(c));
            let message = AgentMessage::NotHeld {
                number,
                contact,
                edge_epoch: 0,
            };
            step.sent.push(Mail::agent(agent_no(of.agent), message));
        }
        step
    }
}

/// A letter, or what is done to the parties.
fn to_mail(
    shape: &crate::Shape,
    now: Timestamp,
    c: usize,
    edge: &Edge,
    effect: Effect,
) -> Result<Mail, Effect> {
    let contact = contact_id(c);
    Ok(match effect {
        Effect::Attach {
            queue,
            attach_no,
            enqueued_at,
            excluded,
            holding,
        } => {
            let attach = shape.attach(c, attach_no, enqueued_at, excluded, holding);
            Mail::queue(queue_no(queue), QueueMessage::Attach(attach))
        }
        Effect::OfferEnded {
            queue,
            reservation,
            exclude_for,
            why,
            ..
        } => {
            let message = QueueMessage::OfferEnded {
                contact,
                reservation,
                exclude_for,
                why,
            };
            Mail::queue(queue_no(queue), message)
        }
        Effect::Left {
            queue,
            attach_no,
            reason,
        } => {
            let message = QueueMessage::Left {
                contact,
                attach_no,
                reason,
            };
            Mail::queue(queue_no(queue), message)
        }
        Effect::Alert(of) => {
            let ring = edge.ring_until(of).map(|due| due.since(now));
            let message = AgentMessage::Alert {
                number: of.number,
                contact,
                edge: Arc::from(""),
                edge_epoch: edge.owner_epoch(),
                caller: Arc::default(),
                ring: ring.unwrap_or_default(),
            };
            Mail::agent(agent_no(of.agent), message)
        }
        Effect::Connect(of) => {
            let number = of.number;
            Mail::agent(
                agent_no(of.agent),
                AgentMessage::Connect {
                    number,
                    contact,
                    edge_epoch: edge.owner_epoch(),
                },
            )
        }
        Effect::End { reservation, why } => {
            let message = AgentMessage::End {
                number: reservation.number,
                contact,
                why,
                edge_epoch: edge.owner_epoch(),
            };
            Mail::agent(agent_no(reservation.agent), message)
        }
        Effect::Ring(_) | Effect::Stop { .. } | Effect::Bridge(_) | Effect::Out(_) => {
            return Err(effect);
        }
    })
}
