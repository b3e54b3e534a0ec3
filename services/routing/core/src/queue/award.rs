//! From a waiting contact to a reserved agent: bids out, grants in.
//!
//! A bid names no contact. The contact is bound when the grant arrives, and it is the first in order that fits, so an
//! answer that comes early never lets a later contact overtake.

use super::{Queue, roster::OutBid};
use crate::{
    Deadlines, Event,
    message::{
        AgentMessage, Bid, EdgeMessage, Grant, Presence, QueueEffect, QueueOut, Rank, Terms,
    },
};
use centro_kernel::{ContactId, Timestamp, UserId, contact::Reservation};

impl Queue {
    /// Bids for agents on behalf of every contact that has no running bid, in order.
    ///
    /// Ends when no agent is free: O(log n) for each bid made. Only contacts that may not be offered to any of the free
    /// agents are walked over in vain, and those have rejected or missed each of them within the last seconds.
    pub(super) fn rematch(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut QueueOut) {
        if self.hold.is_some() || self.closed {
            return;
        }
        let mut after = None;
        while !self.roster.nobody_free() {
            let Some(place) = self.line.next_uncovered(after) else {
                return;
            };
            after = Some(place);
            let Some(entry) = self.line.get(place.2) else {
                return;
            };
            let Some((agent, ver)) = self.roster.choose(|agent| entry.fits(agent)) else {
                continue;
            };
            let (hint, enqueued_at) = (entry.contact, entry.enqueued_at);
            self.roster.set_bid(
                agent,
                OutBid {
                    ver,
                    hint,
                    due: now + cfg.bid,
                    slow: false,
                },
            );
            self.line.cover(hint, agent);
            self.send_bid(agent, ver, enqueued_at, out);
        }
    }

    fn send_bid(&self, agent: UserId, ver: u64, enqueued_at: Timestamp, out: &mut QueueOut) {
        let bid = Bid {
            queue: self.settings.id,
            epoch: self.epoch,
            ver,
            rank: Rank {
                weight: self.settings.weight.unwrap_or(0),
                enqueued_at,
            },
            terms: Terms {
                ring: self.settings.ring,
                wrap_up: self.settings.wrap_up,
                missed_offers: self.settings.missed_offers,
            },
        };
        out.send
            .push(QueueEffect::Agent(agent, AgentMessage::Bid(bid)));
    }

    /// A free agent waits for an answer of each of its queues: it gets a bid or a pass, always.
    pub(super) fn answer(&self, now: Timestamp, agent: UserId, out: &mut QueueOut) {
        let Some(member) = self.roster.member(agent).filter(|m| m.free) else {
            return;
        };
        let sent = out
            .send
            .iter()
            .any(|e| matches!(e, QueueEffect::Agent(to, AgentMessage::Bid(_)) if *to == agent));
        match self.roster.bid(agent) {
            _ if sent => {}
            // Asked again: the first answer was lost.
            Some(bid) => self.send_bid(agent, member.ver, self.bid_age(&bid).unwrap_or(now), out),
            None => out.send.push(QueueEffect::Agent(
                agent,
                AgentMessage::Pass {
                    queue: self.settings.id,
                    epoch: self.epoch,
                    ver: member.ver,
                },
            )),
        }
    }

    /// Since when the contact behind a bid waits; the oldest one when it is gone.
    fn bid_age(&self, bid: &OutBid) -> Option<Timestamp> {
        self.line
            .get(bid.hint)
            .map(|e| e.enqueued_at)
            .or_else(|| self.line.oldest())
    }

    pub(super) fn on_presence(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        presence: Presence,
        out: &mut QueueOut,
    ) {
        let agent = presence.agent;
        if self
            .roster
            .member(agent)
            .is_some_and(|known| known.ver > presence.ver)
        {
            return;
        }
        self.roster.set_member(presence);
        if self
            .roster
            .bid(agent)
            .is_some_and(|bid| bid.ver < presence.ver || !presence.free)
        {
            self.drop_bid(agent);
        }
        self.rematch(cfg, now, out);
        self.answer(now, agent, out);
    }

    fn drop_bid(&mut self, agent: UserId) {
        if let Some(bid) = self.roster.remove_bid(agent) {
            self.line.uncover(bid.hint, agent);
        }
    }

    /// The bid stays out and will be answered, but its contact may ask elsewhere.
    pub(super) fn slow_down(&mut self, agent: UserId) {
        if let Some(bid) = self.roster.bid(agent) {
            self.roster.set_bid(agent, OutBid { slow: true, ..bid });
            self.line.uncover(bid.hint, agent);
        }
    }

    /// A bid was not answered: it is repeated, never just forgotten.
    pub(super) fn on_bid_due(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        agent: UserId,
        out: &mut QueueOut,
    ) {
        let Some(bid) = self.roster.bid(agent).filter(|b| b.due <= now) else {
            return;
        };
        match self.bid_age(&bid) {
            Some(enqueued_at) => {
                self.roster.set_bid(
                    agent,
                    OutBid {
                        slow: true,
                        due: now + cfg.bid,
                        ..bid
                    },
                );
                self.line.uncover(bid.hint, agent);
                self.send_bid(agent, bid.ver, enqueued_at, out);
            }
            None => self.drop_bid(agent),
        }
    }

    /// Binds the first contact in order that fits to the granted agent.
    pub(super) fn on_grant(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        grant: Grant,
        out: &mut QueueOut,
    ) {
        if grant.epoch > self.epoch {
            out.deposed = true;
            return;
        }
        let mine = self.take_grant(cfg, now, grant, out);
        self.rematch(cfg, now, out);
        if mine {
            self.answer(now, grant.reservation.agent, out);
        }
    }

    /// False: a repeat, or a grant to another owner's bid, whose own deadline frees the agent.
    fn take_grant(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        grant: Grant,
        out: &mut QueueOut,
    ) -> bool {
        let Grant {
            reservation,
            ver,
            epoch,
            free,
        } = grant;
        let agent = reservation.agent;
        if epoch != self.epoch || self.offered.contains_key(&reservation) {
            return false;
        }
        let member = self.roster.member(agent).copied();
        let (Some(bid), Some(member)) = (self.roster.bid(agent).filter(|b| b.ver == ver), member)
        else {
            release(reservation, out);
            return false;
        };
        self.drop_bid(agent);
        self.roster.set_member(Presence {
            ver: ver + 1,
            free,
            ..member
        });
        let Some(contact) = self.line.first_for(agent) else {
            release(reservation, out);
            return true;
        };
        if contact != bid.hint {
            self.hand_cover_over(contact, bid.hint);
        }
        self.offer(cfg, now, contact, reservation, out);
        true
    }

    /// The winner's own bid now stands for the contact whose bid it used up.
    fn hand_cover_over(&mut self, winner: ContactId, hint: ContactId) {
        let Some(agent) = self.line.covered_by(winner) else {
            return;
        };
        let takes = self
            .line
            .get(hint)
            .is_some_and(|e| e.is_open() && e.fits(agent));
        match self.roster.bid(agent) {
            Some(bid) if takes && self.line.covered_by(hint).is_none() => {
                self.line.uncover(winner, agent);
                self.roster.set_bid(agent, OutBid { hint, ..bid });
                self.line.cover(hint, agent);
            }
            _ => self.slow_down(agent),
        }
    }

    fn offer(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        reservation: Reservation,
        out: &mut QueueOut,
    ) {
        let due = now + self.settings.ring + cfg.ring_margin;
        let entry = self.line.change(contact, |entry| {
            entry.offers.push(reservation);
            entry.offered_due = Some(due);
        });
        let Some(attach_no) = entry.map(|e| e.attach_no) else {
            return;
        };
        self.offered.insert(reservation, contact);
        self.stored(contact, out);
        out.events.push(Event::ContactOffered {
            contact,
            queue: self.settings.id,
            reservation,
        });
        self.send_offer(contact, attach_no, reservation, out);
    }

    pub(super) fn send_offer(
        &self,
        contact: ContactId,
        attach_no: u32,
        reservation: Reservation,
        out: &mut QueueOut,
    ) {
        let (epoch, ring) = (self.epoch, self.settings.ring);
        let offer = EdgeMessage::Offer {
            attach_no,
            epoch,
            reservation,
            ring,
        };
        out.send.push(QueueEffect::Edge(contact, offer));
    }
}

pub(super) fn release(reservation: Reservation, out: &mut QueueOut) {
    let message = AgentMessage::Release {
        number: reservation.number,
    };
    out.send
        .push(QueueEffect::Agent(reservation.agent, message));
}
