//! The agents logged in to the queue as they last told, and the bids that run for them.
//!
//! Free agents stand in turn, apart by their skills: whole groups that cannot serve a contact are passed over at once, so
//! a choice costs O(groups x log n). A queue has few groups: as many as its agents have different sets of skills.

#[cfg(test)]
mod check;

use crate::{
    message::{PickUp, Presence, QueueTimer},
    settings::{EmptyRule, QueueSettings, Standing},
    skills::{Need, SkillMatch, Skills, score},
    strategy::{Strategy, Turn},
};
use centro_kernel::{ContactId, QueueId, Timestamp, UserId};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    time::Duration,
};

/// A bid that was sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A person's wish for one contact, asked of the person's own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OutPickUp {
    pub pick_up: PickUp,
    /// When it is repeated.
    pub due: Timestamp,
    /// How often it still is.
    pub left: u8,
}

/// The queue's view of its agents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Roster {
    queue: QueueId,
    strategy: Strategy,
    skill_match: SkillMatch,
    members: BTreeMap<UserId, Presence>,
    /// How many members have these skills.
    skilled: BTreeMap<Skills, u32>,
    /// How many members there are of each standing.
    standing: BTreeMap<Standing, u32>,
    bids: BTreeMap<UserId, OutBid>,
    pick_ups: BTreeMap<(UserId, ContactId), OutPickUp>,
    /// Agents with room and no bid of ours.
    free: BTreeMap<Skills, BTreeSet<Turn>>,
    /// The turn that was chosen last.
    last: Option<Turn>,
    /// How many turns were chosen.
    chosen: u64,
    /// The last version of who is no longer logged in here, so that a late word does not bring anybody back.
    departed: BTreeMap<UserId, (u64, Timestamp)>,
    departures: VecDeque<(Timestamp, UserId)>,
    timers: BTreeSet<(Timestamp, QueueTimer)>,
}

impl Roster {
    pub(super) fn new(settings: &QueueSettings) -> Self {
        Self {
            queue: settings.id,
            strategy: settings.strategy,
            skill_match: settings.skill_match,
            members: BTreeMap::new(),
            skilled: BTreeMap::new(),
            standing: BTreeMap::new(),
            bids: BTreeMap::new(),
            pick_ups: BTreeMap::new(),
            free: BTreeMap::new(),
            last: None,
            chosen: 0,
            departed: BTreeMap::new(),
            departures: VecDeque::new(),
            timers: BTreeSet::new(),
        }
    }

    /// Takes other rules over. Nobody's bid is touched.
    pub(super) fn configure(&mut self, settings: &QueueSettings) {
        self.skill_match = settings.skill_match;
        if settings.strategy != self.strategy {
            self.strategy = settings.strategy;
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

    pub(super) fn members(&self) -> impl Iterator<Item = &Presence> {
        self.members.values()
    }

    pub(super) fn bid(&self, agent: UserId) -> Option<OutBid> {
        self.bids.get(&agent).copied()
    }

    pub(super) fn bids(&self) -> impl Iterator<Item = (UserId, &OutBid)> {
        self.bids.iter().map(|(agent, bid)| (*agent, bid))
    }

    /// Bids that were made for a contact and are not slow.
    pub(super) fn standing_bids(&self) -> Vec<(UserId, ContactId)> {
        let standing = self.bids().filter(|(_, bid)| !bid.slow);
        standing.map(|(agent, bid)| (agent, bid.hint)).collect()
    }

    pub(super) fn bidden(&self) -> Vec<UserId> {
        self.bids.keys().copied().collect()
    }

    /// How many agents are logged in.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// Whether an agent has room and no bid of ours.
    pub(super) fn is_free(&self, member: &Presence) -> bool {
        member.free && !self.bids.contains_key(&member.agent)
    }

    /// Agents with room and no bid of ours, in turn among those of equal skills.
    pub(super) fn free(&self) -> impl Iterator<Item = UserId> {
        self.free.values().flatten().map(|turn| turn.2)
    }

    pub(super) fn nobody_free(&self) -> bool {
        self.free.is_empty()
    }

    /// Free agents with such skills, in turn; those first whose skills sort first.
    pub(super) fn free_with(
        &self,
        such: impl Fn(&Skills) -> bool,
    ) -> impl Iterator<Item = (UserId, &Skills)> {
        let groups = self.free.iter().filter(move |(skills, _)| such(skills));
        groups.flat_map(|(skills, turns)| turns.iter().map(move |turn| (turn.2, skills)))
    }

    /// Whether any member, whatever doing, could meet these needs.
    pub(super) fn anybody_meets(&self, needs: &[Need]) -> bool {
        let mut skills = self.skilled.keys();
        skills.any(|skills| self.skill_match.allows(needs, skills))
    }

    /// Whether the queue counts as empty under this rule.
    pub(super) fn is_empty(&self, rule: EmptyRule, settings: &QueueSettings) -> bool {
        match rule {
            EmptyRule::Allow => false,
            EmptyRule::NoneLoggedIn => self.members.is_empty(),
            EmptyRule::NoneAvailable => !self
                .standing
                .keys()
                .any(|standing| settings.counts_as_available.has(*standing)),
        }
    }

    /// The last version that this agent told, member or not.
    pub(super) fn known_ver(&self, agent: UserId) -> Option<u64> {
        let member = self.members.get(&agent).map(|member| member.ver);
        member.or_else(|| self.departed.get(&agent).map(|(ver, _)| *ver))
    }

    /// Remembers when a member left, and forgets who left so long ago that nothing can be on its way any more: at most
    /// two, so that a step stays short and the list shrinks.
    pub(super) fn note_departure(&mut self, now: Timestamp, keep: Duration, presence: &Presence) {
        let agent = presence.agent;
        if presence.member {
            self.departed.remove(&agent);
        } else if self.known_ver(agent).is_some() {
            self.departed.insert(agent, (presence.ver, now));
            self.departures.push_back((now, agent));
        }
        for _ in 0..2 {
            let front = self.departures.front().copied();
            let Some((at, agent)) = front.filter(|(at, _)| now.since(*at) >= keep) else {
                return;
            };
            self.departures.pop_front();
            if self
                .departed
                .get(&agent)
                .is_some_and(|(_, then)| *then == at)
            {
                self.departed.remove(&agent);
            }
        }
    }

    /// Takes an agent's news over. True when what the members could meet together may have changed.
    pub(super) fn set_member(&mut self, presence: Presence) -> bool {
        let agent = presence.agent;
        self.unindex(agent);
        let new = presence.member.then_some(presence);
        let old = match &new {
            Some(member) => self.members.insert(agent, member.clone()),
            None => self.members.remove(&agent),
        };
        self.index(agent);
        let standing = |p: &Option<Presence>| p.as_ref().map(|p| p.standing);
        move_count(&mut self.standing, standing(&old), standing(&new));
        let skills = |p: Option<Presence>| p.map(|p| p.skills);
        move_count(&mut self.skilled, skills(old), skills(new))
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

    pub(super) fn set_pick_up(&mut self, agent: UserId, asked: OutPickUp) {
        let contact = asked.pick_up.contact;
        self.remove_pick_up(agent, contact);
        self.pick_ups.insert((agent, contact), asked);
        let timer = QueueTimer::PickUp(contact, agent);
        self.timers.insert((asked.due, timer));
    }

    /// None: it was not asked for, or that is over.
    pub(super) fn remove_pick_up(
        &mut self,
        agent: UserId,
        contact: ContactId,
    ) -> Option<OutPickUp> {
        let old = self.pick_ups.remove(&(agent, contact))?;
        let timer = QueueTimer::PickUp(contact, agent);
        self.timers.remove(&(old.due, timer));
        Some(old)
    }

    fn unindex(&mut self, agent: UserId) {
        if let Some(member) = self.members.get(&agent)
            && let Some(turns) = self.free.get_mut(&member.skills)
        {
            turns.remove(&self.strategy.turn(self.queue, member));
            if turns.is_empty() {
                self.free.remove(&member.skills);
            }
        }
    }

    fn index(&mut self, agent: UserId) {
        if let Some(member) = self.members.get(&agent)
            && member.free
            && !self.bids.contains_key(&agent)
        {
            let turn = self.strategy.turn(self.queue, member);
            match self.free.get_mut(&member.skills) {
                Some(turns) => {
                    turns.insert(turn);
                }
                None => {
                    let turns = BTreeSet::from([turn]);
                    self.free.insert(member.skills.clone(), turns);
                }
            }
        }
    }

    /// Whether better answers to the needs go before the strategy's order.
    fn by_score(&self) -> bool {
        self.strategy == Strategy::SkillsBest || self.skill_match == SkillMatch::BestMatch
    }

    /// The next free agent that fits, and that agent's version; none when the strategy leaves it to the agents.
    pub(super) fn choose(
        &mut self,
        needs: &[Need],
        fits: impl Fn(UserId) -> bool,
    ) -> Option<(UserId, u64)> {
        let turn = self.next(needs, fits)?;
        self.last = Some(turn);
        // Only a draw begins elsewhere each time; for the others it would be state that says nothing.
        self.chosen += u64::from(self.strategy == Strategy::Random);
        self.members.get(&turn.2).map(|m| (turn.2, m.ver))
    }

    /// Whether any free agent meets these needs.
    pub(super) fn any_free_meets(&self, needs: &[Need]) -> bool {
        let mut skills = self.free.keys();
        skills.any(|skills| self.skill_match.allows(needs, skills))
    }

    fn next(&self, needs: &[Need], fits: impl Fn(UserId) -> bool) -> Option<Turn> {
        let by_score = self.by_score();
        let groups = self.free.iter();
        let able = groups.filter(|(skills, _)| self.skill_match.allows(needs, skills));
        let first = able.filter_map(|(skills, turns)| {
            let (laps, turn) = self.first_in_turn(turns, &fits)?;
            let points = if by_score { score(needs, skills) } else { 0 };
            Some((Reverse(points), laps, turn))
        });
        first.min().map(|(_, _, turn)| turn)
    }

    /// The first of a group that fits, and whether the round began anew for it.
    fn first_in_turn(
        &self,
        turns: &BTreeSet<Turn>,
        fits: &impl Fn(UserId) -> bool,
    ) -> Option<(u8, Turn)> {
        let strategy = self.strategy;
        let after = strategy.begins_after(self.queue, self.last, self.chosen);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut on = turns.range((from, Bound::Unbounded));
        if let Some(turn) = on.find(|turn| fits(turn.2)) {
            return Some((0, *turn));
        }
        let again = turns.range(..=after?).find(|turn| fits(turn.2));
        again.map(|turn| (1, *turn))
    }
}

/// One less of `old`, one more of `new`. False when they are the same.
fn move_count<K: Ord>(counts: &mut BTreeMap<K, u32>, old: Option<K>, new: Option<K>) -> bool {
    if old == new {
        return false;
    }
    if let Some(new) = new {
        *counts.entry(new).or_default() += 1;
    }
    if let Some(old) = old
        && let Some(count) = counts.get_mut(&old)
    {
        *count -= 1;
        if *count == 0 {
            counts.remove(&old);
        }
    }
    true
}
