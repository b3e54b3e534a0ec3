//! The line's indexes against a plain recomputation, and a count of what its steps look at.

use super::*;
use std::{
    cell::Cell,
    hash::{Hash, Hasher},
};

/// Counts without being part of the state.
#[derive(Clone, Debug, Default)]
pub(in crate::queue) struct Looked(pub Cell<u64>);

impl PartialEq for Looked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Looked {}

impl Hash for Looked {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Line {
    pub(in crate::queue) fn covers(&self) -> impl Iterator<Item = (UserId, ContactId)> {
        self.covers
            .iter()
            .map(|(contact, agent)| (*agent, *contact))
    }

    pub(in crate::queue) fn check(&self) {
        let mut plain = Self {
            ageing: self.ageing,
            skill_match: self.skill_match,
            ring_all: self.ring_all,
            ..Self::default()
        };
        for (contact, entry) in self.entries.iter() {
            let place = entry.place(&self.ageing);
            plain.order.insert(place);
            plain.timers.extend(entry.timers());
            plain.detached += usize::from(!entry.attached);
            plain.evictable += usize::from(entry.is_evictable());
            if self.is_open(entry) {
                let age = (entry.enqueued_at, *contact);
                let uncovered = entry.asks() && !self.covers.contains_key(contact);
                let needs = entry.needs_now();
                plain.groups.enter(needs, place, age, uncovered);
            }
        }
        plain.entries.clone_from(&self.entries);
        plain.covers.clone_from(&self.covers);
        assert_eq!(*self, plain);
        for contact in self.covers.keys() {
            assert!(self.entries.contains_key(contact), "{contact} is not here");
        }
    }
}
