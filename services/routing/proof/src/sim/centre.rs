//! Who is there on a day.

use super::chance::Chance;
use crate::{
    Shape,
    shape::{AgentShape, ContactShape, QueueShape},
};
use centro_edge::Timing;
use centro_kernel::SkillId;
use centro_routing_core::{
    Ageing, Capacity, Comparison, Deadlines, EmptyRule, Medium, Need, Needs, SkillMatch, Step,
    Strategy,
};
use std::{sync::Arc, time::Duration};

const QUEUES: usize = 8;
/// The first of them have calls, the others conversations in writing.
const CALLS: usize = 6;
/// Agents, then supervisors who serve no queue.
pub(super) const AGENTS: usize = 20;
pub(super) const SUPERVISORS: usize = 2;
const CONTACTS: usize = 200;

/// Kinds of skills.
const SKILLS: u128 = 2;

/// Every way in which agents take turns at conversations in writing, and none.
const CHAT_STRATEGIES: [Strategy; 6] = [
    Strategy::Balanced,
    Strategy::FillFirst,
    Strategy::LongestIdle,
    Strategy::RoundRobin,
    Strategy::RingAll,
    Strategy::ManualPick,
];

/// Every way in which agents take turns at calls.
const STRATEGIES: [Strategy; 9] = [
    Strategy::RingAll,
    Strategy::RoundRobin,
    Strategy::LeastRecent,
    Strategy::LongestIdle,
    Strategy::FewestCalls,
    Strategy::LeastTalkTime,
    Strategy::Random,
    Strategy::Linear,
    Strategy::SkillsBest,
];

const EMPTY: [EmptyRule; 4] = [
    EmptyRule::Allow,
    EmptyRule::Allow,
    EmptyRule::NoneLoggedIn,
    EmptyRule::NoneAvailable,
];

pub(super) fn shape(chance: &mut Chance) -> Shape {
    // On two days of three nobody is helped who waits long, so that strict weights can be checked.
    let ages = chance.per_mille(333);
    let queues = (0..QUEUES).map(|q| QueueShape {
        medium: medium(q),
        weight: Some(chance.below(6) as u32).filter(|w| *w > 0),
        strategy: match medium(q) {
            Medium::Voice => chance.one_of(&STRATEGIES),
            Medium::Chat => chance.one_of(&CHAT_STRATEGIES),
        },
        max_callers: chance.one_of(&[0, 0, 0, 5]),
        join_empty: chance.one_of(&EMPTY),
        leave_empty: chance.one_of(&EMPTY),
        skill_match: chance.one_of(&[
            SkillMatch::AllRequired,
            SkillMatch::AllRequired,
            SkillMatch::BestMatch,
            SkillMatch::None,
        ]),
        moves_on: chance.per_mille(250),
        ageing: if ages {
            Ageing {
                points_per_minute: chance.one_of(&[0, 2]),
                max_overtakes: chance.one_of(&[None, Some(3)]),
                max_wait: chance.one_of(&[None, Some(Duration::from_secs(60))]),
            }
        } else {
            Ageing::default()
        },
        brief: match medium(q) {
            Medium::Voice => Duration::from_secs(chance.one_of(&[0, 0, 4])),
            Medium::Chat => Duration::ZERO,
        },
    });
    let queues = queues.collect();
    let agents = (0..AGENTS).map(|a| agent(chance, a));
    let mut agents: Vec<_> = agents.collect();
    agents.extend((0..SUPERVISORS).map(|_| AgentShape::default()));
    let contacts = (0..CONTACTS).map(|_| {
        let queue = chance.index(QUEUES);
        ContactShape {
            queue,
            priority: if chance.per_mille(100) { 1 } else { 0 },
            needs: Arc::new(needs(chance)),
            durable: medium(queue) == Medium::Chat || chance.per_mille(100),
        }
    });
    let contacts = contacts.collect();
    Shape {
        queues,
        agents,
        contacts,
        deadlines: Deadlines::default(),
        timing: Timing::default(),
        ring: Duration::from_secs(15),
        wrap_up: Duration::from_secs(10),
        missed_offers: 1,
        retry: Duration::from_secs(5),
        rest: Duration::from_secs(10),
    }
}

const fn medium(queue: usize) -> Medium {
    if queue < CALLS {
        Medium::Voice
    } else {
        Medium::Chat
    }
}

/// A queue for the same kind of contact.
pub(super) fn elsewhere(chance: &mut Chance, queue: usize) -> usize {
    match medium(queue) {
        Medium::Voice => chance.index(CALLS),
        Medium::Chat => CALLS + chance.index(QUEUES - CALLS),
    }
}

fn agent(chance: &mut Chance, a: usize) -> AgentShape {
    let serves = (0..QUEUES).filter(|q| *q == a % QUEUES || chance.per_mille(350));
    let queues = serves.collect();
    let has = (1..=SKILLS).filter(|_| chance.per_mille(600));
    let has: Vec<_> = has.collect();
    let skills = has.into_iter().map(|s| (skill(s), chance.level()));
    AgentShape {
        queues,
        skills: skills.collect(),
        capacity: Capacity {
            chats: chance.one_of(&[1, 2, 3]),
            voice_interrupts_chat: chance.per_mille(500),
        },
    }
}

/// Half of them need nothing; the others one or two steps, of which the last may end.
fn needs(chance: &mut Chance) -> Needs {
    let steps = chance.one_of(&[0, 0, 1, 2]);
    let steps = (0..steps).map(|n| Step {
        needs: vec![Need {
            skill: skill(1 + u128::from(chance.below(SKILLS as u64))),
            comparison: Comparison::AtLeast,
            level: chance.level(),
        }],
        lasts: (n == 0 || chance.per_mille(500)).then(|| Duration::from_secs(1 + chance.below(30))),
    });
    Needs {
        steps: steps.collect(),
    }
}

const fn skill(n: u128) -> SkillId {
    SkillId::from_u128(n)
}
