//! An edge's step, as `services/telephony/src/call/queued.rs` does it; and, for a contact that outlives its process, as
//! whatever stores it must.

use super::{Outcome, Step, World, contact::holds};
use crate::{
    ids::{agent_no, contact_id, queue_no},
    letter::Mail,
    mutant::Mutant,
    shard::Who,
};
use centro_edge::{Command, Edge, Effect, Phase};
use centro_kernel::{Timestamp, contact::Reservation};
use centro_routing_core::{AgentMessage, QueueMessage};
use std::{collections::VecDeque, sync::Arc};

/// Whether a new owner would find another contact: the moment and the time of the next repeat do not count.
fn differ(one: &Edge, other: &Edge) -> bool {
    let without_time = |edge: &Edge| {
        let mut edge = edge.clone();
        edge.forget_time();
        edge
    };
    without_time(one) != without_time(other)
}

impl World {
    /// A contact gets a new owner, who goes on from what is stored.
    pub(super) fn contact_taken_over(&mut self, now: Timestamp, c: usize) -> Vec<Mail> {
        let state = self.contacts[c].change();
        let Some(kept) = &mut state.kept else {
            return Vec::new();
        };
        kept.epoch += 1;
        let (edge, effects) = kept.record.clone().take_over(kept.epoch, now);
        kept.record = edge.clone();
        let mut sent = Vec::new();
        for effect in effects {
            if let Effect::Attach {
                queue, attach_no, ..
            } = &effect
            {
                state.stream = Some((*queue, *attach_no));
            }
            sent.extend(to_mail(&self.shape, now, c, &edge, effect).ok());
        }
        let after = holds(contact_id(c), &edge);
        let gone = matches!(edge.phase(), Phase::Gone(_));
        state.edge = Some(edge);
        self.watch_contact(contact_id(c), &[], after, gone);
        sent
    }

    pub(super) fn contact_step(
        &mut self,
        now: Timestamp,
        who: Who,
        c: usize,
        command: Command,
    ) -> Step {
        let contact = contact_id(c);
        let state = self.contacts[c].change();
        let unfenced = self.mutant == Some(Mutant::EpochCheck);
        let Some(mut edge) = state.instance(who).cloned() else {
            return Step::of(Outcome::Nobody);
        };
        let stored = state.kept.is_some().then(|| edge.clone());
        let before = holds(contact, &edge);
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
        let mut edge = edge.clone();
        let (mut sent, mut done) = (Vec::new(), Vec::new());
        let mut stream = state.stream;
        while let Some(effect) = effects.pop_front() {
            match &effect {
                Effect::Attach {
                    queue, attach_no, ..
                } => stream = Some((*queue, *attach_no)),
                Effect::Left { queue, .. }
                    if stream.is_some_and(|(open, _)| open == *queue)
                        && edge.queue() != Some(*queue) =>
                {
                    stream = None;
                }
                Effect::Alert(of) if self.mutant == Some(Mutant::RingWithoutAlert) => {
                    effects.extend(edge.handle(now, Command::AlertOk(*of)));
                    continue;
                }
                _ => {}
            }
            match to_mail(&self.shape, now, c, &edge, effect) {
                Ok(mail) => sent.push(mail),
                Err(effect) => done.push(effect),
            }
        }
        let after = holds(contact, &edge);
        let gone = matches!(edge.phase(), Phase::Gone(_));
        // Stored before anything is sent, and only when a new owner would need it.
        let changed = stored.is_some_and(|stored| differ(&stored, &edge));
        if let Some(kept) = state.kept.as_mut().filter(|_| changed) {
            if who == Who::Zombie && !unfenced {
                kept.zombie = None;
                return Step::of(Outcome::Fenced);
            }
            kept.record = edge.clone();
        }
        if let Some(slot) = state.slot(who) {
            *slot = edge;
        }
        if who == Who::Zombie {
            if changed {
                self.watch.old_epoch_stored();
            }
            let mut step = Step::of(Outcome::Done);
            step.sent = sent;
            return step;
        }
        state.stream = stream;
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
    pub(crate) fn tick_without_time(&mut self, at: Timestamp, who: Who, c: usize) -> Step {
        Mutant::plant(self.mutant);
        let step = self.contact_step(at, who, c, Command::Tick);
        let contact = self.contacts[c].change();
        if let Some(kept) = &mut contact.kept {
            kept.record.forget_time();
        }
        if let Some(edge) = contact.slot(who) {
            edge.forget_time();
        }
        step
    }

    /// The process of the contact is asked whether it uses a reservation; only its no has a meaning. For a contact that
    /// outlives its process nobody says no but its owner, or who believes to be it.
    pub(super) fn has_offer(&self, who: Who, c: usize, of: Reservation) -> Step {
        let contact = &self.contacts[c];
        let edge = contact.instance(who);
        if contact.is_durable() && edge.is_none() {
            return Step::of(Outcome::Nobody);
        }
        let has = edge.is_some_and(|edge| edge.bonds().reservations.contains(&of));
        let edge_epoch = edge.map_or(0, Edge::owner_epoch);
        let mut step = Step::of(Outcome::Done);
        if !has {
            let (number, contact) = (of.number, contact_id(c));
            let message = AgentMessage::NotHeld {
                number,
                contact,
                edge_epoch,
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
            agent,
        } => {
            let message = QueueMessage::Left {
                contact,
                attach_no,
                reason,
                agent,
            };
            Mail::queue(queue_no(queue), message)
        }
        Effect::Alert(of) => {
            let ring = edge.alert_until(of).map(|due| due.since(now));
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
        Effect::Ring(_)
        | Effect::Brief(_)
        | Effect::Stop { .. }
        | Effect::Bridge(_)
        | Effect::Out(_) => return Err(effect),
    })
}
