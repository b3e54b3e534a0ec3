//! The agents logged in to the queue as they last told, and the bids that run for them.

use crate::{
    message::{Presence, QueueTimer},
    strategy::{Strategy, Turn},
};
use centro_kernel::{ContactId, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// A bid that was sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutBid {
    /// The agent's version it quotes.
    pub ver: u64,
    /// The contact it was made for. The grant goes to the first in order that fits.
    pub hint: ContactId,
    /// When it is repeated.
    pub due: Timestamp,
    /// Not answered in time, or its contact is gone: it stands for no contact any more.
    pub slow: bool,
}

/// The queue's view of its agents.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    strategy: Strategy,
    members: BTreeMap<UserId, Presence>,
    bids: BTreeMap<UserId, OutBid>,
    /// Agents with room and no bid of ours.
    free: BTreeSet<Turn>,
    /// The turn that was chosen last.
    last: Option<Turn>,
    timers: BTreeSet<(Timestamp, QueueTimer)>,
}

impl Roster {
    pub(super) fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            ..Self::default()
        }
    }

    pub(super) fn set_strategy(&mut self, strategy: Strategy) {
        if strategy != self.strategy {
            self.strategy = strategy;
            self.last = None;
            self.free.clear();
            for agent in self.members.keys().copied().collect::<Vec<_>>() {
                self.index(agent);
            }
        }
    }

    pub(super) const fn timers(&self) -> &BTreeSet<(Timestamp, QueueTimer)> {
        &self.timers
    }

    pub(super) fn member(&self, agent: UserId) -> Option<&Presence> {
        self.members.get(&agent)
    }

    pub(super) fn bid(&self, agent: UserId) -> Option<OutBid> {
        self.bids.get(&agent).copied()
    }

    pub(super) fn bidden(&self) -> Vec<UserId> {
        self.bids.keys().copied().collect()
    }

    pub(super) fn nobody_free(&self) -> bool {
        self.free.is_empty()
    }

    pub(super) fn set_member(&mut self, presence: Presence) {
        self.unindex(presence.agent);
        if presence.member {
            self.members.insert(presence.agent, presence);
        } else {
            self.members.remove(&presence.agent);
        }
        self.index(presence.agent);
    }

    pub(super) fn set_bid(&mut self, agent: UserId, bid: OutBid) {
        self.unindex(agent);
        if let Some(old) = self.bids.insert(agent, bid) {
            self.timers.remove(&(old.due, QueueTimer::Bid(agent)));
        }
        self.timers.insert((bid.due, QueueTimer::Bid(agent)));
        self.index(agent);
    }

    pub(super) fn remove_bid(&mut self, agent: UserId) -> Option<OutBid> {
        let bid = self.bids.remove(&agent)?;
        self.timers.remove(&(bid.due, QueueTimer::Bid(agent)));
        self.index(agent);
        Some(bid)
    }

    fn unindex(&mut self, agent: UserId) {
        if let Some(member) = self.members.get(&agent) {
            self.free.remove(&self.strategy.turn(member));
        }
    }

    fn index(&mut self, agent: UserId) {
        if let Some(member) = self.members.get(&agent)
            && member.free
            && !self.bids.contains_key(&agent)
        {
            self.free.insert(self.strategy.turn(member));
        }
    }

    /// The next free agent that fits, and that agent's version.
    pub(super) fn choose(&mut self, fits: impl Fn(UserId) -> bool) -> Option<(UserId, u64)> {
        let turn = self.strategy.choose(&self.free, self.last, fits)?;
        self.last = Some(turn);
        self.members.get(&turn.1).map(|m| (turn.1, m.ver))
    }
}
