//! Asking the agent's queues for bids, and granting the best one.
//!
//! A round ends when every queue has answered, with a bid or a pass, or when its time is up. So weight is honoured
//! without an auction window, and a queue that is away costs at most `Deadlines::solicit`.

use super::{Agent, Slot, SlotPhase};
use crate::{
    Deadlines, Event,
    draw::draw,
    message::{
        AgentEffect, AgentOut, Bid, Epoch, Grant, Medium, NoPickUp, PickUp, QueueMessage, Rank,
    },
    mutants::{Mutant, breaks},
    settings::Terms,
};
use centro_kernel::{ContactId, QueueId, Timestamp};
use std::{cmp::Reverse, sync::Arc};

/// Bids that are told of one decision.
const MOST_COMPARED: usize = 16;

impl Agent {
    /// Queues whose answer is awaited; none while there is no room.
    pub(super) fn unheard(&self) -> impl Iterator<Item = QueueId> + '_ {
        let r = &self.record;
        let asked = r.memberships.iter().filter(|m| r.room_for(m));
        asked.map(|m| m.queue).filter(|q| !self.heard.contains(q))
    }

    /// Tells every queue the present version and, when there is room, asks for bids.
    pub(super) fn announce(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        self.heard.clear();
        self.bids.clear();
        for membership in self.record.memberships.clone().iter() {
            self.presence(membership.queue, out);
        }
        let asks = self.unheard().next().is_some();
        self.soliciting = asks.then(|| now + cfg.solicit);
        self.refresh = now + cfg.refresh;
    }

    /// Whether this is not an old owner of the queue. The first word of a newer one voids what the older one said.
    pub(super) fn is_fresh(&mut self, queue: QueueId, epoch: Epoch) -> bool {
        let known = self.epochs.entry(queue).or_insert(epoch);
        if *known > epoch {
            return false;
        }
        if *known < epoch {
            *known = epoch;
            if !breaks(Mutant::KeepOldWord) {
                self.heard.remove(&queue);
                self.bids.remove(&queue);
            }
        }
        true
    }

    pub(super) fn on_queue_moved(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queue: QueueId,
        epoch: Epoch,
        out: &mut AgentOut,
    ) {
        let member = self.record.membership(queue).is_some();
        let newer = self.epochs.get(&queue).is_none_or(|known| *known < epoch);
        if member && newer && self.is_fresh(queue, epoch) {
            self.heard.remove(&queue);
            self.bids.remove(&queue);
            self.refresh = now + cfg.refresh;
            self.presence(queue, out);
        }
    }

    pub(super) fn on_bid(&mut self, cfg: &Deadlines, now: Timestamp, bid: Bid, out: &mut AgentOut) {
        let Bid {
            queue,
            epoch,
            ver,
            rank,
            terms,
            pick_up,
        } = bid;
        if !self.is_fresh(queue, epoch) {
            return;
        }
        let granted = self.record.slots.iter().find(|s| {
            let asked_for = match pick_up {
                Some(_) => s.pick_up == pick_up && s.bid.0 == epoch,
                None => s.bid == (epoch, ver) && s.pick_up.is_none(),
            };
            s.queue == queue && asked_for && s.phase == SlotPhase::Reserved
        });
        if let Some(slot) = granted {
            // The grant was lost: the same again, but only as long as we own the record.
            let grant = self.grant_of(slot.number, queue, slot.bid, pick_up);
            out.send
                .push(AgentEffect::Queue(queue, QueueMessage::Grant(grant)));
            out.fence = true;
            return;
        }
        if let Some(wanted) = pick_up {
            let in_hand =
                |s: &&Slot| s.phase != SlotPhase::WrapUp && s.contact == Some(wanted.contact);
            if let Some(slot) = self.record.slots.iter().find(in_hand) {
                // A repeat of what was granted long ago. What is being taken back decides itself first.
                if slot.phase != SlotPhase::Revoked {
                    self.tell_that_it_rings(queue, wanted.contact, out);
                }
                return;
            }
            self.on_pick_up(cfg, now, queue, epoch, wanted, terms, out);
            return;
        }
        let membership = self.record.membership(queue);
        if ver == self.record.ver && membership.is_some_and(|m| self.record.room_for(m)) {
            self.heard.insert(queue);
            self.bids.insert(queue, (epoch, rank, terms));
            if self.soliciting.is_none() || breaks(Mutant::FirstBidWins) {
                self.decide(cfg, now, out); // the others had nothing when they were asked
            } else {
                self.decide_when_all_heard(cfg, now, out);
            }
        } else {
            self.presence(queue, out);
        }
    }

    /// A person takes this very contact: paused or not, in this queue or not, as long as there are hands and a phone.
    #[allow(clippy::too_many_arguments)]
    fn on_pick_up(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queue: QueueId,
        epoch: Epoch,
        wanted: PickUp,
        terms: Arc<Terms>,
        out: &mut AgentOut,
    ) {
        let r = &self.record;
        let device = wanted.device.is_some() || r.device_online;
        let rings = device || terms.medium == Medium::Chat;
        if rings && r.has_capacity(terms.medium) {
            let bid = (epoch, r.ver);
            self.grant(cfg, now, queue, bid, terms, Some(wanted), out);
        } else {
            let why = if rings {
                NoPickUp::Busy
            } else {
                NoPickUp::NoPhone
            };
            self.refuse_pick_up(queue, wanted.contact, None, why, out);
        }
    }

    pub(super) fn refuse_pick_up(
        &self,
        queue: QueueId,
        contact: ContactId,
        number: Option<u64>,
        why: NoPickUp,
        out: &mut AgentOut,
    ) {
        let refused = QueueMessage::PickUpRefused {
            agent: self.record.id,
            contact,
            number,
            why,
        };
        out.fence = true;
        out.send.push(AgentEffect::Queue(queue, refused));
    }

    pub(super) fn tell_that_it_rings(
        &self,
        queue: QueueId,
        contact: ContactId,
        out: &mut AgentOut,
    ) {
        let agent = self.record.id;
        let rings = QueueMessage::PickUpRings { agent, contact };
        out.fence = true;
        out.send.push(AgentEffect::Queue(queue, rings));
    }

    pub(super) fn decide_when_all_heard(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        out: &mut AgentOut,
    ) {
        if self.soliciting.is_some() && self.unheard().next().is_none() {
            self.decide(cfg, now, out);
        }
    }

    /// Grants the best bid, if there is one: weight, then the longest wait, then a draw (spec G10).
    pub(super) fn decide(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        self.soliciting = None;
        let (agent, ver) = (self.record.id, self.record.ver);
        let best = self.bids.iter().max_by_key(|(queue, (_, rank, _))| {
            (
                rank.weight,
                Reverse(rank.enqueued_at),
                draw(agent, ver, **queue),
            )
        });
        if let Some((&queue, (epoch, rank, terms))) = best {
            let (bid, terms, waits_since) = ((*epoch, ver), terms.clone(), rank.enqueued_at);
            let compared = self.compared();
            let lost: Vec<_> = self.bids.keys().filter(|q| **q != queue).copied().collect();
            if let Some(bids) = compared {
                let reservation = self.record.reservation(self.record.next);
                out.events.push(Event::BidsCompared {
                    reservation,
                    queue,
                    bids,
                });
            }
            self.grant(cfg, now, queue, bid, terms, None, out);
            for effect in &mut out.send {
                if let AgentEffect::Queue(to, QueueMessage::Presence(presence)) = effect
                    && lost.contains(to)
                {
                    presence.lost_to = Some(waits_since);
                }
            }
        }
    }

    /// All bids, the best first, when there was a choice.
    fn compared(&self) -> Option<Arc<[(QueueId, Rank, u64)]>> {
        if self.bids.len() < 2 {
            return None;
        }
        let (agent, ver) = (self.record.id, self.record.ver);
        let bids = self.bids.iter();
        let mut all: Vec<_> = bids
            .map(|(queue, (_, rank, _))| (*queue, *rank, draw(agent, ver, *queue)))
            .collect();
        all.sort_by_key(|(_, rank, draw)| Reverse((rank.weight, Reverse(rank.enqueued_at), *draw)));
        all.truncate(MOST_COMPARED);
        Some(Arc::from(all))
    }

    #[allow(clippy::too_many_arguments)]
    fn grant(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queue: QueueId,
        bid: (Epoch, u64),
        terms: Arc<Terms>,
        pick_up: Option<PickUp>,
        out: &mut AgentOut,
    ) {
        let r = &mut self.record;
        let number = r.next;
        r.next += 1;
        r.slots.push(Slot {
            number,
            queue,
            bid,
            ring: terms.ring,
            terms,
            pick_up,
            phase: SlotPhase::Reserved,
            since: now,
            contact: None,
            caller: Arc::default(),
            edge: Arc::from(""),
            edge_epoch: 0,
            due: Some(now + cfg.reserved),
        });
        self.changed(cfg, now, out);
        let grant = self.grant_of(number, queue, bid, pick_up);
        if pick_up.is_none() {
            // The winner learns the new version from the grant: a presence that overtook it would kill the bid it answers.
            // A pick-up answers no bid on a version, so its queue learns the version as all others do.
            out.send.retain(|effect| !matches!(effect, AgentEffect::Queue(q, QueueMessage::Presence(_)) if *q == queue));
        }
        out.send
            .push(AgentEffect::Queue(queue, QueueMessage::Grant(grant)));
    }

    fn grant_of(
        &self,
        number: u64,
        queue: QueueId,
        (epoch, ver): (Epoch, u64),
        pick_up: Option<PickUp>,
    ) -> Grant {
        let r = &self.record;
        Grant {
            reservation: r.reservation(number),
            ver,
            epoch,
            free: r.membership(queue).is_some_and(|m| r.room_for(m)),
            pick_up: pick_up.map(|p| p.contact),
        }
    }
}
