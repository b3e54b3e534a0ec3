//! The queue's answers to "why" (spec U1, U2): read from what it knows, changing nothing.

use super::{Entry, Queue};
use crate::{
    message::Presence,
    reason::{Candidate, Decision, MOST_CANDIDATES, Verdict, VerdictKind, WhyIdle, WhyWaiting},
    settings::Standing,
    skills::{Need, SkillMatch, Skills, score},
    strategy::Strategy,
};
use centro_kernel::{ContactId, UserId};
use smallvec::SmallVec;
use std::{collections::BTreeMap, sync::Arc};

impl Queue {
    /// Why this agent gets this contact: everybody who could have, in turn, and then those who could not. `chosen` is the
    /// agent as it was asked.
    pub(super) fn decision(&self, entry: &Entry, chosen: &Presence) -> Decision {
        let mut candidates = Vec::with_capacity(MOST_CANDIDATES);
        candidates.push(self.candidate(entry, chosen, Verdict::Chosen));
        self.list_able(entry, &mut candidates);
        self.list_unskilled(entry, &mut candidates);
        let rest = self.roster.not_free().filter(|m| m.agent != chosen.agent);
        let room = MOST_CANDIDATES.saturating_sub(candidates.len());
        let rest = rest.take(room);
        candidates.extend(rest.map(|m| self.candidate(entry, m, self.verdict(entry, m))));
        self.table(entry, false, candidates)
    }

    /// Free agents whose skills will do: the next in turn, and behind them those of them whom another rule keeps away.
    fn list_able(&self, entry: &Entry, candidates: &mut Vec<Candidate>) {
        let (listed, needs) = (candidates.len(), entry.needs_now());
        // Mostly no rule keeps any of them away.
        let open = entry.offers.is_empty() && entry.excluded.is_empty();
        let open = open && entry.declined.is_empty();
        let mut all_alike = true;
        self.roster.free_in_turn(needs, |free, score| {
            let (key, idle_since, agent) = free.turn;
            let verdict = if open && free.standing == Standing::Ready {
                Verdict::LaterInTurn
            } else {
                all_alike = false;
                self.verdict_on(entry, agent, free.standing, true, || None, None)
            };
            candidates.push(Candidate {
                agent,
                verdict,
                score,
                key,
                idle_since,
            });
            candidates.len() < MOST_CANDIDATES
        });
        if let Some(able) = candidates.get_mut(listed..).filter(|_| !all_alike) {
            able.sort_by(|a, b| a.verdict.cmp(&b.verdict));
        }
    }

    /// Free agents whose skills will not do.
    fn list_unskilled(&self, entry: &Entry, candidates: &mut Vec<Candidate>) {
        let needs = entry.needs_now();
        for group in self.roster.free_without(needs) {
            if candidates.len() == MOST_CANDIDATES {
                return;
            }
            let unmet = self.unmet_by(entry, group.skills());
            let score = score(needs, group.skills());
            let room = MOST_CANDIDATES.saturating_sub(candidates.len());
            candidates.extend(group.free().take(room).map(|free| {
                let (key, idle_since, agent) = free.turn;
                let unmet = || unmet.clone();
                Candidate {
                    agent,
                    verdict: self.verdict_on(entry, agent, free.standing, true, unmet, None),
                    score,
                    key,
                    idle_since,
                }
            }));
        }
    }

    /// A person took the contact: nobody was chosen.
    pub(super) fn picked_up(&self, entry: &Entry) -> Decision {
        self.table(entry, true, Vec::new())
    }

    fn table(&self, entry: &Entry, picked_up: bool, candidates: Vec<Candidate>) -> Decision {
        let listed = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
        Decision {
            version: self.settings.version,
            strategy: self.settings.strategy,
            skill_match: self.settings.skill_match,
            needs: entry.needs_now().to_vec(),
            picked_up,
            candidates,
            others: self.roster.len().saturating_sub(listed),
        }
    }

    fn candidate(&self, entry: &Entry, member: &Presence, verdict: Verdict) -> Candidate {
        let (key, idle_since, agent) = self.settings.strategy.turn(self.settings.id, member);
        Candidate {
            agent,
            verdict,
            score: score(entry.needs_now(), &member.skills),
            key,
            idle_since,
        }
    }

    /// Which rule keeps a contact from an agent, or that none does.
    fn verdict(&self, entry: &Entry, member: &Presence) -> Verdict {
        let asked_for = || self.roster.bid(member.agent).map(|bid| bid.hint);
        let asked_for = if member.free { asked_for() } else { None };
        let (agent, standing) = (member.agent, member.standing);
        self.verdict_on(
            entry,
            agent,
            standing,
            member.free,
            || self.unmet_by(entry, &member.skills),
            asked_for,
        )
    }

    fn verdict_on(
        &self,
        entry: &Entry,
        agent: UserId,
        standing: Standing,
        has_room: bool,
        unmet: impl FnOnce() -> Option<Arc<[Need]>>,
        asked_for: Option<ContactId>,
    ) -> Verdict {
        if entry.offers.iter().any(|r| r.agent == agent) {
            return Verdict::RingsForIt;
        }
        if standing != Standing::Ready {
            return Verdict::Busy(standing);
        }
        if !has_room {
            return Verdict::NoRoom;
        }
        if let Some(unmet) = unmet() {
            return Verdict::Unskilled(unmet);
        }
        if let Some(until) = entry.excluded.get(&agent) {
            return Verdict::Excluded(*until);
        }
        if asked_for.is_some_and(|hint| hint != entry.contact) {
            return Verdict::AskedForAnother;
        }
        if entry.declined.contains(&agent) {
            return Verdict::Declined;
        }
        Verdict::LaterInTurn
    }

    /// The needs that these skills do not meet, if there are any.
    fn unmet_by(&self, entry: &Entry, skills: &Skills) -> Option<Arc<[Need]>> {
        if self.settings.skill_match != SkillMatch::AllRequired {
            return None;
        }
        let needs = entry.needs_now().iter();
        let unmet = needs.filter(|need| !need.is_met_by(skills)).copied();
        let unmet: SmallVec<[_; 4]> = unmet.collect();
        (!unmet.is_empty()).then(|| Arc::from(&*unmet))
    }

    /// Why a contact still waits; none when it does not.
    pub fn why_waiting(&self, contact: ContactId) -> Option<WhyWaiting> {
        let entry = self.entry(contact)?;
        let mut counts: BTreeMap<VerdictKind, u32> = BTreeMap::new();
        let mut candidates = Vec::new();
        for member in self.roster.members() {
            let verdict = self.verdict(entry, member);
            *counts.entry(verdict.kind()).or_default() += 1;
            if candidates.len() < MOST_CANDIDATES {
                candidates.push(self.candidate(entry, member, verdict));
            }
        }
        Some(WhyWaiting {
            position: self.line.position(contact)?,
            needs: entry.needs_now().to_vec(),
            step: entry.step,
            relaxes_at: entry.relax_due,
            retries_at: entry.retry_due,
            detached: !entry.attached,
            holding: self.hold.is_some(),
            wish: entry.wish.map(|(wish, _)| wish),
            rings_at: entry.offers.iter().map(|r| r.agent).collect(),
            logged_in: self.roster.len(),
            counts,
            candidates,
        })
    }

    /// Why an agent gets nothing of this queue; none when the agent is not logged in here.
    pub fn why_idle(&self, agent: UserId) -> Option<WhyIdle> {
        let member = self.roster.member(agent)?;
        let mut why = WhyIdle {
            waiting: self.waiting(),
            could_serve: self.first_for(agent),
            unskilled: 0,
            not_open: 0,
            excluded: 0,
            holding: self.hold.is_some(),
            manual: self.settings.strategy == Strategy::ManualPick,
        };
        for entry in self.in_order() {
            let field = if !self.line.is_open(entry) {
                &mut why.not_open
            } else if self.unmet_by(entry, &member.skills).is_some() {
                &mut why.unskilled
            } else if !entry.fits(agent) {
                &mut why.excluded
            } else {
                continue;
            };
            *field += 1;
        }
        Some(why)
    }
}
