//! What is to happen on a day, drawn from its seed before it begins.

use super::{Aim, chance::Chance};
use crate::{
    Shape,
    shape::{ContactShape, QueueShape},
};
use centro_edge::Timing;
use centro_kernel::SkillId;
use centro_routing_core::{
    Ageing, Comparison, Deadlines, EmptyRule, Need, Needs, SkillMatch, Step, Strategy,
};
use std::{fmt, sync::Arc, time::Duration};

/// Faults end, in milliseconds.
pub const FAULTS_END: i64 = 180_000;
/// Everybody must have come to rest.
pub const END: i64 = 900_000;
/// Routing nodes, and telephony nodes.
pub const NODES: usize = 3;
const QUEUES: usize = 8;
const AGENTS: usize = 20;
const CONTACTS: usize = 200;

/// One thing that happens; it can be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// A contact's life.
    Contact {
        /// Which.
        contact: usize,
        /// The queue it arrives at.
        queue: usize,
        /// Until it hangs up unless it talks.
        patience: i64,
        /// Until it presses `*`.
        star: Option<i64>,
        /// Until the node's time-out.
        timeout: Option<i64>,
        /// Until somebody moves it, and where to.
        moved: Option<(i64, usize)>,
    },
    /// An agent pauses and comes back.
    Pause {
        /// Who.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// An agent logs out and in again.
    LogOut {
        /// Who.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// An agent's device goes away and comes back.
    Offline {
        /// Whose.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// A routing node dies; its leases expire.
    Crash {
        /// Which.
        node: usize,
        /// Until others own its shards.
        lease: i64,
    },
    /// A routing node freezes, loses its shards, and wakes without knowing it.
    Freeze {
        /// Which.
        node: usize,
        /// Until others own its shards.
        lease: i64,
        /// From then on until it wakes.
        wakes: i64,
        /// Until it notices.
        awake: i64,
    },
    /// A telephony node dies with its calls.
    CallsDie {
        /// Which.
        node: usize,
    },
    /// The streams of a telephony node break.
    StreamsBreak {
        /// Which.
        node: usize,
    },
    /// A fault waits for the moment that hurts.
    Aim(Aim),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact {
                contact,
                queue,
                patience,
                star,
                timeout,
                moved,
            } => {
                write!(
                    f,
                    "contact {contact} arrives at queue {queue}, patience {patience} ms"
                )?;
                if let Some(star) = star {
                    write!(f, ", presses * after {star} ms")?;
                }
                if let Some(timeout) = timeout {
                    write!(f, ", node time-out {timeout} ms")?;
                }
                if let Some((after, to)) = moved {
                    write!(f, ", is moved to queue {to} after {after} ms")?;
                }
                Ok(())
            }
            Self::Pause { agent, back } => write!(f, "agent {agent} pauses for {back} ms"),
            Self::LogOut { agent, back } => write!(f, "agent {agent} logs out for {back} ms"),
            Self::Offline { agent, back } => {
                write!(f, "agent {agent}'s device is away for {back} ms")
            }
            Self::Crash { node, lease } => {
                write!(
                    f,
                    "routing node {node} dies; its leases expire after {lease} ms"
                )
            }
            Self::Freeze {
                node,
                lease,
                wakes,
                awake,
            } => write!(
                f,
                "routing node {node} freezes, loses its leases after {lease} ms, wakes {wakes} ms later and notices after {awake} ms"
            ),
            Self::CallsDie { node } => write!(f, "telephony node {node} dies"),
            Self::StreamsBreak { node } => write!(f, "the streams of telephony node {node} break"),
            Self::Aim(aim) => write!(f, "aimed: {aim}"),
        }
    }
}

/// A day: who is there, and what happens when.
pub struct Script {
    /// The centre.
    pub shape: Shape,
    /// The plans with their moments, in no order.
    pub plans: Vec<(i64, Plan)>,
    /// Per mille of messages lost, repeated, late.
    pub weather: [u64; 3],
}

impl Script {
    /// The day of a seed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let shape = shape(&mut chance);
        let mut plans = Vec::new();
        for (contact, made) in shape.contacts.iter().enumerate() {
            let at = chance.millis(150_000);
            plans.push((at, contact_plan(&mut chance, contact, made.queue)));
        }
        for agent in 0..AGENTS {
            let mut at = chance.millis(60_000);
            while at < FAULTS_END {
                let back = 1 + chance.millis(20_000);
                let plan = match chance.below(6) {
                    0 => Plan::LogOut { agent, back },
                    1 => Plan::Offline { agent, back },
                    _ => Plan::Pause { agent, back },
                };
                plans.push((at, plan));
                at += back + 10_000 + chance.millis(60_000);
            }
        }
        faults(&mut chance, &mut plans);
        let weather = [[10, 10, 10], [0, 100, 100], [100, 10, 10], [50, 100, 300]];
        Self {
            shape,
            plans,
            weather: weather[(seed % 4) as usize],
        }
    }
}

/// Kinds of skills.
const SKILLS: u128 = 2;

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

fn shape(chance: &mut Chance) -> Shape {
    // On two days of three nobody is helped who waits long, so that strict weights can be checked.
    let ages = chance.per_mille(333);
    let queues = (0..QUEUES).map(|_| QueueShape {
        weight: Some(chance.below(6) as u32).filter(|w| *w > 0),
        strategy: chance.one_of(&STRATEGIES),
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
    });
    let queues = queues.collect();
    let agents = (0..AGENTS).map(|a| {
        let serves = (0..QUEUES).filter(|q| *q == a % QUEUES || chance.per_mille(350));
        serves.collect()
    });
    let agents = agents.collect();
    let skills = (0..AGENTS).map(|_| {
        let has = (1..=SKILLS)
            .filter(|_| chance.per_mille(600))
            .collect::<Vec<_>>();
        has.into_iter()
            .map(|s| (skill(s), chance.level()))
            .collect()
    });
    let skills = skills.collect();
    let contacts = (0..CONTACTS).map(|_| ContactShape {
        queue: chance.index(QUEUES),
        priority: if chance.per_mille(100) { 1 } else { 0 },
        needs: Arc::new(needs(chance)),
    });
    let contacts = contacts.collect();
    Shape {
        queues,
        agents,
        skills,
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

fn contact_plan(chance: &mut Chance, contact: usize, queue: usize) -> Plan {
    let patience = 5_000 + chance.millis(150_000);
    let star = chance.per_mille(50).then(|| chance.millis(60_000));
    let timeout = chance
        .per_mille(300)
        .then(|| 10_000 + chance.millis(100_000));
    let moved = chance
        .per_mille(80)
        .then(|| (chance.millis(60_000), chance.index(QUEUES)));
    Plan::Contact {
        contact,
        queue,
        patience,
        star,
        timeout,
        moved,
    }
}

fn faults(chance: &mut Chance, plans: &mut Vec<(i64, Plan)>) {
    let mut at = 5_000 + chance.millis(20_000);
    while at < FAULTS_END {
        let node = chance.index(NODES);
        let lease = 1_600 + chance.millis(500);
        let plan = match chance.below(8) {
            0 | 1 => Plan::Crash { node, lease },
            2 | 3 => {
                let wakes = chance.millis(8_000);
                let awake = 200 + chance.millis(800);
                Plan::Freeze {
                    node,
                    lease,
                    wakes,
                    awake,
                }
            }
            4 => Plan::CallsDie { node },
            5 => Plan::StreamsBreak { node },
            _ => Plan::Aim(chance.one_of(&Aim::ALL)),
        };
        plans.push((at, plan));
        at += 6_000 + chance.millis(20_000);
    }
}
