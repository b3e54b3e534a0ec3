//! What an agent can do, what a contact needs, and how needs are relaxed while it waits (spec S6, S22, D23, D24).
//!
//! A skill that an agent does not have is absent, not zero: no comparison with it is true (D23).

use crate::message::Medium;
use centro_kernel::SkillId;
use serde::{Deserialize, Serialize};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

/// Steps that one contact's needs may have (spec D23).
pub const MOST_STEPS: usize = 10;

/// The skills of one agent with their levels, 1 to 10, in order of skill. Two agents with equal skills compare equal.
#[derive(Clone, Debug, Default, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skills(Arc<[(SkillId, u8)]>);

/// Mostly they are the very same, told again.
impl PartialEq for Skills {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0 == other.0
    }
}

impl Hash for Skills {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Skills {
    /// The level of a skill, if there is any.
    pub fn level(&self, skill: SkillId) -> Option<u8> {
        let at = self.0.binary_search_by_key(&skill, |(known, _)| *known);
        at.ok()
            .and_then(|at| self.0.get(at))
            .map(|(_, level)| *level)
    }

    /// Whether these are the very same, not only equal.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// All of them, in order of skill.
    pub fn iter(&self) -> impl Iterator<Item = (SkillId, u8)> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<(SkillId, u8)> for Skills {
    /// Of two levels of one skill the higher counts.
    fn from_iter<I: IntoIterator<Item = (SkillId, u8)>>(skills: I) -> Self {
        let mut all: Vec<_> = skills.into_iter().collect();
        all.sort_unstable_by_key(|(skill, level)| (*skill, std::cmp::Reverse(*level)));
        all.dedup_by_key(|(skill, _)| *skill);
        Self(Arc::from(all))
    }
}

/// How a level is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Comparison {
    /// The level or more.
    AtLeast,
    /// The level or less.
    AtMost,
    /// Exactly the level.
    Equal,
    /// More than the level.
    MoreThan,
    /// Less than the level.
    LessThan,
}

/// One requirement on an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Need {
    /// Which skill.
    pub skill: SkillId,
    /// How the agent's level is compared with `level`.
    pub comparison: Comparison,
    /// 1 to 10.
    pub level: u8,
}

impl Need {
    /// Whether an agent with these skills meets it.
    pub fn is_met_by(&self, skills: &Skills) -> bool {
        skills
            .level(self.skill)
            .is_some_and(|has| match self.comparison {
                Comparison::AtLeast => has >= self.level,
                Comparison::AtMost => has <= self.level,
                Comparison::Equal => has == self.level,
                Comparison::MoreThan => has > self.level,
                Comparison::LessThan => has < self.level,
            })
    }
}

/// What a contact needs for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// All of these at once.
    pub needs: Vec<Need>,
    /// After this the next step holds; none: for good. When the last step ends nothing is needed any more.
    pub lasts: Option<Duration>,
}

/// A contact's needs, step by step. No steps: anybody will do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Needs {
    /// In the order in which they hold; at most [`MOST_STEPS`].
    pub steps: Vec<Step>,
}

impl Needs {
    /// One step for good.
    pub fn all_of(needs: Vec<Need>) -> Self {
        Self {
            steps: vec![Step { needs, lasts: None }],
        }
    }

    /// What is needed in this step; beyond the last one nothing.
    pub fn at(&self, step: u8) -> &[Need] {
        self.steps
            .get(usize::from(step))
            .map_or(&[], |step| step.needs.as_slice())
    }

    /// How long this step lasts.
    pub fn lasts(&self, step: u8) -> Option<Duration> {
        self.steps
            .get(usize::from(step))
            .and_then(|step| step.lasts)
    }

    /// Whether this step gives way to a further one.
    pub fn may_relax(&self, step: u8) -> bool {
        let at = usize::from(step);
        at < self.steps.len() && (at + 1 < self.steps.len() || self.lasts(step).is_some())
    }
}

/// How a queue uses needs (spec D24).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum SkillMatch {
    /// Only agents who meet every need.
    #[default]
    AllRequired,
    /// Anybody, but whoever meets the needs best comes first.
    BestMatch,
    /// Needs are not looked at.
    None,
}

impl SkillMatch {
    /// Whether an agent with these skills may serve.
    pub fn allows(self, needs: &[Need], skills: &Skills) -> bool {
        match self {
            Self::AllRequired => needs.iter().all(|need| need.is_met_by(skills)),
            Self::BestMatch | Self::None => true,
        }
    }
}

/// How well skills answer needs: needs met first, then the sum of the levels of the skills asked for.
pub fn score(needs: &[Need], skills: &Skills) -> u32 {
    let points = needs.iter().map(|need| {
        let level = u32::from(skills.level(need.skill).unwrap_or(0));
        u32::from(need.is_met_by(skills)) * 1_000 + level
    });
    points.sum()
}

/// How much an agent can do at once (spec D25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Capacity {
    /// Conversations in text at the same time, 1 to 30.
    pub chats: u8,
    /// Whether a call may reach somebody who is in conversations. Never the other way round.
    pub voice_interrupts_chat: bool,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            chats: 3,
            voice_interrupts_chat: false,
        }
    }
}

impl Capacity {
    /// Whether there is room for one more, given the open contacts of each medium. A call leaves room for nothing.
    pub const fn has_room(&self, medium: Medium, calls: usize, chats: usize) -> bool {
        match medium {
            Medium::Voice => calls == 0 && (chats == 0 || self.voice_interrupts_chat),
            Medium::Chat => calls == 0 && chats < self.chats as usize,
        }
    }
}

/// What routing knows of a person beside the queues (spec D23, D25).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Profile {
    /// What the person can do.
    pub skills: Skills,
    /// How much at once.
    pub capacity: Capacity,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRENCH: SkillId = SkillId::from_u128(1);
    const SALES: SkillId = SkillId::from_u128(2);

    fn need(comparison: Comparison, level: u8) -> Need {
        Need {
            skill: FRENCH,
            comparison,
            level,
        }
    }

    #[test]
    fn an_absent_skill_meets_nothing_not_even_less_than() {
        let skills = Skills::from_iter([(SALES, 9)]);
        for comparison in [
            Comparison::AtLeast,
            Comparison::AtMost,
            Comparison::Equal,
            Comparison::MoreThan,
            Comparison::LessThan,
        ] {
            assert!(!need(comparison, 10).is_met_by(&skills), "{comparison:?}");
        }
    }

    #[test]
    fn each_comparison_holds_on_its_side_of_the_level() {
        let met =
            |comparison, has| need(comparison, 5).is_met_by(&Skills::from_iter([(FRENCH, has)]));
        let table = [
            (Comparison::AtLeast, [false, true, true]),
            (Comparison::AtMost, [true, true, false]),
            (Comparison::Equal, [false, true, false]),
            (Comparison::MoreThan, [false, false, true]),
            (Comparison::LessThan, [true, false, false]),
        ];
        for (comparison, expected) in table {
            assert_eq!(
                [4, 5, 6].map(|has| met(comparison, has)),
                expected,
                "{comparison:?}"
            );
        }
    }

    #[test]
    fn a_need_that_is_met_outweighs_any_levels() {
        let needs = [
            need(Comparison::AtLeast, 5),
            Need {
                skill: SALES,
                comparison: Comparison::AtLeast,
                level: 1,
            },
        ];
        let both = Skills::from_iter([(FRENCH, 5), (SALES, 1)]);
        let one = Skills::from_iter([(FRENCH, 10)]);
        assert!(score(&needs, &both) > score(&needs, &one));
    }

    #[test]
    fn after_a_last_step_that_ends_nothing_is_needed() {
        let mut needs = Needs::all_of(vec![need(Comparison::AtLeast, 5)]);
        assert!(!needs.may_relax(0));
        needs.steps[0].lasts = Some(Duration::from_secs(30));
        assert!(needs.may_relax(0));
        assert!(needs.at(1).is_empty() && !needs.may_relax(1));
    }

    #[test]
    fn a_call_leaves_room_for_nothing_and_reaches_a_chatting_agent_only_when_it_may_interrupt() {
        let mut capacity = Capacity::default();
        assert!(capacity.has_room(Medium::Chat, 0, 2));
        assert!(!capacity.has_room(Medium::Chat, 0, 3));
        assert!(!capacity.has_room(Medium::Chat, 1, 0));
        assert!(!capacity.has_room(Medium::Voice, 0, 1));
        capacity.voice_interrupts_chat = true;
        assert!(capacity.has_room(Medium::Voice, 0, 1));
        assert!(!capacity.has_room(Medium::Voice, 1, 0));
    }
}
