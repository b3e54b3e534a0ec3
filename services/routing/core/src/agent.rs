//! The agent: one record, one decider. Grants at most one call at a time, whichever queue asks.
//!
//! `record` is what is stored; `round` asks the agent's queues for bids and grants the best; `reservation` takes a
//! granted slot from its offer to the end of its wrap-up.

mod record;
mod reservation;
mod round;
#[cfg(test)]
mod tests;

pub use record::{AgentRecord, Chosen, Ended, Slot, SlotPhase, State, View};

use crate::{
    Deadlines, Event,
    message::{
        AgentEffect, AgentMessage, AgentOut, AgentTimer, Answer, Epoch, Presence, QueueMessage,
        Rank, Terms,
    },
};
use centro_kernel::{DeviceId, QueueId, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One agent's decider.
#[derive(Clone, Debug)]
pub struct Agent {
    record: AgentRecord,
    /// Queues that answered the present version.
    heard: BTreeSet<QueueId>,
    /// Bids on the present version.
    bids: BTreeMap<QueueId, (Epoch, Rank, Terms)>,
    /// Until when a round of bids is awaited.
    soliciting: Option<Timestamp>,
    /// When queues that did not answer are reminded.
    refresh: Timestamp,
    /// The highest epoch seen of each queue's owner.
    epochs: BTreeMap<QueueId, Epoch>,
    /// The record changed in this step.
    dirty: bool,
}

impl Agent {
    /// Takes over a record. Unfinished phases get their full time again, never less, so that a living edge always
    /// speaks first; wrap-up keeps its end. Everybody is told.
    pub fn recover(record: AgentRecord, cfg: &Deadlines, now: Timestamp) -> (Self, AgentOut) {
        let mut agent = Self {
            record,
            heard: BTreeSet::new(),
            bids: BTreeMap::new(),
            soliciting: None,
            refresh: now,
            epochs: BTreeMap::new(),
            dirty: false,
        };
        for slot in &mut agent.record.slots {
            match slot.phase {
                SlotPhase::Reserved => slot.due = Some(now + cfg.reserved),
                SlotPhase::Alerting | SlotPhase::Revoked => {
                    slot.due = Some(now + slot.ring + cfg.ring_margin);
                }
                SlotPhase::Connected => slot.due = Some(now + cfg.recheck),
                SlotPhase::WrapUp => {}
            }
        }
        let mut out = AgentOut::default();
        agent.announce(cfg, now, &mut out);
        (agent, out)
    }

    /// The stored record.
    pub const fn record(&self) -> &AgentRecord {
        &self.record
    }

    /// The agent as others see it.
    pub const fn view(&self) -> &View {
        &self.record.shown
    }

    /// The agent's deadlines, in no particular order.
    pub fn timers(&self) -> impl Iterator<Item = (Timestamp, AgentTimer)> + '_ {
        let round = match self.soliciting {
            Some(due) => Some((due, AgentTimer::Solicit)),
            None => self
                .unheard()
                .next()
                .map(|_| (self.refresh, AgentTimer::Refresh)),
        };
        let slots = &self.record.slots;
        slots
            .iter()
            .filter_map(|s| s.due.map(|due| (due, AgentTimer::Slot(s.number))))
            .chain(round)
            .chain(
                self.record
                    .unreachable_until
                    .map(|due| (due, AgentTimer::Reachable)),
            )
    }

    /// The earliest deadline.
    pub fn next_due(&self) -> Option<(Timestamp, AgentTimer)> {
        self.timers().min()
    }

    /// One step. `out.answer` is for whoever asked.
    pub fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: AgentMessage) -> AgentOut {
        let mut out = AgentOut::default();
        match message {
            AgentMessage::LogIn {
                device,
                device_online,
                queues,
                all_queues,
                ready,
            } => {
                self.record.all_queues = all_queues;
                self.log_in(cfg, now, device, device_online, queues, ready, &mut out);
            }
            AgentMessage::SetStatus(chosen) => self.set_status(cfg, now, chosen, &mut out),
            AgentMessage::EndWrapUp => self.end_wrap_up(cfg, now, &mut out),
            AgentMessage::Device { device, online } => {
                if self.record.device == Some(device) && self.record.device_online != online {
                    self.record.device_online = online;
                    self.record.unreachable_until = None;
                    self.changed(cfg, now, &mut out);
                }
            }
            AgentMessage::LeaveQueues(queues) => self.leave_queues(cfg, now, &queues, &mut out),
            AgentMessage::JoinQueues(queues) => self.join_queues(cfg, now, queues, &mut out),
            AgentMessage::Bid(bid) => self.on_bid(cfg, now, bid, &mut out),
            AgentMessage::Pass { queue, epoch, ver } => {
                if self.is_fresh(queue, epoch) && ver == self.record.ver {
                    self.heard.insert(queue);
                    self.bids.remove(&queue);
                    self.decide_when_all_heard(cfg, now, &mut out);
                }
            }
            AgentMessage::Release { number } => {
                if self
                    .record
                    .slot(number)
                    .is_some_and(|s| s.phase == SlotPhase::Reserved)
                {
                    self.drop_slot(cfg, now, number, false, &mut out);
                }
            }
            AgentMessage::Alert {
                number,
                contact,
                edge,
                caller,
                ring,
            } => {
                self.on_alert(cfg, now, number, contact, edge, caller, ring, &mut out);
            }
            AgentMessage::Connect { number, contact } => {
                self.on_connect(cfg, now, number, contact, &mut out);
            }
            AgentMessage::End {
                number,
                contact,
                why,
            } => {
                self.on_end(cfg, now, number, contact, why, &mut out);
            }
            AgentMessage::EdgeDead { contact } => self.on_edge_dead(cfg, now, contact, &mut out),
            AgentMessage::NotHeld { number, contact } => {
                self.on_not_held(cfg, now, number, contact, &mut out);
            }
            AgentMessage::QueueMoved { queue, epoch } => {
                self.on_queue_moved(cfg, now, queue, epoch, &mut out);
            }
            AgentMessage::Timer(AgentTimer::Solicit) => self.decide(cfg, now, &mut out),
            AgentMessage::Timer(AgentTimer::Refresh) => {
                self.refresh = now + cfg.refresh;
                for queue in self.unheard().collect::<Vec<_>>() {
                    self.presence(queue, &mut out);
                }
            }
            AgentMessage::Timer(AgentTimer::Slot(number)) => {
                self.on_slot_due(cfg, now, number, &mut out);
            }
            AgentMessage::Timer(AgentTimer::Reachable) => {
                if self.record.unreachable_until.take().is_some() {
                    self.changed(cfg, now, &mut out);
                }
            }
        }
        self.finish(now, &mut out);
        out
    }

    #[allow(clippy::too_many_arguments)]
    fn log_in(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        device: DeviceId,
        device_online: bool,
        mut queues: Vec<QueueId>,
        ready: bool,
        out: &mut AgentOut,
    ) {
        queues.sort_unstable();
        queues.dedup();
        let left: Vec<_> = self
            .record
            .queues
            .iter()
            .filter(|q| !queues.contains(q))
            .copied()
            .collect();
        if self.record.chosen == Chosen::LoggedOut {
            self.record.logged_in_at = now;
        }
        self.record.device = Some(device);
        self.record.device_online = device_online;
        self.record.unreachable_until = None;
        self.record.queues = Arc::from(queues);
        let chosen = if ready {
            Chosen::Ready
        } else {
            Chosen::Paused(String::new())
        };
        self.choose(now, chosen, out);
        self.changed(cfg, now, out);
        for queue in left {
            self.presence(queue, out);
        }
        out.answer = Some(Answer::Done);
    }

    fn set_status(&mut self, cfg: &Deadlines, now: Timestamp, chosen: Chosen, out: &mut AgentOut) {
        let r = &self.record;
        if r.chosen == Chosen::LoggedOut && chosen != Chosen::LoggedOut {
            out.answer = Some(Answer::NotLoggedIn);
            return;
        }
        out.answer = Some(Answer::Done);
        // Choosing the same again changes nothing, but ready also means "I am back".
        if r.chosen == chosen && !r.not_responding && r.misses == 0 && r.unreachable_until.is_none()
        {
            out.fence = true;
            return;
        }
        self.choose(now, chosen, out);
        self.changed(cfg, now, out);
    }

    /// Takes the choice over. What rings is revoked; what is only reserved is let go.
    fn choose(&mut self, now: Timestamp, chosen: Chosen, out: &mut AgentOut) {
        let r = &mut self.record;
        if chosen == Chosen::Ready && (r.chosen != Chosen::Ready || r.not_responding) {
            r.idle_since = now;
        }
        r.chosen = chosen;
        r.not_responding = false;
        r.misses = 0;
        r.unreachable_until = None;
        if r.chosen == Chosen::Ready {
            return;
        }
        r.slots.retain(|s| s.phase != SlotPhase::Reserved);
        let agent = r.id;
        for slot in r
            .slots
            .iter_mut()
            .filter(|s| s.phase == SlotPhase::Alerting)
        {
            slot.phase = SlotPhase::Revoked;
            if let Some(contact) = slot.contact {
                out.send.push(AgentEffect::CancelOffer {
                    reservation: centro_kernel::contact::Reservation {
                        agent,
                        number: slot.number,
                    },
                    contact,
                    edge: slot.edge.clone(),
                });
            }
        }
    }

    fn leave_queues(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queues: &[QueueId],
        out: &mut AgentOut,
    ) {
        let before = self.record.queues.clone();
        let left: Vec<_> = before
            .iter()
            .filter(|q| queues.contains(q))
            .copied()
            .collect();
        if left.is_empty() {
            return;
        }
        self.record.queues = before
            .iter()
            .filter(|q| !queues.contains(q))
            .copied()
            .collect();
        self.changed(cfg, now, out);
        for queue in left {
            self.presence(queue, out);
        }
    }

    /// A new assignment: whoever serves all of them serves this one too.
    fn join_queues(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queues: Vec<QueueId>,
        out: &mut AgentOut,
    ) {
        let r = &mut self.record;
        if r.chosen == Chosen::LoggedOut || !r.all_queues {
            return;
        }
        let mut all = r.queues.to_vec();
        all.extend(queues);
        all.sort_unstable();
        all.dedup();
        if all.len() > r.queues.len() {
            r.queues = Arc::from(all);
            self.changed(cfg, now, out);
        }
    }

    /// The record changed: a new version, and everybody hears of it. A log-out that waited for the contact takes effect.
    fn changed(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        let r = &mut self.record;
        let mut left: Arc<[QueueId]> = Arc::from([]);
        if r.chosen == Chosen::LoggedOut && r.slots.is_empty() {
            left = std::mem::replace(&mut r.queues, left);
            r.device = None;
            r.device_online = false;
            r.unreachable_until = None;
            r.all_queues = false;
        }
        r.ver += 1;
        self.dirty = true;
        self.announce(cfg, now, out);
        for queue in left.iter() {
            self.presence(*queue, out);
        }
    }

    fn presence(&self, queue: QueueId, out: &mut AgentOut) {
        let r = &self.record;
        let member = r.queues.binary_search(&queue).is_ok();
        let presence = Presence {
            agent: r.id,
            ver: r.ver,
            member,
            free: member && r.room(),
            idle_since: r.idle_since,
            logged_in_at: r.logged_in_at,
        };
        out.send
            .push(AgentEffect::Queue(queue, QueueMessage::Presence(presence)));
    }

    /// Tells the world what changed, and hands the record over to be stored.
    fn finish(&mut self, now: Timestamp, out: &mut AgentOut) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        out.fence = true;
        let view = self.record.view(now);
        if view != self.record.shown {
            let previous = self.record.shown.state;
            self.record.shown = view.clone();
            out.events.push(Event::AgentStateChanged { view, previous });
        }
        out.changes.push(self.record.clone());
    }
}
