//! The queue: owns the order of its waiting contacts, and is never needed for safety. A dead or slow queue can waste an
//! agent for at most `Deadlines::reserved`.
//!
//! `line` holds the contacts, `roster` the agents; `waiting` is a contact's stay, `award` brings the two together. `empty`,
//! `relax` and `supervise` are what the queue's rules and people do to those who wait.

mod award;
mod empty;
mod entry;
mod explain;
mod line;
mod places;
mod promise;
mod relax;
mod roster;
mod supervise;
#[cfg(test)]
mod tests;
mod waiting;

pub use entry::{Entry, Place, Wish};
pub use relax::Boost;

use crate::{
    Deadlines,
    few::FewMap,
    message::{Epoch, Presence, QueueMessage, QueueOut, QueueTimer},
    settings::QueueSettings,
    strategy::Strategy,
};
use centro_kernel::{
    ContactId, Timestamp, UserId,
    contact::{LeftReason, Reservation},
};
use line::Line;
use roster::Roster;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A contact that has left, so that a late `Attach` does not bring it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tombstone {
    /// The highest attachment that has ended.
    pub attach_no: u32,
    /// When.
    pub at: Timestamp,
    /// It was turned away, and why.
    pub not_taken: Option<LeftReason>,
}

/// The stored record: who waits, and who has left lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QueueRecord {
    /// Who waits.
    pub entries: BTreeMap<ContactId, Arc<Entry>>,
    /// Who has left lately.
    pub left: BTreeMap<ContactId, Tombstone>,
}

/// One queue's decider. All of it can be written down and read again, so that its steps can be repeated (spec U7).
///
/// In memory as it stands here: what an agent's news read where nobody waits comes first and together, as in thousands of
/// queues each further line of memory has to be fetched from afar.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(C)]
pub struct Queue {
    epoch: Epoch,
    /// After a takeover nothing is awarded before every known contact is back, or this time.
    hold: Option<Timestamp>,
    /// Until then agents may be here who have not said so yet: nobody is turned away for want of agents, and no need is
    /// relaxed for it.
    settle: Option<Timestamp>,
    /// Since when the queue is empty, and when those who wait are sent away for it.
    empty_due: Option<Timestamp>,
    closed: bool,
    roster: Roster,
    line: Line,
    settings: QueueSettings,
    /// Open offers, to know a repeated grant.
    #[serde(with = "crate::pairs")]
    offered: FewMap<Reservation, ContactId>,
    left: FewMap<ContactId, Tombstone>,
    burials: VecDeque<(Timestamp, ContactId)>,
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
        let mut line = Line::new(&settings);
        for entry in record.entries.into_values() {
            let mut entry = Arc::unwrap_or_clone(entry);
            entry.attached = false;
            entry.offers.clear();
            entry.offered_due = None;
            entry.lost_due = (!entry.is_unheld_promise()).then(|| now + cfg.reattach);
            entry.age_by(&settings.ageing);
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
            epoch,
            line,
            roster: Roster::new(&settings),
            settings,
            offered: FewMap::new(),
            left: record.left.into(),
            burials: burials.into(),
            hold,
            settle: Some(now + cfg.hold),
            empty_due: None,
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

    /// The agents logged in here, as they last told.
    pub fn agents(&self) -> impl Iterator<Item = &Presence> {
        self.roster.members()
    }

    /// Bids that wait for an answer: for whom, made for which contact, and whether it still stands for it.
    pub fn bids(&self) -> impl Iterator<Item = (UserId, ContactId, bool)> + '_ {
        let bids = self.roster.bids();
        bids.map(|(agent, bid)| (agent, bid.hint, !bid.slow))
    }

    /// Whether nothing is awarded yet, for contacts known from before are not back.
    pub const fn is_holding(&self) -> bool {
        self.hold.is_some()
    }

    /// The agent whose running bid was made for this contact.
    pub fn covered_by(&self, contact: ContactId) -> Option<UserId> {
        self.line.covered_by(contact)
    }

    /// What an agent last told.
    pub fn known(&self, agent: UserId) -> Option<&Presence> {
        self.roster.member(agent)
    }

    /// The first contact in order for which this agent could be asked now.
    pub fn first_asking(&self, agent: UserId) -> Option<ContactId> {
        let member = self.roster.member(agent)?;
        self.line.first_asking(agent, &member.skills)
    }

    /// Whether this agent could be given this contact, whoever stands before it and whether or not its stream is there.
    pub fn could_take(&self, agent: UserId, entry: &Entry) -> bool {
        let member = self.roster.member(agent);
        member.is_some_and(|m| self.line.takes(agent, &m.skills, entry))
    }

    /// The first contact in order that this agent could be given now.
    pub fn first_for(&self, agent: UserId) -> Option<ContactId> {
        let member = self.roster.member(agent)?;
        self.line.first_for(agent, &member.skills)
    }

    /// Deadlines of the queue itself.
    fn own_timers(&self) -> impl Iterator<Item = (Timestamp, QueueTimer)> {
        let own = [
            self.hold.map(|due| (due, QueueTimer::Hold)),
            self.settle.map(|due| (due, QueueTimer::Settle)),
            self.empty_due.map(|due| (due, QueueTimer::Empty)),
        ];
        own.into_iter().flatten()
    }

    /// The queue's deadlines, in no particular order.
    pub fn timers(&self) -> impl Iterator<Item = (Timestamp, QueueTimer)> + '_ {
        let sets = self.line.timers().iter().chain(self.roster.timers().iter());
        sets.copied().chain(self.own_timers())
    }

    /// The earliest deadline.
    pub fn next_due(&self) -> Option<(Timestamp, QueueTimer)> {
        let (line, roster) = (self.line.timers().first(), self.roster.timers().first());
        let sets = line.into_iter().chain(roster).copied();
        sets.chain(self.own_timers()).min()
    }

    /// One step.
    pub fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: QueueMessage) -> QueueOut {
        let mut out = QueueOut::default();
        // By far the most frequent, and not moved about for it.
        if let QueueMessage::Presence(presence) = &message {
            self.on_presence(cfg, now, presence, &mut out);
            return out;
        }
        match message {
            QueueMessage::Presence(_) => {}
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
                agent,
            } => {
                let agent = agent.filter(|_| reason == LeftReason::Answered);
                self.on_left(cfg, now, contact, attach_no, reason, agent, &mut out);
            }
            QueueMessage::Detached { contact, attach_no } => {
                self.on_detached(cfg, now, contact, attach_no, &mut out);
            }
            QueueMessage::EdgeDead { contact } => self.on_edge_dead(now, contact, &mut out),
            QueueMessage::PickUp { agent, pick_up } => {
                self.on_pick_up(cfg, now, agent, pick_up, &mut out);
            }
            QueueMessage::PickUpRings { agent, contact } => {
                self.end_pick_up(agent, contact, Ok(()), &mut out);
            }
            QueueMessage::PickUpRefused {
                agent,
                contact,
                number,
                why,
            } => {
                self.on_pick_up_refused(agent, contact, number, why, &mut out);
            }
            QueueMessage::SetPriority { contact, priority } => {
                self.on_set_priority(contact, priority, &mut out);
            }
            QueueMessage::Wish { contact, wish } => {
                self.on_wish(cfg, now, contact, wish, &mut out);
            }
            QueueMessage::Configure(settings) => self.configure(now, *settings, &mut out),
            QueueMessage::Close => self.on_close(now, &mut out),
            QueueMessage::Timer(timer) => self.on_timer(cfg, now, timer, &mut out),
        }
        self.end_pick_ups_of_the_gone(&mut out);
        self.tend_graves(cfg, now, &mut out);
        if self.line.all_attached() {
            self.hold = None;
        }
        self.watch_empty(now);
        self.rematch(cfg, now, &mut out);
        out
    }

    /// Other rules. They are read from here on: nobody moves who is not moved by the new ageing, nobody is logged out,
    /// and bids and offers that run go on (`reload_is_silent`).
    fn configure(&mut self, now: Timestamp, settings: QueueSettings, out: &mut QueueOut) {
        self.roster.configure(&settings);
        self.line.configure(&settings);
        let places_move = settings.ageing != self.settings.ageing;
        let rang_all = self.settings.strategy == Strategy::RingAll;
        if rang_all && settings.strategy != Strategy::RingAll {
            self.cover_once();
        }
        self.settings = settings;
        if places_move {
            for contact in self.line.contacts() {
                self.stored(contact, out);
            }
        }
        self.skip_hopeless_steps(now, out);
    }

    fn on_timer(&mut self, cfg: &Deadlines, now: Timestamp, timer: QueueTimer, out: &mut QueueOut) {
        match timer {
            QueueTimer::Hold => self.hold = None,
            QueueTimer::Bid(agent) => self.on_bid_due(cfg, now, agent, out),
            QueueTimer::Offered(contact) => {
                // The edge's word was lost. An offer may be repeated: the edge answers or refuses.
                let due = now + self.settings.longest_offer() + cfg.ring_margin;
                let entry = self
                    .line
                    .change(contact, |entry| {
                        entry.offered_due = (!entry.offers.is_empty()).then_some(due);
                    })
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
            QueueTimer::Promise(contact) => self.on_promise_due(cfg, now, contact, out),
            QueueTimer::Retry(contact) => {
                self.line.change(contact, |entry| entry.retry_due = None);
                self.stored(contact, out);
                // While it was not open, whoever could have served it may have logged out.
                self.skip_hopeless_step(now, contact, out);
            }
            QueueTimer::Relax(contact) => self.on_relax_due(now, contact, out),
            QueueTimer::Boost(contact) => self.boost(contact, out),
            QueueTimer::Wish(contact) => self.on_wish_due(cfg, now, contact, out),
            QueueTimer::PickUp(contact, agent) => {
                self.on_pick_up_due(cfg, now, agent, contact, out);
            }
            QueueTimer::Settle => self.on_settled(now, out),
            QueueTimer::Empty => self.on_empty_due(now, out),
        }
    }
}
