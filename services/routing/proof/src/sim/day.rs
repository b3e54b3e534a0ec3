//! One day: the heap of what is to come, the network, the nodes.

use super::{
    aim::Aim,
    chance::Chance,
    event::{Due, Event},
    plan::Plan,
    script::{END, FAULTS_END, NODES, Script},
    shrink::Story,
};
use crate::{
    Mutant, World,
    kept::hash_of,
    letter::{Actor, Letter, Mail},
    shard::Who,
    world::Outcome,
};
use centro_edge::{Command, Phase};
use centro_kernel::Timestamp;
use centro_routing_core::{
    AgentMessage,
    invariants::{Broken, Sums},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    hash::Hash,
    sync::Arc,
};

/// How long an actor that works on what is due may go on at one instant before it counts as endless.
const AT_ONCE: usize = 1_000;

/// How often a browser shows a sign of life.
const PULSE: i64 = 20_000;

/// More grants within a second are no work any more, for an agent who takes one contact at a time. Who takes several is
/// granted to all of them at once, so each further one is one grant more.
const GRANTS_PER_SECOND: u64 = 6;

/// A broken rule and its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The rule.
    pub broken: Broken,
    /// Milliseconds since the day began.
    pub at: i64,
}

/// One simulated day.
pub struct Day {
    pub(super) world: World,
    pub(super) now: i64,
    pub(super) plans: Vec<(i64, Plan)>,
    pub(super) kept: Vec<usize>,
    pub(super) weather: [u64; 3],
    seed: u64,
    pub(super) heap: BinaryHeap<Reverse<Due>>,
    pub(super) order: u64,
    /// When each actor is woken.
    pub(super) armed: BTreeMap<Actor, i64>,
    /// The routing node of each shard.
    pub(super) node: BTreeMap<Actor, usize>,
    /// Zombies that act.
    pub(super) awake: BTreeMap<Actor, ()>,
    pub(super) aims: Vec<Aim>,
    pub(super) waiting_since: BTreeMap<usize, i64>,
    /// Until when an agent's browser is away.
    pub(super) browser_back: BTreeMap<usize, i64>,
    /// Grants of each agent until the last look.
    pub(super) granted: Vec<u64>,
    pub(super) arrivals: usize,
    pub(super) sums: Sums,
    pub(super) steps: u64,
    pub(super) faults: u64,
    pub(super) hash: u64,
    pub(super) trace: Option<Vec<String>>,
}

impl Day {
    /// A day before it begins.
    pub fn new(story: &Story, mutant: Option<Mutant>) -> Self {
        let Script {
            shape,
            plans,
            weather,
        } = Script::of(story.seed);
        let kept = story
            .kept
            .clone()
            .unwrap_or_else(|| (0..plans.len()).collect());
        let world = World::new(Arc::new(shape), mutant);
        let mut machines = Chance::new(story.seed, 3);
        let node = world.shards().map(|s| (s, machines.index(NODES))).collect();
        let mut day = Self {
            world,
            now: 0,
            kept,
            plans,
            weather: if story.calm { [0; 3] } else { weather },
            seed: story.seed,
            heap: BinaryHeap::new(),
            order: 0,
            armed: BTreeMap::new(),
            node,
            awake: BTreeMap::new(),
            aims: Vec::new(),
            waiting_since: BTreeMap::new(),
            browser_back: BTreeMap::new(),
            granted: Vec::new(),
            arrivals: 0,
            sums: Sums::default(),
            steps: 0,
            faults: 0,
            hash: story.seed,
            trace: None,
        };
        for agent in day.workers() {
            let log_in = day.world.shape().log_in(agent);
            day.at(0, Event::Local(Mail::agent(agent, log_in)));
        }
        for plan in day.kept.clone() {
            if let Some((at, what)) = day.plans.get(plan) {
                day.arrivals += usize::from(matches!(what, Plan::Contact { .. }));
                let at = *at;
                day.at(at, Event::Plan(plan));
            }
        }
        day.at(FAULTS_END + 15_000, Event::AllReady);
        day.at(1_000, Event::Look);
        day.at(PULSE, Event::Pulse);
        day
    }

    /// Remembers every step as a line.
    pub fn trace(&mut self) {
        self.trace = Some(Vec::new());
    }

    /// The steps, when they were to be remembered.
    pub fn traced(&self) -> &[String] {
        self.trace.as_deref().unwrap_or(&[])
    }

    /// The plans, as sentences in order of time.
    pub fn told(&self) -> Vec<String> {
        let mut plans: Vec<_> = self
            .kept
            .iter()
            .filter_map(|n| self.plans.get(*n))
            .collect();
        plans.sort_by_key(|(at, _)| *at);
        plans
            .into_iter()
            .map(|(at, plan)| format!("{at:>7} ms  {plan}"))
            .collect()
    }

    /// Steps so far.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Faults so far.
    pub const fn faults(&self) -> u64 {
        self.faults
    }

    /// Contacts of the day.
    pub fn contacts(&self) -> u64 {
        self.arrivals as u64
    }

    /// The same day has the same hash.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) const fn world(&self) -> &World {
        &self.world
    }

    /// Chance that depends on what it is about and on the moment, and on nothing that happened elsewhere: so a story that
    /// is told with fewer plans stays the same story.
    pub(super) fn draw(&self, about: &impl Hash) -> Chance {
        Chance::new(self.seed, hash_of(&(about, self.now)))
    }

    pub(super) const fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn at(&mut self, at: i64, event: Event) {
        self.order += 1;
        self.heap.push(Reverse(Due(at, self.order, event)));
    }

    pub(super) fn after(&mut self, after: i64, event: Event) {
        self.at(self.now + after, event);
    }

    /// Until everybody has come to rest.
    ///
    /// # Errors
    /// The first rule that was broken.
    pub fn run(&mut self) -> Result<(), Failure> {
        let result = self.run_to_rest();
        for shard in self.world.shards() {
            let records = match shard {
                Actor::Queue(q) => hash_of(&self.world.queue(q).stored),
                Actor::Agent(a) => hash_of(&self.world.agent(a).stored),
                Actor::Contact(_) => 0,
            };
            self.mix(records);
        }
        result.map_err(|broken| Failure {
            broken,
            at: self.now,
        })
    }

    fn run_to_rest(&mut self) -> Result<(), Broken> {
        while let Some(Reverse(Due(at, _, event))) = self.heap.pop() {
            if at > END {
                break;
            }
            self.now = at;
            let looked = event == Event::Look;
            self.happen(event)?;
            if looked && self.now > FAULTS_END + 30_000 && self.is_over() {
                break;
            }
        }
        self.world.at_rest()?;
        self.sums.at_rest()
    }

    fn is_over(&self) -> bool {
        self.world.unowned().is_empty() && self.world.at_rest().is_ok()
    }

    fn happen(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Mail(mail) if mail.is_read_by_zombies() => self.read_by_either(mail),
            Event::Mail(mail) => self.read(Who::Live, mail),
            Event::Local(mail) => self.read_by_either(mail),
            Event::AtZombie(mail) => self.step(Who::Zombie, mail),
            Event::Wake(actor) => {
                if self.armed.get(&actor) == Some(&self.now) {
                    self.armed.remove(&actor);
                    self.work(Who::Live, actor)?;
                    self.arm(actor);
                }
                Ok(())
            }
            Event::Plan(plan) => {
                let plan = self.plans[plan].1.clone();
                self.carry_out(plan);
                Ok(())
            }
            Event::TakeOver(shard) => {
                if !self.world.has_owner(shard) {
                    let sent = self.world.take_over(self.time(), shard);
                    self.post(sent);
                    self.armed.remove(&shard);
                    self.arm(shard);
                }
                Ok(())
            }
            Event::Thaw(shards, awake) => {
                for shard in &shards {
                    if self.world.has_zombie(*shard) {
                        self.awake.insert(*shard, ());
                    }
                }
                for shard in &shards {
                    self.work(Who::Zombie, *shard)?;
                }
                self.after(awake, Event::Notice(shards));
                Ok(())
            }
            Event::Notice(shards) => {
                for shard in shards {
                    self.awake.remove(&shard);
                    self.world.drop_zombie(shard);
                }
                Ok(())
            }
            Event::Pulse => {
                self.after(PULSE, Event::Pulse);
                self.pulse()
            }
            Event::AllReady => self.all_ready(),
            Event::Look => {
                self.after(1_000, Event::Look);
                self.look()
            }
        }
    }

    /// Whoever believes to be the owner reads it.
    fn read_by_either(&mut self, mail: Mail) -> Result<(), Broken> {
        let who = if self.awake.contains_key(&mail.to) && self.draw(&mail).per_mille(500) {
            Who::Zombie
        } else {
            Who::Live
        };
        self.read(who, mail)
    }

    fn all_ready(&mut self) -> Result<(), Broken> {
        for agent in self.workers() {
            let log_in = self.world.shape().log_in(agent);
            self.read(Who::Live, Mail::agent(agent, log_in))?;
        }
        Ok(())
    }

    /// Those who log in.
    fn workers(&self) -> Vec<usize> {
        let shape = self.world.shape();
        let all = 0..shape.agents.len();
        all.filter(|agent| shape.works(*agent)).collect()
    }

    fn pulse(&mut self) -> Result<(), Broken> {
        for agent in self.workers() {
            let away = self.browser_back.get(&agent);
            if self.world.shape().has_desktop(agent) && away.is_none_or(|back| *back <= self.now) {
                self.read(Who::Live, Mail::agent(agent, AgentMessage::DesktopSeen))?;
            }
        }
        Ok(())
    }

    pub(super) fn step(&mut self, who: Who, mail: Mail) -> Result<(), Broken> {
        self.steps += 1;
        let to = mail.to;
        if let Some(trace) = &mut self.trace {
            let by = if who == Who::Live { " " } else { "Z" };
            trace.push(format!("{:>7} {by} {mail}", self.now));
        }
        let person = self.is_tried_again(&mail);
        let again = (mail.is_sure() || person).then(|| mail.clone());
        let step = self.world.deliver(self.time(), who, mail);
        self.mix(self.now as u64);
        self.mix(step.sent.len() as u64 * 4 + step.outcome as u64);
        match step.outcome {
            Outcome::Done => {}
            Outcome::Fenced => {
                self.awake.remove(&to);
                if let Some(trace) = &mut self.trace {
                    trace.push(format!("{:>7} Z {to} is fenced", self.now));
                }
                // Whose conversation it is tries again, and finds the new owner.
                if let Some(mail) = again.filter(|_| person) {
                    self.after(200, Event::Local(mail));
                }
                return Ok(());
            }
            Outcome::Nobody => {
                match again {
                    Some(mail) if person => {
                        self.after(200, Event::Local(mail));
                    }
                    Some(mail) if !matches!(to, Actor::Contact(_)) => {
                        self.after(200, Event::Mail(mail));
                    }
                    _ => {}
                }
                return Ok(());
            }
        }
        for event in &step.events {
            self.sums.add(event)?;
        }
        if let Some(broken) = self.world.broken() {
            return Err(broken);
        }
        let aims = &self.aims;
        let hit = aims
            .iter()
            .position(|aim| step.sent.iter().any(|mail| aim.waits_for_sent(mail)));
        let hit = hit.filter(|_| who == Who::Live && self.now < FAULTS_END);
        if let (Some(hit), Actor::Contact(contact)) = (hit, to)
            && self.world.contact(contact).is_durable()
        {
            self.aims.swap_remove(hit);
            self.die(contact);
            return Ok(());
        }
        if let Some(hit) = hit
            && let Some(node) = self.node.get(&to).copied()
        {
            self.aims.swap_remove(hit);
            self.fail(node, 1_700, None);
            return Ok(());
        }
        if let Actor::Contact(contact) = to {
            for effect in &step.effects {
                self.react(contact, effect);
            }
        }
        self.post(step.sent);
        if who == Who::Live {
            self.arm(to);
        }
        Ok(())
    }

    /// What a person does to a contact that outlives its process, and does again when nobody took it.
    fn is_tried_again(&self, mail: &Mail) -> bool {
        match (mail.to, &mail.letter) {
            (Actor::Contact(c), Letter::Edge(command)) => {
                self.world.contact(c).is_durable() && *command != Command::Tick
            }
            _ => false,
        }
    }

    /// Everything that is due at an actor.
    fn work(&mut self, who: Who, actor: Actor) -> Result<(), Broken> {
        for _ in 0..AT_ONCE {
            let Some(mail) = self.world.due(self.time(), who, actor) else {
                return Ok(());
            };
            self.step(who, mail)?;
        }
        Err(Broken::NoRest)
    }

    fn arm(&mut self, actor: Actor) {
        let Some(due) = self.world.next_due(Who::Live, actor) else {
            return;
        };
        let due = due.as_millis().max(self.now);
        if self.armed.get(&actor).is_none_or(|armed| due < *armed) {
            self.armed.insert(actor, due);
            self.at(due, Event::Wake(actor));
        }
    }

    /// Offers and refusals do not chase each other; and after the faults nobody waits longer beside a free agent than the
    /// protocol's own deadlines.
    fn look(&mut self) -> Result<(), Broken> {
        let agents = 0..self.world.shape().agents.len();
        let granted: Vec<_> = agents.map(|a| self.world.agent(a).stored.next).collect();
        let agents = &self.world.shape().agents;
        for ((now, before), agent) in granted.iter().zip(&self.granted).zip(agents) {
            if now - before > GRANTS_PER_SECOND + agent.most_contacts() - 1 {
                return Err(Broken::PingPong);
            }
        }
        self.granted = granted;
        if self.now < FAULTS_END + 25_000 {
            return Ok(());
        }
        for contact in 0..self.world.shape().contacts.len() {
            let edge = self.world.contact(contact).edge();
            let waits = edge
                .is_some_and(|edge| edge.phase() == Phase::Waiting && edge.legs().next().is_none());
            if waits && self.world.is_servable(contact) {
                let since = *self.waiting_since.entry(contact).or_insert(self.now);
                if self.now - since > 5_000 {
                    return Err(Broken::WaitsBesideFree);
                }
            } else {
                self.waiting_since.remove(&contact);
            }
        }
        Ok(())
    }

    const fn mix(&mut self, value: u64) {
        let mut z = self.hash.rotate_left(23) ^ value;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        self.hash = z ^ (z >> 27);
    }
}
