//! What people do to those who wait: another priority, another queue, out, or take one themselves (spec V2, C23).
//!
//! The edge owns its contact, so the queue only says what is wished, until the edge has left. Whichever comes first, an
//! answer or the wish, wins at the edge.

use super::{Queue, Wish, award::release, roster::OutPickUp};
use crate::{
    Deadlines, Event,
    message::{Answer, EdgeMessage, PickUp, QueueEffect, QueueOut, Rank},
    mutants::{Mutant, breaks},
};
use centro_kernel::{ContactId, Timestamp, UserId, contact::Reservation};

/// How often a pick-up that nobody answers is repeated.
const REPEATS: u8 = 5;

impl Queue {
    pub(super) fn on_set_priority(
        &mut self,
        contact: ContactId,
        priority: u32,
        out: &mut QueueOut,
    ) {
        out.fence = true;
        let Some(entry) = self.line.get(contact) else {
            out.answer = Some(Answer::NotWaiting);
            return;
        };
        out.answer = Some(Answer::Done);
        if entry.priority == priority && entry.reprioritised {
            return;
        }
        self.line.change(contact, |entry| {
            entry.priority = priority;
            entry.reprioritised = true;
        });
        self.stored(contact, out);
        out.events.push(Event::ContactReprioritised {
            contact,
            queue: self.settings.id,
            priority,
            position: self.line.position(contact).unwrap_or(0),
        });
    }

    pub(super) fn on_wish(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        wish: Wish,
        out: &mut QueueOut,
    ) {
        out.fence = true;
        if self.line.get(contact).is_none() {
            out.answer = Some(Answer::NotWaiting);
            return;
        }
        out.answer = Some(Answer::Done);
        if wish == Wish::MoveTo(self.settings.id) {
            // It is here, and the last wish counts: nobody wants it elsewhere any more.
            if self.line.get(contact).is_some_and(|e| e.wish.is_some()) {
                self.line.change(contact, |entry| entry.wish = None);
                self.stored(contact, out);
                self.skip_hopeless_step(now, contact, out);
            }
            return;
        }
        if let Some(agent) = self.line.covered_by(contact) {
            self.slow_down(agent);
        }
        self.line
            .change(contact, |entry| entry.wish = Some((wish, now + cfg.wish)));
        self.stored(contact, out);
        self.send_wish(contact, out);
    }

    pub(super) fn on_wish_due(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        out: &mut QueueOut,
    ) {
        self.line.change(contact, |entry| {
            if let Some((_, due)) = &mut entry.wish {
                *due = now + cfg.wish;
            }
        });
        self.send_wish(contact, out);
    }

    pub(super) fn send_wish(&self, contact: ContactId, out: &mut QueueOut) {
        let Some(entry) = self.line.get(contact) else {
            return;
        };
        let attach_no = entry.attach_no;
        let message = match entry.wish {
            Some((Wish::MoveTo(queue), _)) => EdgeMessage::MoveTo { attach_no, queue },
            Some((Wish::TakeOut, _)) => EdgeMessage::TakenOut { attach_no },
            None => return,
        };
        out.fence = true;
        out.send.push(QueueEffect::Edge(contact, message));
    }

    pub(super) fn on_pick_up(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        agent: UserId,
        pick_up: PickUp,
        out: &mut QueueOut,
    ) {
        out.fence = true;
        if self.line.get(pick_up.contact).is_none() {
            out.answer = Some(Answer::NotWaiting);
            return;
        }
        out.answer = Some(Answer::Done);
        let asked = OutPickUp {
            pick_up,
            due: now + cfg.bid,
            left: REPEATS,
        };
        self.roster.set_pick_up(agent, asked);
        self.send_pick_up(now, agent, pick_up, out);
    }

    pub(super) fn on_pick_up_due(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        agent: UserId,
        contact: ContactId,
        out: &mut QueueOut,
    ) {
        let Some(asked) = self.roster.remove_pick_up(agent, contact) else {
            return;
        };
        if asked.left == 0 || self.line.get(contact).is_none() {
            return;
        }
        let again = OutPickUp {
            due: now + cfg.bid,
            left: asked.left - 1,
            ..asked
        };
        self.roster.set_pick_up(agent, again);
        self.send_pick_up(now, agent, asked.pick_up, out);
    }

    fn send_pick_up(&self, now: Timestamp, agent: UserId, pick_up: PickUp, out: &mut QueueOut) {
        let entry = self.line.get(pick_up.contact);
        let rank = Rank {
            weight: u32::MAX,
            enqueued_at: entry.map_or(now, |entry| entry.enqueued_at),
        };
        let ver = self.roster.member(agent).map_or(0, |member| member.ver);
        self.send_bid(agent, ver, rank, Some(pick_up), out);
    }

    /// The person is reserved: the contact is offered to nobody else first, unless it is gone or wanted elsewhere.
    pub(super) fn take_pick_up(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        reservation: Reservation,
        out: &mut QueueOut,
    ) {
        let agent = reservation.agent;
        // A repeat may come long after its offer ended, and is no new wish.
        let asked = self.roster.remove_pick_up(agent, contact).is_some();
        let entry = self.line.get(contact).filter(|_| asked);
        let open = entry.is_some_and(|e| {
            e.attached && e.wish.is_none() && !e.offers.iter().any(|r| r.agent == agent)
        });
        if open {
            if let Some(bidden) = self.line.covered_by(contact) {
                self.slow_down(bidden);
            }
            if breaks(Mutant::PickUpUnrecorded) {
                let attach_no = self.line.get(contact).map_or(0, |entry| entry.attach_no);
                self.send_offer(contact, attach_no, reservation, out);
                return;
            }
            let decision = self.line.get(contact).map(|entry| self.picked_up(entry));
            self.offer(cfg, now, contact, reservation, decision, out);
        } else {
            release(reservation, out);
        }
    }
}
