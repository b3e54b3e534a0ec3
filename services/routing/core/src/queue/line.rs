//! The waiting contacts in order, and indexes that answer "who is next" in O(log n) for each different set of needs.

use super::entry::{Entry, Place};
use crate::{
    message::QueueTimer,
    settings::{Ageing, QueueSettings},
    skills::{Need, SkillMatch, Skills},
    strategy::Strategy,
};
use centro_kernel::{ContactId, Timestamp, UserId};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

/// Contacts that need the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Group {
    /// Those that a grant may be spent on.
    open: BTreeSet<Place>,
    /// Those of them for which no bid runs.
    uncovered: BTreeSet<Place>,
}

/// The line of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Line {
    ageing: Ageing,
    skill_match: SkillMatch,
    /// An offered contact stays open for further agents.
    ring_all: bool,
    entries: BTreeMap<ContactId, Entry>,
    order: BTreeSet<Place>,
    groups: BTreeMap<Vec<Need>, Group>,
    /// By the time they entered.
    ages: BTreeSet<(Timestamp, ContactId)>,
    /// The running bid of each contact: it was made for it, and it is not slow.
    covers: BTreeMap<ContactId, UserId>,
    timers: BTreeSet<(Timestamp, QueueTimer)>,
    detached: usize,
    /// Entries looked at, so that a test can tell what a step costs.
    #[cfg(test)]
    pub(super) looked: Looked,
}

/// Counts without being part of the state.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
pub(super) struct Looked(pub std::cell::Cell<u64>);

#[cfg(test)]
mod looked {
    use super::Looked;
    impl PartialEq for Looked {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }
    impl Eq for Looked {}
    impl std::hash::Hash for Looked {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }
}

impl Line {
    pub(super) fn new(settings: &QueueSettings) -> Self {
        Self {
            ageing: settings.ageing,
            skill_match: settings.skill_match,
            ring_all: settings.strategy == Strategy::RingAll,
            ..Self::default()
        }
    }

    /// Takes other rules over: nobody leaves, and places change only where ageing does.
    pub(super) fn configure(&mut self, settings: &QueueSettings) {
        let new = Self::new(settings);
        let same = (self.ageing, self.ring_all) == (new.ageing, new.ring_all);
        self.skill_match = new.skill_match;
        if same {
            return;
        }
        let entries: Vec<_> = self
            .contacts()
            .into_iter()
            .filter_map(|c| self.take(c))
            .collect();
        (self.ageing, self.ring_all) = (new.ageing, new.ring_all);
        if self.ring_all {
            self.covers.clear();
        }
        for entry in entries {
            self.put(entry);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, contact: ContactId) -> Option<&Entry> {
        self.look();
        self.entries.get(&contact)
    }

    fn look(&self) {
        #[cfg(test)]
        self.looked.0.set(self.looked.0.get() + 1);
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = &Entry> {
        let places = self.order.iter();
        places.filter_map(|place| self.entries.get(&place.2))
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

    /// Where an entry stands.
    pub(super) fn place(&self, entry: &Entry) -> Place {
        entry.place(&self.ageing)
    }

    /// Whether a grant may be spent on an entry.
    pub(super) fn is_open(&self, entry: &Entry) -> bool {
        entry.may_be_offered() && (self.ring_all || entry.offers.is_empty())
    }

    /// Adds or replaces an entry.
    pub(super) fn put(&mut self, entry: Entry) {
        self.take(entry.contact);
        let contact = entry.contact;
        self.entries.insert(contact, entry);
        self.index(contact);
    }

    /// Removes an entry; its cover goes too.
    pub(super) fn remove(&mut self, contact: ContactId) -> Option<Entry> {
        self.covers.remove(&contact);
        self.take(contact)
    }

    /// Changes an entry in place.
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
        self.entries.remove(&contact)
    }

    fn unindex(&mut self, contact: ContactId) {
        let Some(entry) = self.entries.get(&contact) else {
            return;
        };
        let place = entry.place(&self.ageing);
        self.order.remove(&place);
        self.ages.remove(&(entry.enqueued_at, contact));
        if let Some(group) = self.groups.get_mut(entry.needs_now()) {
            group.open.remove(&place);
            group.uncovered.remove(&place);
            if group.open.is_empty() {
                self.groups.remove(entry.needs_now());
            }
        }
        self.detached -= usize::from(!entry.attached);
        for timer in entry.timers() {
            self.timers.remove(&timer);
        }
    }

    fn index(&mut self, contact: ContactId) {
        let Some(entry) = self.entries.get(&contact) else {
            return;
        };
        let place = entry.place(&self.ageing);
        self.order.insert(place);
        self.ages.insert((entry.enqueued_at, contact));
        self.detached += usize::from(!entry.attached);
        self.timers.extend(entry.timers());
        if !self.is_open(entry) {
            return;
        }
        if !self.groups.contains_key(entry.needs_now()) {
            self.groups
                .insert(entry.needs_now().to_vec(), Group::default());
        }
        if let Some(group) = self.groups.get_mut(entry.needs_now()) {
            group.open.insert(place);
            if !self.covers.contains_key(&contact) {
                group.uncovered.insert(place);
            }
        }
    }

    /// A bid runs for the contact.
    pub(super) fn cover(&mut self, contact: ContactId, by: UserId) {
        self.covers.insert(contact, by);
        if let Some(entry) = self.entries.get(&contact) {
            let place = entry.place(&self.ageing);
            if let Some(group) = self.groups.get_mut(entry.needs_now()) {
                group.uncovered.remove(&place);
            }
        }
    }

    /// The agent's bid no longer runs for the contact.
    pub(super) fn uncover(&mut self, contact: ContactId, by: UserId) {
        if self.covers.get(&contact) != Some(&by) {
            return;
        }
        self.covers.remove(&contact);
        if let Some(entry) = self.entries.get(&contact).filter(|e| self.is_open(e)) {
            let place = entry.place(&self.ageing);
            if let Some(group) = self.groups.get_mut(entry.needs_now()) {
                group.uncovered.insert(place);
            }
        }
    }

    pub(super) fn covered_by(&self, contact: ContactId) -> Option<UserId> {
        self.covers.get(&contact).copied()
    }

    /// Whether nobody waits who could be offered.
    pub(super) fn nobody_open(&self) -> bool {
        self.groups.is_empty()
    }

    /// The first in order that a grant of this agent could serve. Whoever declined a contact gets it again only when no
    /// other agent was asked for it meanwhile (`reject_memory`); `hint` is the contact this agent was asked for.
    pub(super) fn first_for(
        &self,
        agent: UserId,
        skills: &Skills,
        hint: Option<ContactId>,
    ) -> Option<ContactId> {
        let takes = |contact: &ContactId| {
            let Some(entry) = self.get(*contact) else {
                return false;
            };
            let others_asked = hint != Some(*contact) && self.covers.contains_key(contact);
            entry.fits(agent) && !(others_asked && entry.declined.contains(&agent))
        };
        let groups = self.groups.iter();
        let able = groups.filter(|(needs, _)| self.skill_match.allows(needs, skills));
        let first = able.filter_map(|(_, group)| group.open.iter().find(|place| takes(&place.2)));
        first.min().map(|place| place.2)
    }

    /// The next contact in order for which no bid runs, after `after` in its own group, of all groups but those `without`
    /// anybody who could serve them.
    pub(super) fn next_uncovered(
        &self,
        after: &BTreeMap<Vec<Need>, Option<Place>>,
    ) -> Option<Place> {
        let next = self.groups.iter().filter_map(|(needs, group)| {
            let from = match after.get(needs) {
                Some(None) => return None,
                Some(Some(place)) => Bound::Excluded(*place),
                None => Bound::Unbounded,
            };
            group.uncovered.range((from, Bound::Unbounded)).next()
        });
        next.min().copied()
    }

    /// Whether there is any contact for which no bid runs.
    pub(super) fn all_covered(&self) -> bool {
        self.groups.values().all(|group| group.uncovered.is_empty())
    }

    /// Open contacts whose present needs are not met by anybody, as `met` says of each different set of needs.
    pub(super) fn unmet(&self, met: impl Fn(&[Need]) -> bool) -> Vec<ContactId> {
        let groups = self.groups.iter().filter(|(needs, _)| !met(needs));
        let places = groups.flat_map(|(_, group)| group.open.iter());
        places.map(|place| place.2).collect()
    }

    /// Place in line, from 1. Counts from the nearer end.
    pub(super) fn position(&self, contact: ContactId) -> Option<u32> {
        let place = self.place(self.entries.get(&contact)?);
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
        self.ages.first().map(|(at, _)| *at)
    }
}
