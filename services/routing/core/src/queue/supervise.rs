//! What people do to those who wait: another priority, another queue, out, or take one themselves (spec V2, C23).
//!
//! The edge owns its contact, so the queue only says what is wished, until the edge has left. Whichever comes first, an
//! answer or the wish, wins at the edge.

use super::{Entry, Queue, Wish, award::release, roster::OutPickUp};
use crate::{
    Deadlines, Event,
    message::{Answer, EdgeMessage, NoPickUp, PickUp, QueueEffect, QueueOut, Rank},
    mutants::{Mutant, breaks},
};
use centro_kernel::{
    ContactId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};

/// How often a pick-up that nobody answers is repeated.
const REPEATS: u8 = 3;

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
        let unheld = self.line.get(contact).is_some_and(Entry::is_unheld_promise);
        if unheld && wish == Wish::TakeOut {
            // There is no edge to ask.
            self.end_promise(now, contact, LeftReason::CallbackCancelledByUser, out);
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
        let contact = pick_up.contact;
        let Some(entry) = self.line.get(contact) else {
            tell(agent, contact, Err(NoPickUp::NotWaiting), out);
            return;
        };
        if !entry.attached || entry.wish.is_some() {
            tell(agent, contact, Err(NoPickUp::Taken), out);
            return;
        }
        let asked = OutPickUp {
            pick_up,
            due: now + cfg.bid,
            left: REPEATS,
            offered: entry.offers.iter().find(|r| r.agent == agent).copied(),
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
        let Some(asked) = self.roster.pick_up(agent, contact) else {
            return;
        };
        if asked.left == 0 {
            self.end_pick_up(agent, contact, Err(NoPickUp::Unanswered), out);
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

    /// A refusal of a reservation that is not the one at hand is of an earlier wish.
    pub(super) fn on_pick_up_refused(
        &mut self,
        agent: UserId,
        contact: ContactId,
        number: Option<u64>,
        why: NoPickUp,
        out: &mut QueueOut,
    ) {
        let asked = self.roster.pick_up(agent, contact);
        if asked.is_some_and(|asked| asked.offered.map(|r| r.number) == number) {
            self.end_pick_up(agent, contact, Err(why), out);
        }
    }

    /// The edge ended an offer: nothing will ring for whoever waits for that.
    pub(super) fn pick_up_came_to_nothing(
        &mut self,
        contact: ContactId,
        reservation: Reservation,
        why: OfferEnd,
        out: &mut QueueOut,
    ) {
        let agent = reservation.agent;
        let asked = self.roster.pick_up(agent, contact);
        if asked.is_some_and(|asked| asked.offered == Some(reservation)) {
            let why = match why {
                OfferEnd::DeviceFailed => NoPickUp::NoPhone,
                OfferEnd::Busy | OfferEnd::Rejected | OfferEnd::Revoked => NoPickUp::Busy,
                OfferEnd::NoAnswer => NoPickUp::Unanswered,
                _ => NoPickUp::Taken,
            };
            self.end_pick_up(agent, contact, Err(why), out);
        }
    }

    /// Nobody is left waiting for a contact that has left.
    pub(super) fn end_pick_ups_of_the_gone(&mut self, out: &mut QueueOut) {
        let pick_ups = self.roster.pick_ups();
        let gone: Vec<_> = pick_ups
            .filter(|(_, contact)| self.line.get(*contact).is_none())
            .collect();
        for (agent, contact) in gone {
            self.end_pick_up(agent, contact, Err(NoPickUp::NotWaiting), out);
        }
    }

    pub(super) fn end_pick_up(
        &mut self,
        agent: UserId,
        contact: ContactId,
        outcome: Result<(), NoPickUp>,
        out: &mut QueueOut,
    ) {
        if self.roster.remove_pick_up(agent, contact).is_some() {
            tell(agent, contact, outcome, out);
        }
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

    /// The person is reserved: the contact is offered to nobody else first, unless it is gone or wanted elsewhere. The
    /// wish is fulfilled when the phone rings.
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
        let asked = self.roster.pick_up(agent, contact);
        let entry = self.line.get(contact).filter(|_| asked.is_some());
        let waits = entry.is_some_and(|e| e.attached && e.wish.is_none());
        let already = entry.is_some_and(|e| e.offers.iter().any(|r| r.agent == agent));
        if let Some(asked) = asked.filter(|_| waits && !already) {
            if let Some(bidden) = self.line.covered_by(contact) {
                self.slow_down(bidden);
            }
            if breaks(Mutant::PickUpUnrecorded) {
                let attach_no = self.line.get(contact).map_or(0, |entry| entry.attach_no);
                self.send_offer(contact, attach_no, reservation, out);
                return;
            }
            let offered = Some(reservation);
            self.roster
                .set_pick_up(agent, OutPickUp { offered, ..asked });
            let decision = self.line.get(contact).map(|entry| self.picked_up(entry));
            self.offer(cfg, now, contact, reservation, decision, out);
            return;
        }
        release(reservation, out);
        if !already {
            let gone = self.line.get(contact).is_none();
            let why = if gone {
                NoPickUp::NotWaiting
            } else {
                NoPickUp::Taken
            };
            self.end_pick_up(agent, contact, Err(why), out);
        }
    }
}

/// Believed by the person, so the epoch is checked first.
fn tell(agent: UserId, contact: ContactId, outcome: Result<(), NoPickUp>, out: &mut QueueOut) {
    out.fence = true;
    out.send.push(QueueEffect::PickedUp {
        agent,
        contact,
        outcome,
    });
}
