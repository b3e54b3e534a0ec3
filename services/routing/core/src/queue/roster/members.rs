//! The members, side by side in memory and found by a hash: every word of an agent looks one up.

use super::Member;
use centro_kernel::UserId;
use foldhash::fast::FixedState;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

/// Members by their agents, in an order that follows from who came and went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Members(IndexMap<UserId, Member, FixedState>);

impl Members {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, agent: UserId) -> Option<&Member> {
        self.0.get(&agent)
    }

    pub(super) fn get_mut(&mut self, agent: UserId) -> Option<&mut Member> {
        self.0.get_mut(&agent)
    }

    /// Where an agent stands, until one is removed.
    pub(super) fn find(&self, agent: UserId) -> Option<usize> {
        self.0.get_index_of(&agent)
    }

    pub(super) fn at(&self, at: usize) -> Option<&Member> {
        self.0.get_index(at).map(|(_, member)| member)
    }

    pub(super) fn at_mut(&mut self, at: usize) -> Option<&mut Member> {
        self.0.get_index_mut(at).map(|(_, member)| member)
    }

    pub(super) fn insert(&mut self, member: Member) {
        self.0.insert(member.presence.agent, member);
    }

    /// The last one takes the place of the one that goes.
    pub(super) fn remove(&mut self, agent: UserId) -> Option<Member> {
        self.0.swap_remove(&agent)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.values()
    }

    pub(super) fn ids(&self) -> Vec<UserId> {
        self.0.keys().copied().collect()
    }
}

/// In which order they stand is no part of who they are.
impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut members: Vec<_> = self.iter().collect();
        members.sort_unstable_by_key(|member| member.presence.agent);
        members.hash(state);
    }
}
