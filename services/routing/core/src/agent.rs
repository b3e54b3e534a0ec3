//! The agent: one record, one decider. Grants at most one call at a time, whichever queue asks.
//!
//! `record` is what is stored; `choice` is what the person or a supervisor wants; `round` asks the agent's queues for
//! bids and grants the best; `reservation` takes a granted slot from its offer to the end of the talk, `wrap_up` to the
//! end of the work.

mod choice;
mod record;
mod reservation;
mod round;
#[cfg(test)]
mod tests;
mod wrap_up;

pub use record::{
    AgentRecord, Chosen, Desktop, Ended, Membership, Part, Rest, Slot, SlotPhase, State, View,
};

use crate::{
    Deadlines, Event,
    message::{AgentEffect, AgentMessage, AgentOut, AgentTimer, Epoch, QueueMessage, Rank},
    mutants::{Mutant, breaks},
    settings::Terms,
};
use centro_kernel::{QueueId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One agent's decider. All of it can be written down and read again, so that its steps can be repeated (spec U7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Agent {
    record: AgentRecord,
    /// Queues that answered the present version.
    heard: BTreeSet<QueueId>,
    /// Bids on the present version.
    bids: BTreeMap<QueueId, (Epoch, Rank, Arc<Terms>)>,
    /// Until when a round of bids is awaited.
    soliciting: Option<Timestamp>,
    /// When queues that did not answer are reminded.
    refresh: Timestamp,
    /// The highest epoch seen of each queue's owner.
    epochs: BTreeMap<QueueId, Epoch>,
    /// When the desktop must have shown a sign of life. Not stored: whoever takes the record over waits anew.
    desktop_due: Option<Timestamp>,
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
            desktop_due: None,
            dirty: false,
        };
        if agent.record.desktop == Desktop::Open {
            agent.desktop_due = Some(now + cfg.desktop);
        }
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

    /// Whether a round of bids is awaited.
    pub const fn is_soliciting(&self) -> bool {
        self.soliciting.is_some()
    }

    /// The highest epoch seen of a queue's owner.
    pub fn epoch_seen(&self, queue: QueueId) -> Option<Epoch> {
        self.epochs.get(&queue).copied()
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
            .chain(self.record.rest.map(|(due, _)| (due, AgentTimer::Rested)))
            .chain(self.desktop_due.map(|due| (due, AgentTimer::Desktop)))
    }

    /// The earliest deadline.
    pub fn next_due(&self) -> Option<(Timestamp, AgentTimer)> {
        self.timers().min()
    }

    /// One step. `out.answer` is for whoever asked.
    pub fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: AgentMessage) -> AgentOut {
        let mut out = AgentOut::default();
        match message {
            AgentMessage::LogIn(log_in) => self.log_in(cfg, now, *log_in, &mut out),
            AgentMessage::SetStatus(chosen) => self.set_status(cfg, now, chosen, &mut out),
            AgentMessage::SetQueueStatus { queue, pause } => {
                self.set_queue_status(cfg, now, queue, pause, &mut out);
            }
            AgentMessage::EndWrapUp {
                contact,
                supervisor,
            } => self.end_wrap_up(cfg, now, contact, supervisor, &mut out),
            AgentMessage::ExtendWrapUp {
                contact,
                by,
                supervisor,
            } => self.extend_wrap_up(now, contact, by, supervisor, &mut out),
            AgentMessage::Device { device, online } => {
                if self.record.device == Some(device) && self.record.device_online != online {
                    self.record.device_online = online;
                    self.forgive_device();
                    self.changed(cfg, now, &mut out);
                }
            }
            AgentMessage::DesktopSeen => self.desktop_seen(cfg, now, &mut out),
            AgentMessage::DesktopClosed | AgentMessage::Timer(AgentTimer::Desktop) => {
                self.desktop_gone(cfg, now, &mut out);
            }
            AgentMessage::SetProfile(profile) => {
                if self.record.profile != profile {
                    self.record.profile = profile;
                    self.changed(cfg, now, &mut out);
                }
            }
            AgentMessage::LeaveQueues(queues) => self.leave_queues(cfg, now, &queues, &mut out),
            AgentMessage::Unassigned(queues) => {
                let ends = |m: &Membership| !m.temporary && queues.contains(&m.queue);
                self.end_memberships(cfg, now, ends, &mut out);
            }
            AgentMessage::QueuesDeleted(queues) => {
                self.end_memberships(cfg, now, |m| queues.contains(&m.queue), &mut out);
            }
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
                if self.record.slot(number).is_some_and(|s| {
                    s.phase == SlotPhase::Reserved || breaks(Mutant::ReleaseAlways)
                }) {
                    self.drop_slot(cfg, now, number, false, &mut out);
                }
            }
            AgentMessage::Alert {
                number,
                contact,
                edge,
                edge_epoch,
                caller,
                ring,
            } => {
                let owner = (edge, edge_epoch);
                self.on_alert(cfg, now, number, contact, owner, caller, ring, &mut out);
            }
            AgentMessage::Connect {
                number,
                contact,
                edge_epoch,
            } => {
                self.on_connect(cfg, now, number, contact, edge_epoch, &mut out);
            }
            AgentMessage::End {
                number,
                contact,
                why,
                edge_epoch,
            } => {
                self.on_end(cfg, now, number, contact, why, edge_epoch, &mut out);
            }
            AgentMessage::EdgeDead { contact } => self.on_edge_dead(cfg, now, contact, &mut out),
            AgentMessage::NotHeld {
                number,
                contact,
                edge_epoch,
            } => {
                self.on_not_held(cfg, now, number, contact, edge_epoch, &mut out);
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
            AgentMessage::Timer(AgentTimer::Rested) => {
                if self.record.rest.take().is_some() {
                    self.changed(cfg, now, &mut out);
                }
            }
        }
        self.finish(now, &mut out);
        out
    }

    /// The record changed: a new version, and everybody hears of it. A log-out that waited for the contact takes effect.
    fn changed(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        let r = &mut self.record;
        let mut left: Arc<[Membership]> = Arc::from([]);
        if r.logged_out() {
            left = std::mem::replace(&mut r.memberships, left);
            r.device = None;
            r.device_online = false;
            r.rest = None;
            r.all_queues = false;
            r.desktop = Desktop::None;
            self.desktop_due = None;
        }
        r.ver += 1;
        self.dirty = true;
        // Of several changes in one step the queues hear the last.
        out.send
            .retain(|e| !matches!(e, AgentEffect::Queue(_, QueueMessage::Presence(_))));
        self.announce(cfg, now, out);
        for membership in left.iter() {
            self.presence(membership.queue, out);
        }
    }

    fn presence(&self, queue: QueueId, out: &mut AgentOut) {
        let presence = self.record.presence(queue);
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
