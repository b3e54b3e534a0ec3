//! What is to happen on a day, drawn from its seed before it begins.

use super::{
    Aim,
    centre::{AGENTS, SUPERVISORS, elsewhere, shape},
    chance::Chance,
    plan::Plan,
};
use crate::Shape;
use centro_routing_core::Strategy;

/// Faults end, in milliseconds.
pub const FAULTS_END: i64 = 180_000;
/// Everybody must have come to rest.
pub const END: i64 = 900_000;
/// Routing nodes, and nodes of edges.
pub const NODES: usize = 3;

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
            let picks = shape.queues[made.queue].strategy == Strategy::ManualPick;
            for _ in 0..if picks { 3 } else { 1 } {
                if picks || chance.per_mille(120) {
                    let agent = chance.index(AGENTS + SUPERVISORS);
                    let picked = at + chance.millis(30_000);
                    plans.push((picked, Plan::PickUp { agent, contact }));
                }
            }
            if chance.per_mille(30) {
                plans.push((at + chance.millis(30_000), Plan::PutFirst { contact }));
            }
        }
        for agent in 0..AGENTS {
            let mut at = chance.millis(60_000);
            while at < FAULTS_END {
                let back = 1 + chance.millis(20_000);
                let plan = match chance.below(7) {
                    0 => Plan::LogOut { agent, back },
                    1 => Plan::Offline { agent, back },
                    2 if shape.has_desktop(agent) => Plan::Browser {
                        agent,
                        back: 30_000 + back * 2,
                    },
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

fn contact_plan(chance: &mut Chance, contact: usize, queue: usize) -> Plan {
    let patience = 5_000 + chance.millis(150_000);
    let star = chance.per_mille(50).then(|| chance.millis(60_000));
    let timeout = chance
        .per_mille(300)
        .then(|| 10_000 + chance.millis(100_000));
    let moved = chance
        .per_mille(80)
        .then(|| (chance.millis(60_000), elsewhere(chance, queue)));
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
        let plan = match chance.below(9) {
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
            4 => Plan::CallsDie { node, lease },
            5 => Plan::StreamsBreak { node },
            6 => {
                let wakes = chance.millis(8_000);
                let awake = 2_000 + chance.millis(8_000); // long enough for people to reach it
                Plan::EdgesFreeze {
                    node,
                    lease,
                    wakes,
                    awake,
                }
            }
            _ => Plan::Aim(chance.one_of(&Aim::ALL)),
        };
        plans.push((at, plan));
        at += 6_000 + chance.millis(20_000);
    }
}
