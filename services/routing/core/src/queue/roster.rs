//! The agents logged in to the queue as they last told, and the bids that run for them.
//!
//! Free agents stand in turn, apart by their skills: whole groups that cannot serve a contact are passed over at once, so
//! a choice costs O(groups x log n). A queue has few groups: as many as its agents have different sets of skills.

#[cfg(test)]
mod check;
mod members;

use crate::{
    few::{FewMap, FewSet, Pairs},
    message::{PickUp, Presence, QueueTimer},
    settings::{EmptyRule, QueueSettings, Standing},
    skills::{Need, SkillMatch, Skills, score},
    strategy::{Strategy, Turn},
};
use centro_kernel::{ContactId, QueueId, Timestamp, UserId, contact::Reservation};
use members::Members;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A bid that was sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct OutPickUp {
    pub pick_up: PickUp,
    /// When it is repeated.
    pub due: Timestamp,
    /// How often it still is.
    pub left: u8,
    /// The contact is offered to the person; nothing rings yet.
    pub offered: Option<Reservation>,
}

/// One member, and what runs for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Member {
    presence: Presence,
    /// Index of the members with the same skills.
    group: u32,
    /// A bid of ours runs for it.
    bidden: bool,
    /// The highest number of its reservations that was granted here; they only grow.
    met: u64,
}

impl Member {
    /// It has room, and no bid of ours runs: it stands among the free of its group.
    const fn is_free(&self) -> bool {
        self.presence.free && !self.bidden
    }
}

/// Members with the same skills.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Group {
    skills: Skills,
    members: usize,
    /// Those who have room and no bid of ours, with what they do.
    #[serde(with = "crate::pairs")]
    free: FewMap<Turn, Standing>,
}

impl Group {
    pub(super) const fn skills(&self) -> &Skills {
        &self.skills
    }

    /// Those who are free, in turn.
    pub(super) fn free(&self) -> impl Iterator<Item = Free<'_>> {
        self.free.iter().map(|(turn, standing)| Free {
            turn: *turn,
            standing: *standing,
            skills: &self.skills,
        })
    }
}

/// One who has room and no bid of ours.
pub(super) struct Free<'a> {
    pub turn: Turn,
    pub standing: Standing,
    pub skills: &'a Skills,
}

/// The next of a group who is free, and those behind.
struct Head<'a> {
    behind: Reverse<u32>,
    turn: &'a Turn,
    standing: &'a Standing,
    points: u32,
    skills: &'a Skills,
    rest: Pairs<'a, Turn, Standing>,
}

impl Head<'_> {
    fn is_before(&self, other: &Self) -> bool {
        let place = |head: &Self| (head.behind, head.turn.0, head.turn.1);
        match place(self).cmp(&place(other)) {
            Ordering::Equal => self.turn.2 < other.turn.2,
            order => order == Ordering::Less,
        }
    }
}

/// What an agent's news did.
pub(super) struct Heard {
    /// Where the agent stands among the members.
    pub at: Option<usize>,
    /// What the members could meet together may have changed.
    pub staff_changed: bool,
    /// The bid that came to nothing, and what its agent can do.
    pub ended: Option<(OutBid, Skills)>,
}

/// The queue's view of its agents; in memory as it stands here, what every news read first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(C)]
pub(super) struct Roster {
    queue: QueueId,
    strategy: Strategy,
    skill_match: SkillMatch,
    /// How many members there are of each standing.
    standing: [u32; Standing::COUNT],
    /// How many agents have room and no bid of ours.
    free: usize,
    /// Where nobody is left the next new group takes the place.
    groups: Vec<Option<Group>>,
    departures: VecDeque<(Timestamp, UserId)>,
    members: Members,
    #[serde(with = "crate::pairs")]
    by_skills: BTreeMap<Skills, u32>,
    /// The bids that run.
    bids: FewMap<UserId, OutBid>,
    #[serde(with = "crate::pairs")]
    pick_ups: BTreeMap<(UserId, ContactId), OutPickUp>,
    /// The turn that was chosen last.
    last: Option<Turn>,
    /// How many turns were chosen.
    chosen: u64,
    /// The last version of who is no longer logged in here, so that a late word does not bring anybody back.
    departed: BTreeMap<UserId, (u64, Timestamp)>,
    timers: FewSet<(Timestamp, QueueTimer)>,
}

impl Roster {
    pub(super) fn new(settings: &QueueSettings) -> Self {
        Self {
            queue: settings.id,
            strategy: settings.strategy,
            skill_match: settings.skill_match,
            members: Members::default(),
            groups: Vec::new(),
            by_skills: BTreeMap::new(),
            standing: [0; Standing::COUNT],
            bids: FewMap::new(),
            pick_ups: BTreeMap::new(),
            free: 0,
            last: None,
            chosen: 0,
            departed: BTreeMap::new(),
            departures: VecDeque::new(),
            timers: FewSet::default(),
        }
    }

    /// Takes other rules over. Nobody's bid is touched.
    pub(super) fn configure(&mut self, settings: &QueueSettings) {
        self.skill_match = settings.skill_match;
        if settings.strategy != self.strategy {
            self.strategy = settings.strategy;
            self.last = None;
            for group in self.groups.iter_mut().flatten() {
                group.free.clear();
            }
            self.free = 0;
            for agent in self.members.ids() {
                self.stand(agent);
            }
        }
    }

    pub(super) const fn timers(&self) -> &FewSet<(Timestamp, QueueTimer)> {
        &self.timers
    }

    pub(super) fn member(&self, agent: UserId) -> Option<&Presence> {
        self.members.get(agent).map(|member| &member.presence)
    }

    /// Where an agent stands among the members.
    pub(super) fn find(&self, agent: UserId) -> Option<usize> {
        self.members.find(agent)
    }

    /// The version of a member that has room, and whether a bid of ours runs for it.
    pub(super) fn with_room(&self, at: usize) -> Option<(u64, bool)> {
        let member = self.members.at(at)?;
        let presence = &member.presence;
        presence.free.then_some((presence.ver, member.bidden))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Presence> {
        self.members.iter().map(|member| &member.presence)
    }

    pub(super) fn bid(&self, agent: UserId) -> Option<OutBid> {
        self.bids.get(&agent).copied()
    }

    pub(super) fn bids(&self) -> impl Iterator<Item = (UserId, OutBid)> {
        self.bids.iter().map(|(agent, bid)| (*agent, *bid))
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

    /// Those who have no room, or for whom a bid of ours runs.
    pub(super) fn not_free(&self) -> impl Iterator<Item = &Presence> {
        let others = self.members.iter().filter(|member| !member.is_free());
        others.map(|member| &member.presence)
    }

    pub(super) const fn nobody_free(&self) -> bool {
        self.free == 0
    }

    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().flatten()
    }

    /// Groups of which somebody is free.
    fn free_groups(&self) -> impl Iterator<Item = &Group> {
        self.groups().filter(|group| !group.free.is_empty())
    }

    /// Free agents with such skills, in turn among those of equal skills; those first whose skills sort first.
    pub(super) fn free_with(
        &self,
        such: impl Fn(&Skills) -> bool,
    ) -> impl Iterator<Item = Free<'_>> {
        let groups = self.by_skills.values();
        let groups = groups.filter_map(|at| self.groups.get(*at as usize)?.as_ref());
        let groups = groups.filter(move |group| such(&group.skills));
        groups.flat_map(Group::free)
    }

    /// Free agents who meet these needs, in the order in which the strategy would ask them, with their scores, so long as
    /// `each` wants more.
    pub(super) fn free_in_turn(&self, needs: &[Need], mut each: impl FnMut(Free<'_>, u32) -> bool) {
        let by_score = self.by_score();
        let able = self
            .free_groups()
            .filter(|group| self.skill_match.allows(needs, &group.skills));
        let heads = able.filter_map(|group| {
            let points = score(needs, &group.skills);
            let mut rest = group.free.iter();
            let (turn, standing) = rest.next()?;
            Some(Head {
                behind: Reverse(if by_score { points } else { 0 }),
                turn,
                standing,
                points,
                skills: &group.skills,
                rest,
            })
        });
        let mut heads: SmallVec<[_; 4]> = heads.collect();
        while let Some((first, others)) = heads.split_first_mut() {
            let (mut at, mut front) = (0, first);
            for (n, other) in others.iter_mut().enumerate() {
                if other.is_before(front) {
                    (at, front) = (n + 1, other);
                }
            }
            let free = Free {
                turn: *front.turn,
                standing: *front.standing,
                skills: front.skills,
            };
            if !each(free, front.points) {
                return;
            }
            match front.rest.next() {
                Some((turn, standing)) => (front.turn, front.standing) = (turn, standing),
                None => {
                    heads.swap_remove(at);
                }
            }
        }
    }

    /// Groups of whom somebody is free, and who do not meet these needs.
    pub(super) fn free_without(&self, needs: &[Need]) -> impl Iterator<Item = &Group> {
        self.free_groups()
            .filter(|group| !self.skill_match.allows(needs, &group.skills))
    }

    /// Whether any member, whatever doing, could meet these needs.
    pub(super) fn anybody_meets(&self, needs: &[Need]) -> bool {
        let mut groups = self.groups();
        groups.any(|group| self.skill_match.allows(needs, &group.skills))
    }

    /// Whether the queue counts as empty under this rule.
    pub(super) fn is_empty(&self, rule: EmptyRule, settings: &QueueSettings) -> bool {
        match rule {
            EmptyRule::Allow => false,
            EmptyRule::NoneLoggedIn => self.members.is_empty(),
            EmptyRule::NoneAvailable => {
                let counts = Standing::ALL.into_iter().zip(self.standing);
                let mut present = counts.filter(|(_, count)| *count > 0);
                !present.any(|(standing, _)| settings.counts_as_available.has(standing))
            }
        }
    }

    /// The last version that this agent told, member or not.
    #[cfg(test)]
    pub(super) fn known_ver(&self, agent: UserId) -> Option<u64> {
        let member = self.member(agent).map(|member| member.ver);
        member.or_else(|| self.departed.get(&agent).map(|(ver, _)| *ver))
    }

    /// Takes an agent's news over; none when they are older than what is known. Who left is remembered for as long as
    /// anything can be on its way.
    pub(super) fn hear(
        &mut self,
        now: Timestamp,
        keep: Duration,
        presence: &Presence,
    ) -> Option<Heard> {
        if !self.departures.is_empty() {
            self.forget_departures(now, keep);
        }
        let agent = presence.agent;
        let Some(at) = self.members.find(agent) else {
            return self.come(now, presence);
        };
        if self.members.at(at)?.presence.ver > presence.ver {
            None
        } else if presence.member {
            self.take_over(at, presence)
        } else {
            Some(self.go(now, presence))
        }
    }

    /// News of a member that stays one.
    fn take_over(&mut self, at: usize, presence: &Presence) -> Option<Heard> {
        let known = self.members.at(at)?;
        let (agent, standing) = (presence.agent, presence.standing);
        let staff_changed = known.presence.skills != presence.skills;
        let dead = |bid: &OutBid| bid.ver < presence.ver || !presence.free;
        let bid = if known.bidden { self.bid(agent) } else { None };
        let bid = bid.filter(dead);
        if bid.is_some() {
            self.forget_bid(agent);
        }
        let ended = bid.is_some();
        let was = self.change_at(at, |known| {
            known.bidden &= !ended;
            let was = known.presence.standing;
            known.presence.hear(presence);
            was
        })?;
        self.standing[was as usize] -= 1;
        self.standing[standing as usize] += 1;
        if staff_changed {
            self.regroup(agent);
        }
        let skills = || Some(self.members.at(at)?.presence.skills.clone());
        Some(Heard {
            at: Some(at),
            staff_changed,
            ended: bid.and_then(|bid| Some((bid, skills()?))),
        })
    }

    fn come(&mut self, now: Timestamp, presence: &Presence) -> Option<Heard> {
        let (agent, ver) = (presence.agent, presence.ver);
        let departed = self.departed.get_mut(&agent);
        if departed.as_ref().is_some_and(|(known, _)| *known > ver) {
            return None;
        }
        let staff_changed = presence.member;
        if staff_changed {
            self.departed.remove(&agent);
            self.standing[presence.standing as usize] += 1;
            let group = self.join_group(&presence.skills);
            let member = Member {
                presence: presence.clone(),
                group,
                bidden: false,
                met: 0,
            };
            self.members.insert(member);
            self.stand(agent);
        } else if departed.is_some() {
            self.note_departure(now, agent, ver);
        }
        Some(Heard {
            at: self.members.find(agent),
            staff_changed,
            ended: None,
        })
    }

    fn go(&mut self, now: Timestamp, presence: &Presence) -> Heard {
        let agent = presence.agent;
        let ended = self.remove_bid(agent);
        self.step_aside(agent);
        if let Some(member) = self.members.remove(agent) {
            self.standing[member.presence.standing as usize] -= 1;
            self.leave_group(member.group);
        }
        self.note_departure(now, agent, presence.ver);
        Heard {
            at: None,
            staff_changed: true,
            ended: ended.map(|bid| (bid, presence.skills.clone())),
        }
    }

    fn note_departure(&mut self, now: Timestamp, agent: UserId, ver: u64) {
        self.departed.insert(agent, (ver, now));
        self.departures.push_back((now, agent));
    }

    /// Forgets who left so long ago that nothing can be on its way any more: at most two, so that a step stays short and
    /// the list shrinks.
    fn forget_departures(&mut self, now: Timestamp, keep: Duration) {
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

    /// A grant is the news of its agent, who says no more: one version on, and busier by what the queue is about to bring.
    /// Should that come to nothing, the agent's next word puts it right. The bid is over.
    pub(super) fn note_reserved(
        &mut self,
        now: Timestamp,
        agent: UserId,
        ver: u64,
        free: bool,
    ) -> Option<OutBid> {
        let at = self.members.find(agent)?;
        let known = self.members.at(at)?;
        if known.presence.ver > ver {
            return None;
        }
        let bid = if known.bidden {
            self.forget_bid(agent)
        } else {
            None
        };
        let was = self.change_at(at, |member| {
            member.bidden = false;
            let presence = &mut member.presence;
            presence.ver = ver + 1;
            presence.free = free;
            presence.received_at = now;
            presence.contacts = presence.contacts.saturating_add(1);
            presence.load = presence.load.saturating_add(1);
            std::mem::replace(&mut presence.standing, Standing::InContact)
        });
        self.standing[was? as usize] -= 1;
        self.standing[Standing::InContact as usize] += 1;
        bid
    }

    /// Notes a reservation. True for one that is new and that its agent, when last heard of, may still hold.
    pub(super) fn meet(&mut self, agent: UserId, number: u64) -> bool {
        let Some(member) = self.members.get_mut(agent) else {
            return false;
        };
        let new = number > member.met;
        member.met = number.max(member.met);
        new && member.presence.standing == Standing::InContact
    }

    pub(super) fn set_bid(&mut self, agent: UserId, bid: OutBid) {
        if self.change(agent, |member| member.bidden = true).is_none() {
            return;
        }
        if let Some(old) = self.bids.insert(agent, bid) {
            self.timers.remove(&(old.due, QueueTimer::Bid(agent)));
        }
        self.timers.insert((bid.due, QueueTimer::Bid(agent)));
    }

    pub(super) fn remove_bid(&mut self, agent: UserId) -> Option<OutBid> {
        let bid = self.forget_bid(agent)?;
        self.change(agent, |member| member.bidden = false);
        Some(bid)
    }

    fn forget_bid(&mut self, agent: UserId) -> Option<OutBid> {
        let bid = self.bids.remove(&agent)?;
        self.timers.remove(&(bid.due, QueueTimer::Bid(agent)));
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

    pub(super) fn pick_up(&self, agent: UserId, contact: ContactId) -> Option<OutPickUp> {
        self.pick_ups.get(&(agent, contact)).copied()
    }

    /// Everybody who waits for a contact to be picked up.
    pub(super) fn pick_ups(&self) -> impl Iterator<Item = (UserId, ContactId)> + '_ {
        self.pick_ups.keys().copied()
    }

    /// Changes a member, who then stands where it belongs among the free of its group.
    fn change<R>(&mut self, agent: UserId, change: impl FnOnce(&mut Member) -> R) -> Option<R> {
        self.change_at(self.members.find(agent)?, change)
    }

    fn change_at<R>(&mut self, at: usize, change: impl FnOnce(&mut Member) -> R) -> Option<R> {
        let member = self.members.at_mut(at)?;
        let turn = |member: &Member| {
            let turn = || self.strategy.turn(self.queue, &member.presence);
            let standing = member.presence.standing;
            member.is_free().then(|| (turn(), standing))
        };
        let was = turn(member);
        let changed = change(member);
        let is = turn(member);
        if was != is
            && let Some(group) = self.groups.get_mut(member.group as usize)
            && let Some(group) = group
        {
            if let Some((turn, _)) = was {
                group.free.remove(&turn);
                self.free -= 1;
            }
            if let Some((turn, standing)) = is {
                group.free.insert(turn, standing);
                self.free += 1;
            }
        }
        Some(changed)
    }

    /// A member takes its place among the free of its group, if it is free.
    fn stand(&mut self, agent: UserId) {
        if let Some(member) = self.members.get(agent).filter(|member| member.is_free())
            && let Some(Some(group)) = self.groups.get_mut(member.group as usize)
        {
            let turn = self.strategy.turn(self.queue, &member.presence);
            group.free.insert(turn, member.presence.standing);
            self.free += 1;
        }
    }

    fn step_aside(&mut self, agent: UserId) {
        if let Some(member) = self.members.get(agent).filter(|member| member.is_free())
            && let Some(Some(group)) = self.groups.get_mut(member.group as usize)
        {
            let turn = self.strategy.turn(self.queue, &member.presence);
            group.free.remove(&turn);
            self.free -= 1;
        }
    }

    /// The group of these skills, with one member more.
    fn join_group(&mut self, skills: &Skills) -> u32 {
        let known = self.by_skills.get(skills).copied();
        let hole = || self.groups.iter().position(Option::is_none);
        let hole = || hole().unwrap_or(self.groups.len()).try_into();
        let at = known.unwrap_or_else(|| hole().unwrap_or(u32::MAX));
        if at as usize == self.groups.len() {
            self.groups.push(None);
        }
        if known.is_none() {
            self.by_skills.insert(skills.clone(), at);
        }
        if let Some(group) = self.groups.get_mut(at as usize) {
            let group = group.get_or_insert_with(|| Group {
                skills: skills.clone(),
                members: 0,
                free: FewMap::new(),
            });
            group.members += 1;
        }
        at
    }

    fn leave_group(&mut self, at: u32) {
        let Some(place) = self.groups.get_mut(at as usize) else {
            return;
        };
        let Some(group) = place else { return };
        group.members -= 1;
        if group.members == 0 {
            self.by_skills.remove(&group.skills);
            *place = None;
        }
    }

    /// A member's skills have changed.
    fn regroup(&mut self, agent: UserId) {
        self.step_aside(agent);
        let Some(member) = self.members.get(agent) else {
            return;
        };
        let (group, skills) = (member.group, member.presence.skills.clone());
        self.leave_group(group);
        let group = self.join_group(&skills);
        if let Some(member) = self.members.get_mut(agent) {
            member.group = group;
        }
        self.stand(agent);
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
        self.member(turn.2).map(|m| (turn.2, m.ver))
    }

    /// Whether any free agent meets these needs.
    pub(super) fn any_free_meets(&self, needs: &[Need]) -> bool {
        let mut groups = self.free_groups();
        groups.any(|group| self.skill_match.allows(needs, &group.skills))
    }

    fn next(&self, needs: &[Need], fits: impl Fn(UserId) -> bool) -> Option<Turn> {
        let by_score = self.by_score();
        let groups = self.free_groups();
        let able = groups.filter(|group| self.skill_match.allows(needs, &group.skills));
        let first = able.filter_map(|group| {
            let (laps, turn) = self.first_in_turn(&group.free, &fits)?;
            let points = if by_score {
                score(needs, &group.skills)
            } else {
                0
            };
            Some((Reverse(points), laps, turn))
        });
        first.min().map(|(_, _, turn)| turn)
    }

    /// The first of a group that fits, and whether the round began anew for it.
    fn first_in_turn(
        &self,
        turns: &FewMap<Turn, Standing>,
        fits: &impl Fn(UserId) -> bool,
    ) -> Option<(u8, Turn)> {
        let strategy = self.strategy;
        let after = strategy.begins_after(self.queue, self.last, self.chosen);
        let mut on = after.map_or_else(|| turns.iter(), |after| turns.after(&after));
        if let Some((turn, _)) = on.find(|(turn, _)| fits(turn.2)) {
            return Some((0, *turn));
        }
        let after = after?;
        let mut before = turns.iter().take_while(|(turn, _)| **turn <= after);
        let again = before.find(|(turn, _)| fits(turn.2));
        again.map(|(turn, _)| (1, *turn))
    }
}
