//! The rules alone, on one core: queues that are told what agents and edges would tell them, with every rule in use.
//!
//! One event is one thing that happens on the floor, with all its consequences in every queue: a contact arrives and gets
//! its agent (`Attach`, `Grant`, `Presence` in the agent's other queues, `Left`), or an agent becomes free (`Presence` in
//! each queue). The agent's own record is not measured here: of it there is only the version.

use crate::{cpu, draw::Draw};
use centro_kernel::{
    ContactId, QueueId, SkillId, Timestamp, UserId,
    contact::{LeftReason, Reservation},
};
use centro_routing_core::{
    Ageing, AgentMessage, Attach, Bid, Caller, Comparison, ContactKind, Deadlines, EmptyRule,
    Grant, Need, Needs, Presence, Queue, QueueEffect, QueueMessage, QueueRecord, QueueSettings,
    Skills, Standing, Step,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Queues that each agent serves.
pub const SERVES: usize = 5;
/// How long a talk lasts: it says how fast the clock runs.
const TALK: Duration = Duration::from_secs(180);
/// Different sets of skills among the agents.
const SKILL_SETS: u128 = 4;

/// How much goes on.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Logged in.
    pub agents: usize,
    /// Of which each agent serves [`SERVES`].
    pub queues: usize,
    /// Contacts kept waiting in each queue; with none, half of the agents are busy.
    pub waiting: usize,
}

/// What was measured.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Arrivals and agents who became free.
    pub events: u64,
    /// Messages that queues handled for them.
    pub messages: u64,
    /// Time of the core.
    pub cpu: Duration,
}

impl Cost {
    /// Of the time for one event.
    pub fn seconds_per_event(&self) -> f64 {
        self.cpu.as_secs_f64() / self.events as f64
    }
}

struct Agent {
    id: UserId,
    ver: u64,
    next: u64,
    serves: [usize; SERVES],
    skills: Skills,
    since: Timestamp,
    contacts: u32,
}

struct Floor {
    cfg: Deadlines,
    now: Timestamp,
    /// Milliseconds between two events, and what is left of them.
    pace: f64,
    rest: f64,
    draw: Draw,
    queues: Vec<Queue>,
    agents: Vec<Agent>,
    by_id: HashMap<UserId, usize>,
    busy: Vec<usize>,
    needs: Vec<Arc<Needs>>,
    caller: Arc<Caller>,
    edge: Arc<str>,
    contacts: u128,
    messages: u64,
}

/// Runs a shape until `events` have happened; the time before, in which the floor fills, does not count.
pub fn run(shape: Shape, events: u64) -> Cost {
    let mut floor = Floor::new(shape);
    floor.fill(shape);
    floor.happen(shape, events / 4);
    floor.messages = 0;
    let begun = cpu::of_this_thread();
    floor.happen(shape, events);
    let cpu = cpu::of_this_thread() - begun;
    Cost {
        events,
        messages: floor.messages,
        cpu,
    }
}

impl Floor {
    fn new(shape: Shape) -> Self {
        let cfg = Deadlines::default();
        let mut draw = Draw::new(7);
        let start = Timestamp::from_millis(1_000_000);
        let mut queues: Vec<_> = (0..shape.queues)
            .map(|_| {
                let settings = settings(QueueId::from_u128(draw.id()), &mut draw);
                Queue::recover(settings, 1, QueueRecord::default(), &cfg, start)
            })
            .collect();
        // After a takeover a queue waits a little before it says who is missing.
        let now = start + cfg.hold;
        for queue in &mut queues {
            while let Some((_, timer)) = queue.next_due().filter(|(due, _)| *due <= now) {
                queue.handle(&cfg, now, QueueMessage::Timer(timer));
            }
        }
        let agents: Vec<_> = (0..shape.agents)
            .map(|_| Agent {
                id: UserId::from_u128(draw.id()),
                ver: 1,
                next: 1,
                serves: serves(shape.queues, &mut draw),
                skills: skills(&mut draw),
                since: now,
                contacts: 0,
            })
            .collect();
        let by_id = agents.iter().enumerate().map(|(n, a)| (a.id, n)).collect();
        let per_second = 2.0 * shape.agents as f64 * 0.5 / TALK.as_secs_f64();
        Self {
            cfg,
            now,
            pace: 1_000.0 / per_second,
            rest: 0.0,
            queues,
            by_id,
            agents,
            busy: Vec::new(),
            needs: vec![Arc::default(), Arc::new(need())],
            caller: Arc::default(),
            edge: Arc::from("edge"),
            contacts: 0,
            messages: 0,
            draw,
        }
    }

    /// Everybody logs in, and as many contacts come as the shape wants.
    fn fill(&mut self, shape: Shape) {
        for n in 0..shape.agents {
            self.free(n);
        }
        if shape.waiting == 0 {
            for _ in 0..shape.agents / 2 {
                self.arrival(None);
            }
            return;
        }
        // First everybody is busy, then the lines fill.
        for queue in 0..shape.queues {
            while self.queues[queue].waiting() < shape.waiting as u32 {
                self.arrival(Some(queue));
            }
        }
    }

    fn happen(&mut self, shape: Shape, events: u64) {
        for _ in 0..events / 2 {
            self.tick();
            let served = self.somebody_is_free();
            self.tick();
            // Where a contact of a line was served another one comes, so the lines stay as long.
            self.arrival(served.filter(|_| shape.waiting > 0));
        }
    }

    fn tick(&mut self) {
        self.rest += self.pace;
        let whole = self.rest.floor();
        self.rest -= whole;
        self.now = self.now + Duration::from_millis(whole as u64);
    }

    /// A talk ends, whichever. Says in which queue the agent takes the next contact at once, if there is one.
    fn somebody_is_free(&mut self) -> Option<usize> {
        let at = self.draw.below(self.busy.len());
        let agent = self.busy.swap_remove(at);
        self.free(agent)
    }

    /// An agent tells all queues and grants the best bid, if there is any. Says which queue won.
    fn free(&mut self, n: usize) -> Option<usize> {
        self.agents[n].ver += 1;
        self.agents[n].since = self.now;
        let mut best: Option<(Bid, usize)> = None;
        for queue in self.agents[n].serves {
            let presence = self.presence(n, true);
            if let Some(bid) = self.tell(queue, QueueMessage::Presence(presence)) {
                let better = |(known, _): &(Bid, usize)| {
                    let rank = |bid: &Bid| (bid.rank.weight, -bid.rank.enqueued_at.as_millis());
                    rank(&bid) > rank(known)
                };
                if best.as_ref().is_none_or(better) {
                    best = Some((bid, queue));
                }
            }
        }
        let (bid, queue) = best?;
        self.grant(n, queue, &bid);
        Some(queue)
    }

    /// A contact comes; an agent who is asked for it grants at once, and it leaves the line answered.
    fn arrival(&mut self, queue: Option<usize>) {
        let queue = queue.unwrap_or_else(|| self.draw.below(self.queues.len()));
        self.contacts += 1;
        let kind = self.draw.below(self.needs.len());
        let attach = Attach {
            contact: ContactId::from_u128(self.contacts),
            attach_no: 1,
            enqueued_at: self.now,
            priority: self.draw.below(4) as u32,
            excluded: Vec::new(),
            holding: Vec::new(),
            needs: self.needs[kind].clone(),
            kind: ContactKind::Call,
            caller: self.caller.clone(),
            edge: self.edge.clone(),
        };
        let attach = QueueMessage::Attach(attach);
        self.messages += 1;
        let out = self.queues[queue].handle(&self.cfg, self.now, attach);
        // The rest has been stored and told by the time the agent grants.
        let bids = out.send.into_iter().filter_map(|effect| match effect {
            QueueEffect::Agent(agent, AgentMessage::Bid(bid)) => Some((agent, bid)),
            _ => None,
        });
        for (agent, bid) in bids.collect::<Vec<_>>() {
            let n = self.by_id[&agent];
            self.grant(n, queue, &bid);
        }
    }

    fn grant(&mut self, n: usize, queue: usize, bid: &Bid) {
        let agent = &mut self.agents[n];
        assert_eq!(bid.ver, agent.ver, "a bid for the agent as it is");
        let reservation = Reservation {
            agent: agent.id,
            number: agent.next,
        };
        agent.next += 1;
        agent.ver += 1;
        agent.contacts += 1;
        let grant = Grant {
            reservation,
            ver: bid.ver,
            epoch: bid.epoch,
            free: false,
            pick_up: None,
        };
        for other in self.agents[n].serves {
            if other != queue {
                let mut presence = self.presence(n, false);
                presence.lost_to = Some(bid.rank.enqueued_at);
                self.tell(other, QueueMessage::Presence(presence));
            }
        }
        self.messages += 2;
        let out = self.queues[queue].handle(&self.cfg, self.now, QueueMessage::Grant(grant));
        let offered = out.send.iter().find_map(|effect| match effect {
            QueueEffect::Edge(contact, _) => Some(*contact),
            QueueEffect::Agent(..) | QueueEffect::PickedUp { .. } => None,
        });
        let contact = offered.expect("whoever is granted gets a contact");
        let left = QueueMessage::Left {
            contact,
            attach_no: 1,
            reason: LeftReason::Answered,
            agent: None,
        };
        self.queues[queue].handle(&self.cfg, self.now, left);
        self.busy.push(n);
    }

    /// Tells a queue of an agent; its bid for that agent, if it makes one.
    fn tell(&mut self, queue: usize, message: QueueMessage) -> Option<Bid> {
        self.messages += 1;
        let out = self.queues[queue].handle(&self.cfg, self.now, message);
        out.send.into_iter().find_map(|effect| match effect {
            QueueEffect::Agent(_, AgentMessage::Bid(bid)) => Some(bid),
            _ => None,
        })
    }

    fn presence(&self, n: usize, free: bool) -> Presence {
        let agent = &self.agents[n];
        Presence {
            agent: agent.id,
            ver: agent.ver,
            member: true,
            free,
            standing: if free {
                Standing::Ready
            } else {
                Standing::InContact
            },
            idle_since: agent.since,
            logged_in_at: agent.since,
            received_at: agent.since,
            contacts: agent.contacts,
            talk: TALK * agent.contacts,
            load: u8::from(!free),
            order: 0,
            skills: agent.skills.clone(),
            lost_to: None,
        }
    }
}

/// Everything that costs something is on.
fn settings(id: QueueId, draw: &mut Draw) -> QueueSettings {
    QueueSettings {
        weight: Some(1 + draw.below(5) as u32),
        ageing: Ageing {
            points_per_minute: 1,
            max_overtakes: Some(1_000),
            max_wait: Some(Duration::from_secs(3_600)),
        },
        max_callers: 10_000,
        join_empty: EmptyRule::NoneLoggedIn,
        leave_empty: EmptyRule::NoneAvailable,
        ..QueueSettings::new(id)
    }
}

/// Some queues for one agent.
pub fn serves(queues: usize, draw: &mut Draw) -> [usize; SERVES] {
    let mut serves = [0; SERVES];
    for n in 0..SERVES {
        serves[n] = loop {
            let queue = draw.below(queues);
            if !serves[..n].contains(&queue) {
                break queue;
            }
        };
    }
    serves
}

/// One of a few sets of skills; three of four of them meet [`need`].
fn skills(draw: &mut Draw) -> Skills {
    let set = draw.below(SKILL_SETS as usize) as u8;
    Skills::from_iter([
        (SkillId::from_u128(1), 3 + set),
        (SkillId::from_u128(2), 8 - set),
    ])
}

fn need() -> Needs {
    let need = Need {
        skill: SkillId::from_u128(1),
        comparison: Comparison::AtLeast,
        level: 4,
    };
    let lasts = Some(Duration::from_secs(60));
    Needs {
        steps: vec![Step {
            needs: vec![need],
            lasts,
        }],
    }
}
