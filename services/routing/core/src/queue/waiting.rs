//! A contact's stay in the line: it attaches, is offered, comes back, leaves or is lost.

use super::{Entry, Queue, Tombstone, award::release};
use crate::{
    Deadlines, Event,
    message::{AgentMessage, Attach, ContactKind, EdgeMessage, QueueChange, QueueEffect, QueueOut},
};
use centro_kernel::{
    ContactId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::{collections::BTreeSet, time::Duration};

/// Who declined a contact is not asked for it sooner, whatever the queue says: a phone that declines by itself would ring
/// without end.
const AT_ONCE: Duration = Duration::from_secs(2);
/// Agents whose refusal or silence a contact remembers.
const MOST_DECLINED: usize = 256;

impl Queue {
    pub(super) fn on_attach(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        attach: Attach,
        out: &mut QueueOut,
    ) {
        let (contact, attach_no) = (attach.contact, attach.attach_no);
        out.fence = true;
        if let Some(grave) = self.left.get(&contact).filter(|g| g.attach_no >= attach_no) {
            let message = match grave.not_taken {
                Some(reason) => EdgeMessage::NotTaken { attach_no, reason },
                None => EdgeMessage::LeftOk { attach_no },
            };
            out.send.push(QueueEffect::Edge(contact, message));
            return;
        }
        let old = self.line.get(contact).cloned();
        if old.as_ref().is_some_and(|e| e.attach_no > attach_no) {
            return;
        }
        if old.is_none()
            && let Some(reason) = self.turns_away(attach.kind)
        {
            self.turn_away(now, contact, attach_no, attach.enqueued_at, reason, out);
            return;
        }
        let repeated = old
            .as_ref()
            .is_some_and(|e| e.attach_no == attach_no && e.attached);
        if !repeated {
            self.take_in(cfg, now, attach, old, out);
            self.skip_hopeless_step(now, contact, out);
            if self.line.get(contact).is_none() {
                return; // nobody here could ever serve it
            }
        }
        let position = self.line.position(contact).unwrap_or(0);
        let (epoch, waiting) = (self.epoch, self.waiting());
        let attached = EdgeMessage::Attached {
            attach_no,
            epoch,
            position,
            waiting,
        };
        out.send.push(QueueEffect::Edge(contact, attached));
    }

    fn take_in(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        attach: Attach,
        old: Option<Entry>,
        out: &mut QueueOut,
    ) {
        let contact = attach.contact;
        // What the edge does not hold it never got, or has ended: the agent is free again.
        for reservation in old.iter().flat_map(|e| &e.offers) {
            self.offered.remove(reservation);
            if !attach.holding.contains(reservation) {
                release(*reservation, out);
            }
        }
        for reservation in &attach.holding {
            self.offered.insert(*reservation, contact);
        }
        let due = now + self.settings.longest_offer() + cfg.ring_margin;
        let excluded = attach
            .excluded
            .iter()
            .map(|(agent, left)| (*agent, now + *left))
            .collect();
        let (caller, enqueued_at, kind) = (attach.caller, attach.enqueued_at, attach.kind);
        let is_new = old.is_none();
        let mut entry = Entry {
            contact,
            attach_no: attach.attach_no,
            enqueued_at,
            priority: attach.priority,
            reprioritised: false,
            boosted: false,
            overtaken: 0,
            kind,
            relax_due: attach.needs.lasts(0).map(|lasts| now + lasts),
            needs: attach.needs,
            step: 0,
            excluded,
            declined: BTreeSet::new(),
            retry_due: None,
            attached: true,
            on_trial: self.settle.is_some(),
            lost_due: None,
            promise_due: None,
            offered_due: (!attach.holding.is_empty()).then_some(due),
            offers: attach.holding,
            boost_due: self.settings.ageing.max_wait.map(|wait| enqueued_at + wait),
            wish: None,
            caller: caller.clone(),
            edge: attach.edge,
        };
        if let Some(old) = old {
            entry.go_on_from(old);
        }
        let priority = entry.priority;
        let wanted_elsewhere = entry.wish.is_some();
        self.line.put(entry);
        self.stored(contact, out);
        if wanted_elsewhere {
            self.send_wish(contact, out);
        }
        if is_new {
            out.events.push(Event::ContactQueued {
                contact,
                queue: self.settings.id,
                kind,
                caller,
                enqueued_at,
                priority,
                position: self.line.position(contact).unwrap_or(0),
            });
        }
    }

    /// Said when somebody wants to hear it: places move with every answer, and hardly any of them is ever spoken.
    pub(super) fn tell_position(&self, contact: ContactId, out: &mut QueueOut) {
        if let Some(position) = self.line.position(contact) {
            let waiting = self.waiting();
            let message = EdgeMessage::Position { position, waiting };
            out.send.push(QueueEffect::Edge(contact, message));
        }
    }

    /// Refuses a contact, or sends it away, and remembers what to say when it asks again.
    pub(super) fn turn_away(
        &mut self,
        now: Timestamp,
        contact: ContactId,
        attach_no: u32,
        enqueued_at: Timestamp,
        reason: LeftReason,
        out: &mut QueueOut,
    ) {
        self.bury(now, contact, attach_no, Some(reason), out);
        self.tell_left(now, contact, None, reason, enqueued_at, out);
        let message = EdgeMessage::NotTaken { attach_no, reason };
        out.send.push(QueueEffect::Edge(contact, message));
    }

    pub(super) fn on_offer_ended(
        &mut self,
        now: Timestamp,
        contact: ContactId,
        reservation: Reservation,
        exclude_for: Option<Duration>,
        why: OfferEnd,
        out: &mut QueueOut,
    ) {
        let entry = self.line.get(contact);
        if !entry.is_some_and(|entry| entry.offers.contains(&reservation)) {
            return; // a repeat, or the contact came back without it
        }
        self.offered.remove(&reservation);
        self.pick_up_came_to_nothing(contact, reservation, why, out);
        let declined = why == OfferEnd::Rejected;
        // The edge knows the delay that was in force when the contact came; the queue knows the present one.
        let delay = if declined {
            Some(self.settings.terms.reject_delay.max(AT_ONCE))
        } else {
            exclude_for
        };
        let retry = Some(self.settings.retry_delay)
            .filter(|delay| why == OfferEnd::NoAnswer && !delay.is_zero());
        self.line.change(contact, |entry| {
            entry.offers.retain(|r| *r != reservation);
            if entry.offers.is_empty() {
                entry.offered_due = None;
            }
            if let Some(delay) = delay.filter(|d| !d.is_zero()) {
                entry.excluded.insert(reservation.agent, now + delay);
            }
            let others_first = declined || why == OfferEnd::NoAnswer;
            if others_first && entry.declined.len() < MOST_DECLINED {
                entry.declined.insert(reservation.agent);
            }
            if let Some(delay) = retry {
                entry.retry_due = Some(now + delay);
            }
        });
        self.stored(contact, out);
        self.skip_hopeless_step(now, contact, out);
    }

    pub(super) fn on_left(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        attach_no: u32,
        reason: LeftReason,
        agent: Option<UserId>,
        out: &mut QueueOut,
    ) {
        out.fence = true;
        let accepted = reason == LeftReason::CallbackRequested;
        if accepted && self.promise(cfg, now, contact, attach_no, out) {
            // The call is over; its place is not.
        } else if self
            .line
            .get(contact)
            .is_some_and(|e| e.attach_no <= attach_no)
            && let Some(entry) = self.take_out(contact)
        {
            out.changes.push(QueueChange::Remove(contact));
            if let Some(agent) = agent {
                self.end_pick_up(agent, contact, Ok(()), out);
            }
            // The place of a call alone can be kept: whatever else asks for a callback has just left.
            let reason = if accepted {
                LeftReason::Abandoned
            } else {
                reason
            };
            self.tell_left(now, contact, agent, reason, entry.enqueued_at, out);
        }
        self.bury(now, contact, attach_no, None, out);
        out.send.push(QueueEffect::Edge(
            contact,
            EdgeMessage::LeftOk { attach_no },
        ));
    }

    pub(super) fn on_detached(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        attach_no: u32,
        out: &mut QueueOut,
    ) {
        if self
            .line
            .get(contact)
            .is_some_and(|e| e.attach_no == attach_no && e.attached)
        {
            self.line.change(contact, |entry| {
                entry.attached = false;
                entry.lost_due = (!entry.is_unheld_promise()).then(|| now + cfg.reattach);
            });
            self.stored(contact, out);
        }
    }

    /// The edge will not come back. Its last `Attach` may still be on its way, hence the grave for all attachments.
    pub(super) fn on_edge_dead(&mut self, now: Timestamp, contact: ContactId, out: &mut QueueOut) {
        let entry = self.line.get(contact);
        if entry.is_some_and(|e| e.kind == ContactKind::Callback) {
            for reservation in self.keep_promise(contact, out) {
                let dead = AgentMessage::EdgeDead { contact };
                out.send.push(QueueEffect::Agent(reservation.agent, dead));
                release(reservation, out);
            }
            return;
        }
        if let Some(entry) = self.take_out(contact) {
            out.changes.push(QueueChange::Remove(contact));
            let reason = LeftReason::SystemFailure;
            self.tell_left(now, contact, None, reason, entry.enqueued_at, out);
            for reservation in entry.offers {
                let dead = AgentMessage::EdgeDead { contact };
                out.send.push(QueueEffect::Agent(reservation.agent, dead));
                release(reservation, out);
            }
        } else if self
            .left
            .get(&contact)
            .is_some_and(|grave| grave.attach_no == u32::MAX)
        {
            return; // a repeat
        }
        self.bury(now, contact, u32::MAX, None, out);
    }

    /// The stream did not come back in time. The edge may live all the same: it attaches anew with a higher number, and
    /// whoever it talks to by now is none of our business.
    pub(super) fn on_lost(&mut self, now: Timestamp, contact: ContactId, out: &mut QueueOut) {
        let Some(entry) = self.take_out(contact) else {
            return;
        };
        out.changes.push(QueueChange::Remove(contact));
        let reason = LeftReason::SystemFailure;
        self.tell_left(now, contact, None, reason, entry.enqueued_at, out);
        for reservation in entry.offers {
            release(reservation, out);
        }
        self.bury(now, contact, entry.attach_no, None, out);
    }

    /// The queue was deleted: everybody leaves, and whoever comes is turned away.
    pub(super) fn on_close(&mut self, now: Timestamp, out: &mut QueueOut) {
        self.closed = true;
        out.fence = true;
        for contact in self.line.contacts() {
            if let Some(entry) = self.remove(contact, out) {
                let (no, at) = (entry.attach_no, entry.enqueued_at);
                self.turn_away(now, contact, no, at, LeftReason::QueueClosed, out);
                for reservation in entry.offers {
                    release(reservation, out);
                }
            }
        }
        for agent in self.roster.bidden() {
            self.roster.remove_bid(agent);
        }
    }

    /// Removes an entry for good.
    pub(super) fn remove(&mut self, contact: ContactId, out: &mut QueueOut) -> Option<Entry> {
        let entry = self.take_out(contact)?;
        out.changes.push(QueueChange::Remove(contact));
        Some(entry)
    }

    /// Removes an entry and what points to it.
    fn take_out(&mut self, contact: ContactId) -> Option<Entry> {
        if let Some(agent) = self.line.covered_by(contact) {
            self.slow_down(agent);
        }
        let entry = self.line.remove(contact)?;
        for reservation in &entry.offers {
            self.offered.remove(reservation);
        }
        Some(entry)
    }

    pub(super) fn stored(&self, contact: ContactId, out: &mut QueueOut) {
        if let Some(entry) = self.line.keep(contact) {
            out.fence = true;
            let place = self.line.place(entry);
            out.changes.push(QueueChange::Put(entry.clone(), place));
        }
    }

    fn bury(
        &mut self,
        now: Timestamp,
        contact: ContactId,
        attach_no: u32,
        not_taken: Option<LeftReason>,
        out: &mut QueueOut,
    ) {
        let known = self.left.get(&contact).map_or(0, |g| g.attach_no);
        if known > attach_no {
            return;
        }
        let grave = Tombstone {
            attach_no,
            at: now,
            not_taken,
        };
        if self.left.insert(contact, grave).is_none() {
            self.burials.push_back((now, contact));
        }
        out.fence = true;
        out.changes.push(QueueChange::Bury(contact, grave));
    }

    /// Forgets who left long ago. At most two per step, so that a step stays short and the graveyard shrinks.
    pub(super) fn tend_graves(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut QueueOut) {
        for _ in 0..2 {
            let Some(&(at, contact)) = self.burials.front() else {
                return;
            };
            if now.since(at) < cfg.tombstone {
                return;
            }
            self.burials.pop_front();
            match self.left.get(&contact).map(|g| g.at) {
                Some(renewed) if now.since(renewed) < cfg.tombstone => {
                    self.burials.push_back((renewed, contact));
                }
                _ => {
                    self.left.remove(&contact);
                    out.fence = true;
                    out.changes.push(QueueChange::Forget(contact));
                }
            }
        }
    }

    pub(super) fn tell_left(
        &self,
        now: Timestamp,
        contact: ContactId,
        agent: Option<UserId>,
        reason: LeftReason,
        enqueued_at: Timestamp,
        out: &mut QueueOut,
    ) {
        out.events.push(Event::ContactLeft {
            contact,
            queue: self.settings.id,
            agent,
            reason,
            enqueued_at,
            wait: now.since(enqueued_at),
        });
    }
}
