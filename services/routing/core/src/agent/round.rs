//! Asking the agent's queues for bids, and granting the best one.
//!
//! A round ends when every queue has answered, with a bid or a pass, or when its time is up. So weight is honoured
//! without an auction window, and a queue that is away costs at most `Deadlines::solicit`.

use super::{Agent, AgentRecord, Slot, SlotPhase};
use crate::{
    Deadlines,
    message::{AgentEffect, AgentOut, Bid, Epoch, Grant, QueueMessage, Terms},
};
use centro_kernel::{QueueId, Timestamp, UserId};
use std::{cmp::Reverse, sync::Arc};

impl Agent {
    /// Queues whose answer is awaited; none while there is no room.
    pub(super) fn unheard(&self) -> impl Iterator<Item = QueueId> + '_ {
        let AgentRecord { queues, .. } = &self.record;
        let room = self.record.room();
        queues
            .iter()
            .filter(move |q| room && !self.heard.contains(q))
            .copied()
    }

    /// Tells every queue the present version and, when there is room, asks for bids.
    pub(super) fn announce(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        self.heard.clear();
        self.bids.clear();
        for queue in self.record.queues.clone().iter() {
            self.presence(*queue, out);
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
            self.heard.remove(&queue);
            self.bids.remove(&queue);
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
        let member = self.record.queues.binary_search(&queue).is_ok();
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
        } = bid;
        if !self.is_fresh(queue, epoch) {
            return;
        }
        let granted =
            self.record.slots.iter().find(|s| {
                s.queue == queue && s.bid == (epoch, ver) && s.phase == SlotPhase::Reserved
            });
        if let Some(slot) = granted {
            // The grant was lost: the same again, but only as long as we own the record.
            let reservation = self.record.reservation(slot.number);
            let grant = Grant {
                reservation,
                ver,
                epoch,
                free: self.record.room(),
            };
            out.send
                .push(AgentEffect::Queue(queue, QueueMessage::Grant(grant)));
            out.fence = true;
        } else if ver == self.record.ver
            && self.record.room()
            && self.record.queues.binary_search(&queue).is_ok()
        {
            self.heard.insert(queue);
            self.bids.insert(queue, (epoch, rank, terms));
            if self.soliciting.is_none() {
                self.decide(cfg, now, out); // the others had nothing when they were asked
            } else {
                self.decide_when_all_heard(cfg, now, out);
            }
        } else {
            self.presence(queue, out);
        }
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
        if let Some((&queue, &(epoch, _, terms))) = best {
            self.grant(cfg, now, queue, epoch, terms, out);
        }
    }

    fn grant(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queue: QueueId,
        epoch: Epoch,
        terms: Terms,
        out: &mut AgentOut,
    ) {
        let r = &mut self.record;
        let (number, ver) = (r.next, r.ver);
        r.next += 1;
        r.slots.push(Slot {
            number,
            queue,
            bid: (epoch, ver),
            terms,
            phase: SlotPhase::Reserved,
            since: now,
            ring: terms.ring,
            contact: None,
            caller: Arc::default(),
            edge: Arc::from(""),
            due: Some(now + cfg.reserved),
        });
        let grant = Grant {
            reservation: r.reservation(number),
            ver,
            epoch,
            free: r.room(),
        };
        self.changed(cfg, now, out);
        // The winner learns the new version from the grant: a presence that overtook it would kill the bid it answers.
        out.send.retain(|effect| !matches!(effect, AgentEffect::Queue(q, QueueMessage::Presence(_)) if *q == queue));
        out.send
            .push(AgentEffect::Queue(queue, QueueMessage::Grant(grant)));
    }
}

/// A fair and reproducible draw (splitmix64 finaliser).
fn draw(agent: UserId, ver: u64, queue: QueueId) -> u64 {
    let fold = |id: u128| (id as u64) ^ ((id >> 64) as u64);
    let mut z = fold(agent.as_u128())
        .wrapping_add(fold(queue.as_u128()).rotate_left(32))
        .wrapping_add(ver.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
