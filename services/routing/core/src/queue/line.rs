//! The waiting contacts in order, and indexes that answer "who is next" in O(log n) for each different set of needs.

#[cfg(test)]
mod check;
mod groups;

use super::{
    entry::{Entry, Place},
    places::Places,
};
use crate::{
    few::{FewMap, FewSet},
    message::QueueTimer,
    mutants::{Mutant, breaks},
    settings::{Ageing, QueueSettings},
    skills::{Need, SkillMatch, Skills},
    strategy::Strategy,
};
use centro_kernel::{ContactId, Timestamp, UserId};
use groups::Groups;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Where an entry stands in the indexes.
struct Stand {
    place: Place,
    age: (Timestamp, ContactId),
    step: u8,
    open: bool,
    asks: bool,
    detached: bool,
    evictable: bool,
    dues: [Option<Timestamp>; 7],
}

impl Stand {
    fn of(entry: &Entry, ageing: &Ageing, ring_all: bool) -> Self {
        Self {
            place: entry.place(ageing),
            age: (entry.enqueued_at, entry.contact),
            step: entry.step,
            open: is_open(entry, ring_all),
            asks: entry.asks(),
            detached: !entry.attached,
            evictable: entry.is_evictable(),
            dues: entry.dues(),
        }
    }

    /// By what it is found among those who need the same.
    const fn group(&self) -> (Place, u8, bool, bool) {
        (self.place, self.step, self.open, self.asks)
    }
}

fn is_open(entry: &Entry, ring_all: bool) -> bool {
    entry.may_be_offered() && (ring_all || entry.offers.is_empty() || breaks(Mutant::AskTwice))
}

/// The line of a queue; in memory as it stands here, what an agent's news read first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(C)]
pub(super) struct Line {
    /// How many a rule may send away.
    evictable: usize,
    groups: Groups,
    ageing: Ageing,
    skill_match: SkillMatch,
    /// An offered contact stays open for further agents.
    ring_all: bool,
    entries: FewMap<ContactId, Arc<Entry>>,
    order: Places,
    /// The running bid of each contact: it was made for it, and it is not slow.
    covers: FewMap<ContactId, UserId>,
    timers: FewSet<(Timestamp, QueueTimer)>,
    detached: usize,
    /// Entries looked at, so that a test can tell what a step costs.
    #[cfg(test)]
    #[serde(skip)]
    pub(super) looked: check::Looked,
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
        let ages_alike = self.ageing == new.ageing;
        let same = ages_alike && self.ring_all == new.ring_all;
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
        for mut entry in entries {
            if !ages_alike {
                entry.age_by(&self.ageing);
            }
            self.put(entry);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, contact: ContactId) -> Option<&Entry> {
        self.look();
        self.entries.get(&contact).map(|entry| &**entry)
    }

    /// The contact's entry, to be kept as it is now.
    pub(super) fn keep(&self, contact: ContactId) -> Option<&Arc<Entry>> {
        self.entries.get(&contact)
    }

    fn look(&self) {
        #[cfg(test)]
        self.looked.0.set(self.looked.0.get() + 1);
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = &Entry> {
        let places = self.order.iter();
        places.filter_map(|place| self.entries.get(&place.2).map(|entry| &**entry))
    }

    pub(super) fn contacts(&self) -> Vec<ContactId> {
        self.order.iter().map(|place| place.2).collect()
    }

    pub(super) const fn timers(&self) -> &FewSet<(Timestamp, QueueTimer)> {
        &self.timers
    }

    pub(super) fn all_attached(&self) -> bool {
        self.detached == 0
    }

    /// Whether there is anybody whom a rule may send away.
    pub(super) fn anybody_evictable(&self) -> bool {
        self.evictable > 0
    }

    /// Where an entry stands.
    pub(super) fn place(&self, entry: &Entry) -> Place {
        entry.place(&self.ageing)
    }

    /// Whether a grant may be spent on an entry.
    pub(super) fn is_open(&self, entry: &Entry) -> bool {
        is_open(entry, self.ring_all)
    }

    /// Adds or replaces an entry.
    pub(super) fn put(&mut self, entry: Entry) {
        self.take(entry.contact);
        self.index(&entry);
        self.entries.insert(entry.contact, Arc::new(entry));
    }

    /// Removes an entry; its cover goes too.
    pub(super) fn remove(&mut self, contact: ContactId) -> Option<Entry> {
        self.covers.remove(&contact);
        self.take(contact)
    }

    /// Changes an entry. Only the indexes move that the change concerns.
    pub(super) fn change(
        &mut self,
        contact: ContactId,
        change: impl FnOnce(&mut Entry),
    ) -> Option<&Entry> {
        let entry = self.entries.get_mut(&contact)?;
        // In place, unless somebody keeps it as it was.
        let entry = Arc::make_mut(entry);
        let (ageing, ring_all) = (&self.ageing, self.ring_all);
        let was = Stand::of(entry, ageing, ring_all);
        let excluded = entry.excluded.clone();
        change(entry);
        let is = Stand::of(entry, ageing, ring_all);
        if was.place != is.place {
            self.order.remove(&was.place);
            self.order.insert(is.place);
        }
        if was.group() != is.group() {
            let needs = entry.needs.at(was.step);
            self.groups.leave(needs, &was.place, &was.age);
            if is.open {
                let uncovered = is.asks && !self.covers.contains_key(&contact);
                let needs = entry.needs.at(is.step);
                self.groups.enter(needs, is.place, is.age, uncovered);
            }
        }
        self.detached = self.detached + usize::from(is.detached) - usize::from(was.detached);
        self.evictable = self.evictable + usize::from(is.evictable) - usize::from(was.evictable);
        if was.dues != is.dues {
            for ((was, is), timer) in was.dues.into_iter().zip(is.dues).zip(Entry::TIMERS) {
                if was != is {
                    if let Some(was) = was {
                        self.timers.remove(&(was, timer(contact)));
                    }
                    if let Some(is) = is {
                        self.timers.insert((is, timer(contact)));
                    }
                }
            }
        }
        if excluded != entry.excluded {
            for timer in Entry::exclusions(contact, &excluded) {
                self.timers.remove(&timer);
            }
            self.timers
                .extend(Entry::exclusions(contact, &entry.excluded));
        }
        Some(entry)
    }

    fn take(&mut self, contact: ContactId) -> Option<Entry> {
        let entry = self.entries.remove(&contact)?;
        self.unindex(&entry);
        Some(Arc::unwrap_or_clone(entry))
    }

    fn unindex(&mut self, entry: &Entry) {
        let place = entry.place(&self.ageing);
        self.order.remove(&place);
        self.ungroup(entry, &place);
        self.uncount(entry);
        for timer in entry.timers() {
            self.timers.remove(&timer);
        }
    }

    fn index(&mut self, entry: &Entry) {
        let place = entry.place(&self.ageing);
        self.order.insert(place);
        self.group(entry, place);
        self.count(entry);
        self.timers.extend(entry.timers());
    }

    fn count(&mut self, entry: &Entry) {
        self.detached += usize::from(!entry.attached);
        self.evictable += usize::from(entry.is_evictable());
    }

    fn uncount(&mut self, entry: &Entry) {
        self.detached -= usize::from(!entry.attached);
        self.evictable -= usize::from(entry.is_evictable());
    }

    /// Puts an entry among those who need the same, if it is open.
    fn group(&mut self, entry: &Entry, place: Place) {
        if !self.is_open(entry) {
            return;
        }
        let age = (entry.enqueued_at, entry.contact);
        let uncovered = entry.asks() && !self.covers.contains_key(&entry.contact);
        self.groups.enter(entry.needs_now(), place, age, uncovered);
    }

    fn ungroup(&mut self, entry: &Entry, place: &Place) {
        let age = (entry.enqueued_at, entry.contact);
        self.groups.leave(entry.needs_now(), place, &age);
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
        if let Some(entry) = self
            .entries
            .get(&contact)
            .filter(|e| self.is_open(e) && e.asks())
        {
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
    /// other agent was asked for it meanwhile (`reject_memory`).
    pub(super) fn first_for(&self, agent: UserId, skills: &Skills) -> Option<ContactId> {
        self.look();
        let takes = |contact: &ContactId| self.get(*contact).is_some_and(|e| self.is_for(agent, e));
        let groups = self.groups.iter();
        let able = groups.filter(|(needs, _)| self.skill_match.allows(needs, skills));
        let first = able.filter_map(|(_, group)| group.open.iter().find(|place| takes(&place.2)));
        first.min().map(|place| place.2)
    }

    /// The first in order for which this agent could be asked.
    pub(super) fn first_asking(&self, agent: UserId, skills: &Skills) -> Option<ContactId> {
        let asks = |contact: &ContactId| {
            let entry = self.get(*contact);
            entry.is_some_and(|e| e.asks() && self.is_for(agent, e))
        };
        let groups = self.groups.iter();
        let able = groups.filter(|(needs, _)| self.skill_match.allows(needs, skills));
        let first = able.filter_map(|(_, group)| group.open.iter().find(|place| asks(&place.2)));
        first.min().map(|place| place.2)
    }

    /// Whether an open contact may go to this agent, skills aside.
    fn is_for(&self, agent: UserId, entry: &Entry) -> bool {
        let asked = self.covers.get(&entry.contact);
        let others_asked = asked.is_some_and(|asked| *asked != agent);
        entry.fits(agent) && !(others_asked && entry.declined.contains(&agent))
    }

    /// Whether a grant of this agent could serve this contact once its stream is there, whoever stands before it.
    pub(super) fn takes(&self, agent: UserId, skills: &Skills, entry: &Entry) -> bool {
        entry.wish.is_none()
            && self.skill_match.allows(entry.needs_now(), skills)
            && self.is_for(agent, entry)
    }

    /// Of the contacts that a grant of this agent could serve, the one that waits longest.
    pub(super) fn oldest_for(&self, agent: UserId, skills: &Skills) -> Option<&Entry> {
        let groups = self.groups.iter();
        let able = groups.filter(|(needs, _)| self.skill_match.allows(needs, skills));
        let takes = |contact: &ContactId| self.get(*contact).is_some_and(|e| e.fits(agent));
        let oldest = able.filter_map(|(_, group)| group.by_age.iter().find(|age| takes(&age.1)));
        oldest
            .min()
            .and_then(|(_, contact)| Some(&**self.entries.get(contact)?))
    }

    /// Whether any open contact needs no more than these skills.
    pub(super) fn anybody_for(&self, skills: &Skills) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|(needs, _)| self.skill_match.allows(needs, skills))
    }

    /// What contacts need for which no bid runs.
    pub(super) fn uncovered_needs(&self) -> impl Iterator<Item = &Vec<Need>> {
        let groups = self.groups.iter();
        let uncovered = groups.filter(|(_, group)| !group.uncovered.is_empty());
        uncovered.map(|(needs, _)| needs)
    }

    /// The next contact in order for which no bid runs: in each group after the place that `after` names, and nobody of
    /// a group for which it names none.
    pub(super) fn next_uncovered(
        &self,
        after: &BTreeMap<Vec<Need>, Option<Place>>,
    ) -> Option<Place> {
        let next = self
            .groups
            .iter()
            .filter_map(|(needs, group)| match after.get(needs) {
                Some(None) => None,
                Some(Some(place)) => group.uncovered.after(place).next(),
                None => group.uncovered.first(),
            });
        next.min().copied()
    }

    /// Whether there is any contact for which no bid runs.
    pub(super) fn all_covered(&self) -> bool {
        let mut groups = self.groups.iter();
        self.groups.is_empty() || groups.all(|(_, group)| group.uncovered.is_empty())
    }

    /// Open contacts whose present needs are not met by anybody, as `met` says of each different set of needs.
    pub(super) fn unmet(&self, met: impl Fn(&[Need]) -> bool) -> Vec<ContactId> {
        let groups = self.groups.iter().filter(|(needs, _)| !met(needs));
        let places = groups.flat_map(|(_, group)| group.open.iter());
        places.map(|place| place.2).collect()
    }

    /// Place in line, from 1.
    pub(super) fn position(&self, contact: ContactId) -> Option<u32> {
        let place = self.place(self.get(contact)?);
        u32::try_from(self.order.number(&place)?).ok()
    }
}
