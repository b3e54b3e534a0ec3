//! The waiting contacts in order, and indexes that answer "who is next" in O(log n).

use crate::message::{Caller, QueueTimer};
use centro_kernel::{ContactId, Timestamp, UserId, contact::Reservation};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

/// A contact's place: higher priority first, then the longer wait.
pub type Place = (Reverse<u32>, Timestamp, ContactId);

/// One waiting contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which contact.
    pub contact: ContactId,
    /// The attachment in force.
    pub attach_no: u32,
    /// When it first entered this queue; it keeps its place by it.
    pub enqueued_at: Timestamp,
    /// Higher is served first.
    pub priority: u32,
    /// Agents not to be offered, until when.
    pub excluded: BTreeMap<UserId, Timestamp>,
    /// False while its stream is broken, or after a takeover until its edge is back.
    pub attached: bool,
    /// When a contact that is not attached is given up.
    pub lost_due: Option<Timestamp>,
    /// Reservations it was offered and the edge has not ended.
    pub offers: Vec<Reservation>,
    /// When the edge should have said how the offer ended.
    pub offered_due: Option<Timestamp>,
    /// Who waits.
    pub caller: Arc<Caller>,
    /// Name of the process that holds the contact.
    pub edge: Arc<str>,
}

impl Entry {
    /// Where it stands.
    pub const fn place(&self) -> Place {
        (Reverse(self.priority), self.enqueued_at, self.contact)
    }

    /// Whether this agent may be offered this contact.
    pub fn fits(&self, agent: UserId) -> bool {
        !self.excluded.contains_key(&agent)
    }

    /// Whether a grant may be spent on it.
    pub const fn is_open(&self) -> bool {
        self.attached && self.offers.is_empty()
    }

    fn timers(&self) -> impl Iterator<Item = (Timestamp, QueueTimer)> + '_ {
        let contact = self.contact;
        let offered = self
            .offered_due
            .map(|due| (due, QueueTimer::Offered(contact)));
        let lost = self.lost_due.map(|due| (due, QueueTimer::Lost(contact)));
        let excluded = self
            .excluded
            .iter()
            .map(move |(a, due)| (*due, QueueTimer::Unexclude(contact, *a)));
        excluded.chain(offered).chain(lost)
    }
}

/// The line of a queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    entries: BTreeMap<ContactId, Entry>,
    order: BTreeSet<Place>,
    /// Open entries.
    open: BTreeSet<Place>,
    /// Open entries for which no bid runs.
    uncovered: BTreeSet<Place>,
    /// The running bid of each contact: it was made for it, and it is not slow.
    covers: BTreeMap<ContactId, UserId>,
    timers: BTreeSet<(Timestamp, QueueTimer)>,
    detached: usize,
    /// Entries looked at, so that a test can tell what a step costs.
    #[cfg(test)]
    pub(super) looked: std::cell::Cell<u64>,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, contact: ContactId) -> Option<&Entry> {
        self.look();
        self.entries.get(&contact)
    }

    fn look(&self) {
        #[cfg(test)]
        self.looked.set(self.looked.get() + 1);
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = &Entry> {
        self.order
            .iter()
            .filter_map(|place| self.entries.get(&place.2))
    }

    pub(super) fn contacts(&self) -> Vec<ContactId> {
        self.order.iter().map(|place| place.2).collect()
    }

    pub(super) const fn timers(&self) -> &BTreeSet<(Timestamp, QueueTimer)> {
        &self.timers
    }

    pub(super) fn all_attached(&self) -> bool {
        self.detached == 0
    }

    /// Adds or replaces an entry.
    pub(super) fn put(&mut self, entry: Entry) {
        self.take(entry.contact);
        let contact = entry.contact;
        self.order.insert(entry.place());
        self.entries.insert(contact, entry);
        self.index(contact);
    }

    /// Removes an entry; its cover goes too.
    pub(super) fn remove(&mut self, contact: ContactId) -> Option<Entry> {
        self.covers.remove(&contact);
        self.take(contact)
    }

    /// Changes an entry in place. Priority and enqueue time never change this way.
    pub(super) fn change(
        &mut self,
        contact: ContactId,
        change: impl FnOnce(&mut Entry),
    ) -> Option<&Entry> {
        self.unindex(contact);
        if let Some(entry) = self.entries.get_mut(&contact) {
            change(entry);
        }
        self.index(contact);
        self.entries.get(&contact)
    }

    fn take(&mut self, contact: ContactId) -> Option<Entry> {
        self.unindex(contact);
        let entry = self.entries.remove(&contact)?;
        self.order.remove(&entry.place());
        Some(entry)
    }

    fn unindex(&mut self, contact: ContactId) {
        if let Some(entry) = self.entries.get(&contact) {
            self.open.remove(&entry.place());
            self.uncovered.remove(&entry.place());
            self.detached -= usize::from(!entry.attached);
            for timer in entry.timers() {
                self.timers.remove(&timer);
            }
        }
    }

    fn index(&mut self, contact: ContactId) {
        if let Some(entry) = self.entries.get(&contact) {
            self.detached += usize::from(!entry.attached);
            self.timers.extend(entry.timers());
            if entry.is_open() {
                self.open.insert(entry.place());
                if !self.covers.contains_key(&contact) {
                    self.uncovered.insert(entry.place());
                }
            }
        }
    }

    /// A bid runs for the contact.
    pub(super) fn cover(&mut self, contact: ContactId, by: UserId) {
        self.covers.insert(contact, by);
        if let Some(entry) = self.entries.get(&contact) {
            self.uncovered.remove(&entry.place());
        }
    }

    /// The agent's bid no longer runs for the contact.
    pub(super) fn uncover(&mut self, contact: ContactId, by: UserId) {
        if self.covers.get(&contact) == Some(&by) {
            self.covers.remove(&contact);
            if let Some(entry) = self.entries.get(&contact).filter(|e| e.is_open()) {
                self.uncovered.insert(entry.place());
            }
        }
    }

    pub(super) fn covered_by(&self, contact: ContactId) -> Option<UserId> {
        self.covers.get(&contact).copied()
    }

    /// The first in order that a grant of this agent could serve.
    pub(super) fn first_for(&self, agent: UserId) -> Option<ContactId> {
        let mut open = self.open.iter().map(|place| place.2);
        open.find(|contact| self.get(*contact).is_some_and(|e| e.fits(agent)))
    }

    /// The next contact in order, after `after`, for which no bid runs.
    pub(super) fn next_uncovered(&self, after: Option<Place>) -> Option<Place> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.uncovered
            .range((from, Bound::Unbounded))
            .next()
            .copied()
    }

    /// Place in line, from 1. Counts from the nearer end.
    pub(super) fn position(&self, contact: ContactId) -> Option<u32> {
        let place = self.entries.get(&contact)?.place();
        let both = self.order.iter().zip(self.order.iter().rev());
        for (n, (front, back)) in both.enumerate() {
            self.look();
            if *front == place {
                return u32::try_from(n + 1).ok();
            }
            if *back == place {
                return u32::try_from(self.order.len() - n).ok();
            }
        }
        None
    }

    /// When the contact that waits longest entered.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.order.first().map(|place| place.1)
    }
}
