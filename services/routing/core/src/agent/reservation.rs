//! A granted slot, from its offer to the end of its wrap-up.
//!
//! The two commit points are here: `Reserved -> Alerting` (the device may ring) and `Alerting -> Connected` (the parties
//! may be bridged). `Refused` and `Ended` are final: a reservation number never comes back.

use super::{Agent, Chosen, Part, Rest, Slot, SlotPhase};
use crate::{
    Deadlines, Event,
    message::{AgentEffect, AgentOut, Answer, Caller, EdgeEpoch, NoPickUp},
    mutants::{Mutant, breaks},
    settings::{Rona, RonaAction},
};
use centro_kernel::{ContactId, QueueId, Timestamp, contact::OfferEnd};
use std::{sync::Arc, time::Duration};

/// No device rings and no agent is briefed longer than this (spec D2, D4).
const LONGEST_ALERT: Duration = Duration::from_secs(900 + 70);

impl Agent {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn on_alert(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        contact: ContactId,
        (edge, edge_epoch): (Arc<str>, EdgeEpoch),
        caller: Arc<Caller>,
        ring: Duration,
        out: &mut AgentOut,
    ) {
        out.fence = true;
        if self.is_old_owner(number, contact, edge_epoch) {
            out.answer = Some(Answer::Refused);
            return;
        }
        let usual = self.record.device;
        let mut rings = None;
        let slot = self.record.slot_mut(number);
        out.answer = Some(match slot {
            Some(slot) => {
                let device = slot.pick_up.and_then(|p| p.device).or(usual);
                let moved = edge_epoch > slot.edge_epoch && slot.contact == Some(contact);
                match slot.phase {
                    // A new owner lets it ring for its full time again, and the edge must speak first.
                    SlotPhase::Alerting if moved => {
                        (slot.edge, slot.edge_epoch) = (edge, edge_epoch);
                        slot.due = Some(now + slot.ring + cfg.ring_margin);
                        self.dirty = true;
                        Answer::AlertOk { device }
                    }
                    SlotPhase::Reserved => {
                        let ring = ring.max(slot.terms.ring).min(LONGEST_ALERT);
                        slot.phase = SlotPhase::Alerting;
                        slot.since = now;
                        slot.contact = Some(contact);
                        (slot.edge, slot.edge_epoch) = (edge, edge_epoch);
                        slot.caller = caller;
                        slot.ring = ring;
                        slot.due = Some(now + ring + cfg.ring_margin);
                        self.dirty = true;
                        rings = slot.pick_up.map(|_| slot.queue);
                        Answer::AlertOk { device }
                    }
                    SlotPhase::Alerting if slot.contact == Some(contact) => {
                        Answer::AlertOk { device }
                    }
                    SlotPhase::Connected | SlotPhase::WrapUp if slot.contact == Some(contact) => {
                        Answer::Late
                    }
                    _ => Answer::Refused,
                }
            }
            None => Answer::Refused,
        });
        if let Some(queue) = rings {
            self.tell_that_it_rings(queue, contact, out);
        }
    }

    /// Whether the contact has a later owner than this. Then its word changes nothing, and it may believe nothing.
    fn is_old_owner(&self, number: u64, contact: ContactId, edge_epoch: EdgeEpoch) -> bool {
        let slot = self.record.slot(number);
        slot.is_some_and(|s| s.contact == Some(contact) && edge_epoch < s.edge_epoch)
            && !breaks(Mutant::OldEdge)
    }

    /// THE commit point: once this is stored, and only then, the edge may bridge.
    pub(super) fn on_connect(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        contact: ContactId,
        edge_epoch: EdgeEpoch,
        out: &mut AgentOut,
    ) {
        out.fence = true;
        if self.is_old_owner(number, contact, edge_epoch) {
            out.answer = Some(Answer::Refused);
            return;
        }
        let reservation = self.record.reservation(number);
        let mut slot = self
            .record
            .slot_mut(number)
            .filter(|s| s.contact == Some(contact));
        if let Some(slot) = &mut slot {
            self.dirty |= edge_epoch > slot.edge_epoch;
            slot.edge_epoch = edge_epoch.max(slot.edge_epoch);
        }
        out.answer = Some(match slot {
            Some(slot) if slot.phase == SlotPhase::Alerting => {
                let (queue, ring) = (slot.queue, now.since(slot.since));
                slot.phase = SlotPhase::Connected;
                slot.since = now;
                slot.due = Some(now + cfg.recheck);
                self.dirty = true;
                self.answered(now, queue);
                let why = OfferEnd::Answered;
                out.events.push(Event::OfferEnded {
                    contact,
                    queue,
                    reservation,
                    why,
                    ring,
                });
                out.events.push(Event::ContactConnected {
                    contact,
                    queue,
                    reservation,
                });
                Answer::ConnectOk
            }
            Some(slot) if slot.phase == SlotPhase::Connected => Answer::ConnectOk,
            _ => Answer::Refused,
        });
        // A store that lost a write knows nothing of the ring: whoever was refused here must not be served later.
        let slot = self.record.slot(number);
        if slot.is_some_and(|s| s.phase == SlotPhase::Reserved) {
            self.drop_slot(cfg, now, number, false, out);
        }
    }

    /// A contact was received: the agent is there, and the counts that strategies go by move on.
    fn answered(&mut self, now: Timestamp, queue: QueueId) {
        let r = &mut self.record;
        r.misses = 0;
        r.received_at = now;
        r.contacts += 1;
        if r.membership(queue).is_some_and(|m| m.misses > 0) {
            self.change_memberships(|m| m.misses *= u32::from(m.queue != queue));
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn on_end(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        contact: ContactId,
        why: OfferEnd,
        edge_epoch: EdgeEpoch,
        out: &mut AgentOut,
    ) {
        out.fence = true;
        if self.is_old_owner(number, contact, edge_epoch) {
            out.answer = Some(Answer::Refused);
            return;
        }
        // Another contact's word about this number is of one that it lost long ago: its own is over, ours goes on.
        let slot = self.record.slot(number);
        if slot.is_some_and(|s| s.contact.is_some_and(|held| held != contact)) {
            out.answer = Some(Answer::Ended {
                was_connected: false,
            });
            return;
        }
        let was_connected = match slot.map(|s| s.phase) {
            Some(SlotPhase::Connected) => {
                if why == OfferEnd::CommitFailed {
                    self.drop_slot(cfg, now, number, true, out);
                } else {
                    self.begin_wrap_up(cfg, now, number, out);
                }
                true
            }
            Some(SlotPhase::WrapUp) => true,
            Some(_) => {
                self.offer_failed(cfg, now, number, Some(contact), why, out);
                false
            }
            None => {
                let mut done = self.record.done.iter();
                done.any(|e| e.number == number && e.connected == Some(contact))
            }
        };
        out.answer = Some(Answer::Ended { was_connected });
    }

    pub(super) fn on_edge_dead(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        out: &mut AgentOut,
    ) {
        out.fence = true;
        out.answer = Some(Answer::Done);
        let slots = self
            .record
            .slots
            .iter()
            .filter(|s| s.contact == Some(contact));
        for (number, phase) in slots.map(|s| (s.number, s.phase)).collect::<Vec<_>>() {
            match phase {
                SlotPhase::Connected => self.begin_wrap_up(cfg, now, number, out),
                SlotPhase::WrapUp => {}
                _ => self.offer_failed(cfg, now, number, None, OfferEnd::CallerGone, out),
            }
        }
    }

    /// The edge does not know the conversation, or is gone. What it had asked for meanwhile is another reservation.
    pub(super) fn on_not_held(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        contact: ContactId,
        edge_epoch: EdgeEpoch,
        out: &mut AgentOut,
    ) {
        if self.is_old_owner(number, contact, edge_epoch) {
            return;
        }
        let slot = self.record.slot(number);
        if slot.is_some_and(|s| s.contact == Some(contact) && s.phase == SlotPhase::Connected) {
            self.begin_wrap_up(cfg, now, number, out);
        }
    }

    /// A conversation has no end of its own, so its edge is asked. The next time is not stored: whoever takes the record
    /// over asks anew.
    fn ask_edge(&mut self, cfg: &Deadlines, now: Timestamp, number: u64, out: &mut AgentOut) {
        let reservation = self.record.reservation(number);
        if let Some(slot) = self.record.slot_mut(number)
            && let Some(contact) = slot.contact
        {
            slot.due = Some(now + cfg.recheck);
            out.send.push(AgentEffect::AskEdge {
                reservation,
                contact,
                edge: slot.edge.clone(),
            });
        }
    }

    /// Reserved: the queue brought nobody. Alerting, Revoked: the edge is lost. No penalty: it is not the agent's fault.
    pub(super) fn on_slot_due(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        out: &mut AgentOut,
    ) {
        match self.record.slot(number).map(|s| s.phase) {
            Some(SlotPhase::WrapUp) => self.finish_wrap_up(cfg, now, number, out),
            Some(SlotPhase::Reserved) => self.drop_slot(cfg, now, number, false, out),
            Some(SlotPhase::Alerting | SlotPhase::Revoked) => {
                self.offer_failed(cfg, now, number, None, OfferEnd::CallerGone, out);
            }
            Some(SlotPhase::Connected) => self.ask_edge(cfg, now, number, out),
            None => {}
        }
    }

    /// An offer came to nothing. A device that rang in vain counts as missed. One that could not be reached does not, but
    /// is left alone for a while: the next contact would fare no better. Whoever paused while it rang was there, and
    /// whoever picked the contact up asked for it: what they chose stays.
    fn offer_failed(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        asker: Option<ContactId>,
        why: OfferEnd,
        out: &mut AgentOut,
    ) {
        let Some(slot) = self.record.slot(number) else {
            return;
        };
        let (queue, terms) = (slot.queue, slot.terms.clone());
        self.pick_up_is_off(slot, NoPickUp::Taken, out);
        let rang = slot.phase != SlotPhase::Reserved;
        let counts = slot.phase == SlotPhase::Alerting && slot.pick_up.is_none();
        let ring = if rang {
            now.since(slot.since)
        } else {
            Duration::ZERO
        };
        if let Some(contact) = slot.contact.or(asker) {
            let reservation = self.record.reservation(number);
            out.events.push(Event::OfferEnded {
                contact,
                queue,
                reservation,
                why,
                ring,
            });
        }
        let rest = match why {
            _ if !counts => None,
            OfferEnd::DeviceFailed => Some((cfg.unreachable, Rest::Unreachable)),
            OfferEnd::Busy => Some((terms.busy_delay, Rest::Busy)),
            OfferEnd::Rejected => Some((terms.reject_delay, Rest::Rejected)),
            OfferEnd::NoAnswer => Some((terms.no_answer_delay, Rest::NoAnswer)),
            _ => None,
        };
        let rest = rest.filter(|(time, _)| !time.is_zero());
        if let Some(rest) = rest.map(|(time, rest)| (now + time, rest)) {
            // Of two, as conversations may bring them, the longer holds.
            self.record.rest = self.record.rest.max(Some(rest));
        }
        if counts && matches!(why, OfferEnd::NoAnswer | OfferEnd::Rejected) {
            self.record.idle_since = now;
        }
        self.record.slots.retain(|s| s.number != number);
        let mut leaves = false;
        if counts && why == OfferEnd::NoAnswer {
            leaves = self.missed(now, queue, &terms.rona, out);
        }
        self.drop_slot(cfg, now, number, false, out);
        if leaves {
            self.presence(queue, out);
        }
    }

    /// Redirection on no answer (spec D11): after too many offers missed in a row the agent gets no more. True when the
    /// agent leaves the queue.
    fn missed(&mut self, now: Timestamp, queue: QueueId, rona: &Rona, out: &mut AgentOut) -> bool {
        self.record.misses += 1;
        self.change_memberships(|m| m.misses += u32::from(m.queue == queue));
        let here = self.record.membership(queue).map_or(0, |m| m.misses);
        let missed = if rona.this_queue_only {
            here
        } else {
            self.record.misses
        };
        if missed < rona.count.max(1) {
            return false;
        }
        match (&rona.action, rona.this_queue_only) {
            (RonaAction::None, _) => {}
            (RonaAction::NotResponding, false) => self.record.not_responding = true,
            (RonaAction::NotResponding, true) => self.take_part(queue, &Part::NotResponding),
            (RonaAction::Pause(reason), false) => {
                self.choose(now, Chosen::Paused(reason.to_string()), out);
            }
            (RonaAction::Pause(reason), true) => {
                self.take_part(queue, &Part::Paused(reason.clone()));
            }
            (RonaAction::LogOut, false) => self.choose(now, Chosen::LoggedOut, out),
            (RonaAction::LogOut, true) => {
                self.follow_no_more(|m| m.queue == queue);
                let stay = self.record.memberships.iter().filter(|m| m.queue != queue);
                self.record.memberships = stay.cloned().collect();
                return true;
            }
        }
        false
    }

    fn take_part(&mut self, queue: QueueId, part: &Part) {
        self.change_memberships(|m| {
            if m.queue == queue {
                m.part = part.clone();
            }
        });
    }

    /// Whoever waits for the phone to ring is told that it will not.
    pub(super) fn pick_up_is_off(&self, slot: &Slot, why: NoPickUp, out: &mut AgentOut) {
        if slot.phase == SlotPhase::Reserved
            && let Some(wanted) = slot.pick_up
        {
            self.refuse_pick_up(slot.queue, wanted.contact, Some(slot.number), why, out);
        }
    }

    /// Removes a slot for good.
    pub(super) fn drop_slot(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        was_connected: bool,
        out: &mut AgentOut,
    ) {
        let slot = self.record.slot(number);
        if let Some(slot) = slot {
            self.pick_up_is_off(slot, NoPickUp::Unanswered, out);
        }
        let slot = slot.filter(|_| was_connected);
        let connected = slot.and_then(|s| s.contact);
        self.record.slots.retain(|s| s.number != number);
        self.record.remember(now, cfg.tombstone, number, connected);
        if was_connected {
            self.record.idle_since = now;
        }
        self.changed(cfg, now, out);
    }
}
