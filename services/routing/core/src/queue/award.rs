//! From a waiting contact to a reserved agent: bids out, grants in.
//!
//! A bid names no contact. The contact is bound when the grant arrives, and it is the first in order that fits, so an
//! answer that comes early never lets a later contact overtake.

use super::{Entry, Queue, entry::Place, roster::OutBid};
use crate::{
    Deadlines, Event,
    message::{
        AgentMessage, Bid, EdgeMessage, Grant, Medium, PickUp, Presence, QueueEffect, QueueOut,
        Rank,
    },
    mutants::{Mutant, breaks},
    reason::Decision,
    skills::Need,
    strategy::Strategy,
};
use centro_kernel::{ContactId, Timestamp, UserId, contact::Reservation};
use std::{collections::BTreeMap, sync::Arc};

impl Queue {
    /// Bids for agents on behalf of every contact that has no running bid, in order.
    ///
    /// Ends when no agent is free, or nobody waits whom one could serve: O(log n) for each bid made and for each group of
    /// contacts that need the same. Only contacts that may not be offered to any of the free agents are walked over in
    /// vain, and those have declined or missed each of them within the last seconds.
    pub(super) fn rematch(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut QueueOut) {
        let never = breaks(Mutant::NeverAsks);
        if self.hold.is_some() || self.closed || self.roster.nobody_free() || never {
            return;
        }
        match self.settings.strategy {
            Strategy::ManualPick => {}
            Strategy::RingAll => self.bid_for_all(cfg, now, out),
            _ if self.line.all_covered() => {}
            _ => self.bid_in_turn(cfg, now, out),
        }
    }

    fn bid_in_turn(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut QueueOut) {
        // How far each group was walked; all the way when nobody who is free could serve it.
        let mut walked: BTreeMap<Vec<Need>, Option<Place>> = BTreeMap::new();
        while !self.roster.nobody_free() {
            let Some(place) = self.line.next_uncovered(&walked) else {
                return;
            };
            let Some(entry) = self.line.get(place.2) else {
                return;
            };
            let (needs, roster) = (entry.needs_now(), &mut self.roster);
            let chosen = roster
                .choose(needs, |a| entry.fits(a) && !entry.declined.contains(&a))
                .or_else(|| roster.choose(needs, |a| entry.fits(a)));
            match chosen {
                Some((agent, ver)) => {
                    let rank = self.rank(now, entry);
                    self.bid(cfg, now, agent, ver, place.2, rank, out);
                    self.line.cover(place.2, agent);
                }
                None if !roster.any_free_meets(needs) => {
                    let needs = self.line.uncovered_needs();
                    let hopeless = needs.filter(|needs| !roster.any_free_meets(needs));
                    walked.extend(hopeless.map(|needs| (needs.clone(), None)));
                }
                None => {
                    walked.insert(needs.to_vec(), Some(place));
                }
            }
        }
    }

    /// Ring all: every free agent is asked for the first contact it could serve, offered elsewhere or not.
    fn bid_for_all(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut QueueOut) {
        if self.line.nobody_open() {
            return;
        }
        let free = self
            .roster
            .free_with(|skills| self.line.anybody_for(skills));
        let asked = free.filter_map(|free| {
            let agent = free.turn.2;
            let contact = self.line.first_asking(agent, free.skills)?;
            Some((agent, self.roster.member(agent)?.ver, contact))
        });
        for (agent, ver, contact) in asked.collect::<Vec<_>>() {
            if let Some(rank) = self.line.get(contact).map(|entry| self.rank(now, entry)) {
                self.bid(cfg, now, agent, ver, contact, rank, out);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn bid(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        agent: UserId,
        ver: u64,
        hint: ContactId,
        rank: Rank,
        out: &mut QueueOut,
    ) {
        let bid = OutBid {
            ver,
            hint,
            due: now + cfg.bid,
            slow: false,
        };
        self.roster.set_bid(agent, bid);
        self.send_bid(agent, ver, rank, None, out);
    }

    /// What a contact is worth against those of other queues (spec G10, D17).
    fn rank(&self, now: Timestamp, entry: &Entry) -> Rank {
        let enqueued_at = entry.enqueued_at;
        let minutes = u128::from(self.settings.ageing.points_per_minute)
            * now.since(enqueued_at).as_millis()
            / 60_000;
        let weight = if entry.boosted {
            u32::MAX
        } else {
            let gained = u32::try_from(minutes).unwrap_or(u32::MAX - 1);
            let weight = self.settings.weight.unwrap_or(0).saturating_add(gained);
            weight.min(u32::MAX - 1)
        };
        Rank {
            weight,
            enqueued_at,
        }
    }

    pub(super) fn send_bid(
        &self,
        agent: UserId,
        ver: u64,
        rank: Rank,
        pick_up: Option<PickUp>,
        out: &mut QueueOut,
    ) {
        let bid = Bid {
            queue: self.settings.id,
            epoch: self.epoch,
            ver,
            rank,
            terms: self.settings.terms.clone(),
            pick_up,
        };
        out.send
            .push(QueueEffect::Agent(agent, AgentMessage::Bid(bid)));
    }

    /// A free agent waits for an answer of each of its queues: it gets a bid or a pass, always.
    fn answer(&self, now: Timestamp, agent: UserId, at: usize, out: &mut QueueOut) {
        let Some((ver, bidden)) = self.roster.with_room(at) else {
            return;
        };
        let sent = out
            .send
            .iter()
            .any(|e| matches!(e, QueueEffect::Agent(to, AgentMessage::Bid(_)) if *to == agent));
        if sent {
            return;
        }
        if bidden {
            // Asked again: the first answer was lost.
            let rank = self.rank_of(now, agent);
            self.send_bid(agent, ver, rank, None, out);
        } else {
            let (queue, epoch) = (self.settings.id, self.epoch);
            let pass = AgentMessage::Pass { queue, epoch, ver };
            out.send.push(QueueEffect::Agent(agent, pass));
        }
    }

    /// What a bid is worth by now: the rank of the contact that a grant would be spent on.
    fn rank_of(&self, now: Timestamp, agent: UserId) -> Rank {
        let member = self.roster.member(agent);
        let first = member.and_then(|m| self.line.first_for(agent, &m.skills));
        match first.and_then(|contact| self.line.get(contact)) {
            Some(entry) => self.rank(now, entry),
            None => Rank {
                weight: self.settings.weight.unwrap_or(0),
                enqueued_at: now,
            },
        }
    }

    pub(super) fn on_presence(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        presence: &Presence,
        out: &mut QueueOut,
    ) {
        let (agent, asks) = (presence.agent, presence.member && presence.free);
        let lost_to = presence.lost_to;
        let Some(heard) = self.roster.hear(now, cfg.tombstone, presence) else {
            return;
        };
        if let Some((bid, skills)) = heard.ended {
            self.line.uncover(bid.hint, agent);
            if let Some(winner_since) = lost_to {
                self.note_overtaking(agent, &skills, winner_since, out);
            }
        }
        if heard.staff_changed {
            self.skip_hopeless_steps(now, out);
        }
        self.watch_empty(now);
        self.rematch(cfg, now, out);
        if let Some(at) = heard.at.filter(|_| asks) {
            self.answer(now, agent, at, out);
        }
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

    /// The queue no longer asks all for one: of the bids that run for a contact one stands for it from here on.
    pub(super) fn cover_once(&mut self) {
        for (agent, hint) in self.roster.standing_bids() {
            if self.line.get(hint).is_some() && self.line.covered_by(hint).is_none() {
                self.line.cover(hint, agent);
            } else {
                self.slow_down(agent);
            }
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
        if self.line.len() == 0 {
            self.drop_bid(agent);
            return;
        }
        let again = OutBid {
            slow: true,
            due: now + cfg.bid,
            ..bid
        };
        self.roster.set_bid(agent, again);
        self.line.uncover(bid.hint, agent);
        let rank = self.rank_of(now, agent);
        self.send_bid(agent, bid.ver, rank, None, out);
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
        self.watch_empty(now);
        self.rematch(cfg, now, out);
        let agent = grant.reservation.agent;
        if let Some(at) = self.roster.find(agent).filter(|_| mine) {
            self.answer(now, agent, at, out);
        }
    }

    /// False: a repeat, or a grant to another owner's bid, whose own deadline frees the agent; it tells nothing new.
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
            pick_up,
        } = grant;
        let agent = reservation.agent;
        if epoch != self.epoch || self.offered.contains_key(&reservation) {
            return false;
        }
        if let Some(contact) = pick_up {
            self.note_reserved(now, agent, ver, free);
            self.take_pick_up(cfg, now, contact, reservation, out);
            return true;
        }
        let hint = self.roster.bid(agent).filter(|b| b.ver == ver);
        let hint = hint.map(|bid| bid.hint);
        let overtaken = self.was_overtaken(agent, reservation);
        let member = self.roster.member(agent).cloned();
        let Some(member) = member.filter(|_| hint.is_some() || overtaken) else {
            release(reservation, out);
            return false;
        };
        self.note_reserved(now, agent, ver, free);
        let bound = hint.and_then(|hint| self.line.get(hint));
        let bound = bound.filter(|e| self.line.is_open(e));
        let bound = bound.filter(|_| breaks(Mutant::BindAtBid));
        let bound = bound.map(|e| e.contact);
        let Some(contact) = bound.or_else(|| self.line.first_for(agent, &member.skills)) else {
            release(reservation, out);
            return hint.is_some();
        };
        let decision = self
            .line
            .get(contact)
            .map(|entry| self.decision(entry, &member));
        match (hint, self.line.covered_by(contact)) {
            (Some(hint), _) if hint != contact => self.hand_cover_over(contact, hint),
            (None, Some(bidden)) => self.slow_down(bidden),
            _ => {}
        }
        // Of several who ring for one contact the first is the one who took it.
        let entry = self.line.get(contact);
        let taken = entry.filter(|e| e.offers.is_empty()).map(|e| e.enqueued_at);
        self.offer(cfg, now, contact, reservation, decision, out);
        if let Some(since) = taken {
            self.note_overtaking(agent, &member.skills, since, out);
        }
        hint.is_some()
    }

    /// Whether a reservation that no bid waits for any more is good all the same: an agent with room for several
    /// conversations had more to tell, and that came first. Released, it would be granted and overtaken again and again.
    fn was_overtaken(&mut self, agent: UserId, reservation: Reservation) -> bool {
        self.settings.terms.medium == Medium::Chat
            && !breaks(Mutant::ReleaseOvertaken)
            && self.roster.meet(agent, reservation.number)
    }

    fn note_reserved(&mut self, now: Timestamp, agent: UserId, ver: u64, free: bool) {
        if let Some(bid) = self.roster.note_reserved(now, agent, ver, free) {
            self.line.uncover(bid.hint, agent);
        }
    }

    /// The winner's own bid now stands for the contact whose bid it used up.
    fn hand_cover_over(&mut self, winner: ContactId, hint: ContactId) {
        let Some(agent) = self.line.covered_by(winner) else {
            return;
        };
        let takes = self.line.get(hint).is_some_and(|e| {
            let fits = e.fits(agent) && !e.declined.contains(&agent);
            self.line.is_open(e) && fits && self.meets(agent, hint)
        });
        match self.roster.bid(agent) {
            Some(bid) if takes && self.line.covered_by(hint).is_none() => {
                self.line.uncover(winner, agent);
                self.roster.set_bid(agent, OutBid { hint, ..bid });
                self.line.cover(hint, agent);
            }
            _ => self.slow_down(agent),
        }
    }

    /// Whether an agent logged in here meets a contact's present needs.
    pub(super) fn meets(&self, agent: UserId, contact: ContactId) -> bool {
        let (member, entry) = (self.roster.member(agent), self.line.get(contact));
        let skill_match = self.settings.skill_match;
        member
            .zip(entry)
            .is_some_and(|(member, entry)| skill_match.allows(entry.needs_now(), &member.skills))
    }

    pub(super) fn offer(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        reservation: Reservation,
        decision: Option<Decision>,
        out: &mut QueueOut,
    ) {
        let due = now + self.settings.longest_offer() + cfg.ring_margin;
        let entry = self.line.change(contact, |entry| {
            entry.offers.push(reservation);
            entry.offered_due = Some(due);
        });
        let Some(attach_no) = entry.map(|e| e.attach_no) else {
            return;
        };
        self.offered.insert(reservation, contact);
        self.stored(contact, out);
        if let Some(decision) = decision {
            out.events.push(Event::ContactOffered {
                contact,
                queue: self.settings.id,
                reservation,
                decision: Arc::new(decision),
            });
        }
        self.send_offer(contact, attach_no, reservation, out);
    }

    pub(super) fn send_offer(
        &self,
        contact: ContactId,
        attach_no: u32,
        reservation: Reservation,
        out: &mut QueueOut,
    ) {
        let offer = EdgeMessage::Offer {
            attach_no,
            epoch: self.epoch,
            reservation,
            ring: self.settings.terms.ring,
            briefing: self.settings.briefing.clone(),
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
