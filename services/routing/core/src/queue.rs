//! The queue: owns the order of its waiting contacts, and is never needed for safety. A dead or slow queue can waste an
//! agent for at most `Deadlines::reserved`.
//!
//! `line` holds the contacts, `roster` the agents; `waiting` is a contact's stay, `award` brings the two together.

mod award;
mod line;
mod roster;
#[cfg(test)]
mod tests;
mod waiting;

pub use line::{Entry, Place};

use crate::{
    Deadlines,
    message::{Epoch, QueueMessage, QueueOut, QueueTimer},
    strategy::Strategy,
};
use centro_kernel::{
    ContactId, QueueId, Timestamp,
    contact::{LeftReason, Reservation},
};
use line::Line;
use roster::Roster;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// A queue's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Which queue.
    pub id: QueueId,
    /// Score against other queues; none is the lowest (spec G10, D16).
    pub weight: Option<u32>,
    /// How agents take turns.
    pub strategy: Strategy,
    /// How long one agent's device rings (spec D2).
    pub ring: Duration,
    /// Time after a contact before the next (spec D5).
    pub wrap_up: Duration,
    /// Missed offers after which an agent counts as not responding (spec D11).
    pub missed_offers: u32,
    /// How many may wait; 0 means no limit (spec D7).
    pub max_callers: u32,
    /// How long an agent who rejects a contact is not asked for it again (spec D12).
    pub reject_delay: Duration,
}

/// A contact that has left, so that a late `Attach` does not bring it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The highest attachment that has ended.
    pub attach_no: u32,
    /// When.
    pub at: Timestamp,
    /// It was turned away, and why.
    pub not_taken: Option<LeftReason>,
}

/// The stored record: who waits, and who has left lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueRecord {
    /// Who waits.
    pub entries: BTreeMap<ContactId, Arc<Entry>>,
    /// Who has left lately.
    pub left: BTreeMap<ContactId, Tombstone>,
}

/// One queue's decider.
#[derive(Clone, Debug)]
pub struct Queue {
    settings: QueueSettings,
    epoch: Epoch,
    line: Line,
    roster: Roster,
    /// Open offers, to know a repeated grant.
    offered: BTreeMap<Reservation, ContactId>,
    left: BTreeMap<ContactId, Tombstone>,
    burials: VecDeque<(Timestamp, ContactId)>,
    /// After a takeover nothing is awarded before every known contact is back, or this time.
    hold: Option<Timestamp>,
    closed: bool,
}

impl Queue {
    /// Takes over a record. Nobody is offered until every known contact is back, or `Deadlines::hold` has passed.
    pub fn recover(
        settings: QueueSettings,
        epoch: Epoch,
        record: QueueRecord,
        cfg: &Deadlines,
        now: Timestamp,
    ) -> Self {
        let mut line = Line::default();
        for entry in record.entries.into_values() {
            let mut entry = Arc::unwrap_or_clone(entry);
            entry.attached = false;
            entry.offers.clear();
            entry.offered_due = None;
            entry.lost_due = Some(now + cfg.reattach);
            line.put(entry);
        }
        let mut burials: Vec<_> = record
            .left
            .iter()
            .map(|(c, grave)| (grave.at, *c))
            .collect();
        burials.sort_unstable();
        let hold = (!line.all_attached()).then(|| now + cfg.hold);
        Self {
            settings,
            epoch,
            line,
            roster: Roster::new(settings.strategy),
            offered: BTreeMap::new(),
            left: record.left,
            burials: burials.into(),
            hold,
            closed: false,
        }
    }

    /// The rules in force.
    pub const fn settings(&self) -> &QueueSettings {
        &self.settings
    }

    /// Epoch of this owner.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many wait.
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.line.len()).unwrap_or(u32::MAX)
    }

    /// Who waits, in order of service.
    pub fn in_order(&self) -> impl Iterator<Item = &Entry> {
        self.line.in_order()
    }

    /// The contact's entry.
    pub fn entry(&self, contact: ContactId) -> Option<&Entry> {
        self.line.get(contact)
    }

    /// The queue's deadlines, in no particular order.
    pub fn timers(&self) -> impl Iterator<Item = (Timestamp, QueueTimer)> + '_ {
        let hold = self.hold.map(|due| (due, QueueTimer::Hold));
        self.line
            .timers()
            .iter()
            .chain(self.roster.timers())
            .copied()
            .chain(hold)
    }

    /// The earliest deadline.
    pub fn next_due(&self) -> Option<(Timestamp, QueueTimer)> {
        let hold = self.hold.map(|due| (due, QueueTimer::Hold));
        let first = [
            self.line.timers().first().copied(),
            self.roster.timers().first().copied(),
            hold,
        ];
        first.into_iter().flatten().min()
    }

    /// One step.
    pub fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: QueueMessage) -> QueueOut {
        let mut out = QueueOut::default();
        match message {
            QueueMessage::Presence(presence) => {
                self.on_presence(cfg, now, presence, &mut out);
                return out;
            }
            QueueMessage::Grant(grant) => {
                self.on_grant(cfg, now, grant, &mut out);
                return out;
            }
            QueueMessage::AskPosition { contact } => {
                self.tell_position(contact, &mut out);
                return out;
            }
            QueueMessage::Attach(attach) => self.on_attach(cfg, now, attach, &mut out),
            QueueMessage::OfferEnded {
                contact,
                reservation,
                exclude_for,
                why,
            } => {
                self.on_offer_ended(now, contact, reservation, exclude_for, why, &mut out);
            }
            QueueMessage::Left {
                contact,
                attach_no,
                reason,
            } => {
                self.on_left(now, contact, attach_no, reason, &mut out);
            }
            QueueMessage::Detached { contact, attach_no } => {
                self.on_detached(cfg, now, contact, attach_no, &mut out);
            }
            QueueMessage::EdgeDead { contact } => self.on_edge_dead(now, contact, &mut out),
            QueueMessage::Configure(settings) => {
                self.settings = settings;
                self.roster.set_strategy(settings.strategy);
            }
            QueueMessage::Close => self.on_close(now, &mut out),
            QueueMessage::Timer(timer) => self.on_timer(cfg, now, timer, &mut out),
        }
        self.tend_graves(cfg, now, &mut out);
        self.rematch(cfg, now, &mut out);
        out
    }

    fn on_timer(&mut self, cfg: &Deadlines, now: Timestamp, timer: QueueTimer, out: &mut QueueOut) {
        match timer {
            QueueTimer::Hold => self.hold = None,
            QueueTimer::Bid(agent) => self.on_bid_due(cfg, now, agent, out),
            QueueTimer::Offered(contact) => {
                // The edge's word was lost. An offer may be repeated: the edge answers or refuses.
                let due = now + self.settings.ring + cfg.ring_margin;
                let entry = self
                    .line
                    .change(contact, |entry| entry.offered_due = Some(due))
                    .cloned();
                let Some(entry) = entry else { return };
                self.stored(contact, out);
                for reservation in entry.offers {
                    self.send_offer(contact, entry.attach_no, reservation, out);
                }
            }
            QueueTimer::Unexclude(contact, agent) => {
                self.line.change(contact, |entry| {
                    entry.excluded.remove(&agent);
                });
            }
            QueueTimer::Lost(contact) => self.on_lost(now, contact, out),
        }
    }
}
