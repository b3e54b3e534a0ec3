//! The limit beside which the rules are measured: one thread, no messages, no records, no rules. Each queue keeps its free
//! agents sorted by who is idle longest; an agent who becomes free enters the sets of all of the agent's queues, and one
//! who is chosen leaves them.

use crate::{
    cpu,
    draw::Draw,
    rules::{SERVES, Shape, serves},
};
use std::{collections::BTreeSet, time::Duration};

/// Who is idle since when, among a queue's free agents.
type Turn = (u64, usize);

struct Bare {
    draw: Draw,
    now: u64,
    queues: Vec<BTreeSet<Turn>>,
    serves: Vec<[usize; SERVES]>,
    since: Vec<u64>,
    busy: Vec<usize>,
}

/// Time of the core for `events` arrivals and agents who become free, half of the agents busy and nobody waiting.
pub fn run(shape: Shape, events: u64) -> Duration {
    let mut bare = Bare::new(shape);
    bare.happen(events / 4);
    let begun = cpu::of_this_thread();
    bare.happen(events);
    cpu::of_this_thread() - begun
}

impl Bare {
    fn new(shape: Shape) -> Self {
        let mut draw = Draw::new(7);
        let mut bare = Self {
            now: 0,
            queues: vec![BTreeSet::new(); shape.queues],
            serves: (0..shape.agents)
                .map(|_| serves(shape.queues, &mut draw))
                .collect(),
            since: vec![0; shape.agents],
            busy: (0..shape.agents).collect(),
            draw,
        };
        for _ in 0..shape.agents {
            bare.somebody_is_free();
        }
        for _ in 0..shape.agents / 2 {
            bare.arrival();
        }
        bare
    }

    fn happen(&mut self, events: u64) {
        for _ in 0..events / 2 {
            self.somebody_is_free();
            self.arrival();
        }
    }

    fn somebody_is_free(&mut self) {
        self.now += 1;
        let at = self.draw.below(self.busy.len());
        let agent = self.busy.swap_remove(at);
        self.since[agent] = self.now;
        for queue in self.serves[agent] {
            self.queues[queue].insert((self.now, agent));
        }
    }

    /// A contact comes to some queue where an agent is free.
    fn arrival(&mut self) {
        self.now += 1;
        let (since, agent) = loop {
            let queue = self.draw.below(self.queues.len());
            if let Some(first) = self.queues[queue].first() {
                break *first;
            }
        };
        for queue in self.serves[agent] {
            self.queues[queue].remove(&(since, agent));
        }
        self.busy.push(agent);
    }
}
