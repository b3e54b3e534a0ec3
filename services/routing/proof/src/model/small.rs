//! A small world as a model: its states, what can happen, and what must hold.

use super::{Act, Budget, net::Net};
use crate::{
    Mutant, Shape, World,
    kept::hash_of,
    letter::{Actor, EdgeTimer, Letter, Mail, Timer},
    shard::Who,
    world::Step,
};
use centro_edge::Command;
use centro_kernel::Timestamp;
use centro_routing_core::{AgentMessage, QueueMessage, invariants::Broken};
use stateright::{Model, Property};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Within so many steps everything must come to rest.
pub const STEPS_TO_REST: usize = 400;

/// Messages are handled at this instant.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(0);

/// A small world.
#[derive(Clone, Debug)]
pub struct Small {
    /// By this name it is found again.
    pub name: String,
    /// Who is there.
    pub shape: Arc<Shape>,
    /// What may go wrong.
    pub budget: Budget,
    /// The bug that is planted.
    pub mutant: Option<Mutant>,
    /// It counts as broken by itself that an old epoch stores.
    pub watch_epoch: bool,
    /// Whether liveness is looked at.
    pub liveness: bool,
    /// It is tried from one state in so many.
    pub sample: u64,
    /// More grants to one agent than these mean that offers and refusals chase each other; otherwise it follows from the
    /// contacts and the budget.
    pub grants: Option<u64>,
    /// What has happened before: lines of a scenario.
    ///
    /// It is paid from the budget too.
    pub prefix: &'static [&'static str],
    /// A rule was broken.
    pub(crate) found: Arc<AtomicBool>,
}

/// A state of a small world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The centre.
    pub world: World,
    /// Letters on their way.
    pub net: Net,
    /// What may still go wrong.
    pub left: Budget,
}

impl Small {
    /// More grants than these mean that offers and refusals chase each other.
    pub(crate) fn most_grants(&self) -> u64 {
        let explained = self.shape.contacts.len() as u64 + self.budget.surprises();
        self.grants.unwrap_or(1 + 2 * explained)
    }

    fn send(state: &mut State, sent: Vec<Mail>) {
        for mail in sent {
            let dead = match (mail.to, &mail.letter) {
                (Actor::Contact(c), Letter::Edge(_)) => state.world.contact(c).edge().is_none(),
                _ => false,
            };
            if !dead {
                state.net.insert(mail);
            }
        }
    }

    fn step(state: &mut State, who: Who, mail: &Mail, keeps: bool) {
        let step = state.world.deliver(NOW, who, mail.clone());
        if !keeps {
            state.net.remove(mail);
        }
        Self::send(state, step.sent);
    }

    /// An owner dies or freezes. Answers and streams of a contact's process end with it.
    fn stop(state: &mut State, shard: Actor, freezes: bool) {
        let sent = match shard {
            Actor::Contact(c) if !state.world.contact(c).is_durable() => state.world.kill(c),
            _ => state.world.stop(shard, freezes),
        };
        if matches!(shard, Actor::Contact(_)) {
            let asks = |mail: &Mail| matches!(mail.letter, Letter::HasOffer(_));
            state.net.retain(|mail| mail.to != shard || asks(mail));
        }
        Self::send(state, sent);
    }

    fn longest_briefing(&self) -> std::time::Duration {
        let all = self.shape.queues.iter().map(|queue| queue.brief);
        all.max().unwrap_or_default()
    }

    /// A deadline fires.
    pub(crate) fn fire(&self, world: &mut World, who: Who, actor: Actor, timer: Timer) -> Step {
        match (actor, timer) {
            (Actor::Queue(q), Timer::Queue(timer)) => {
                world.deliver(NOW, who, Mail::queue(q, QueueMessage::Timer(timer)))
            }
            (Actor::Agent(a), Timer::Agent(timer)) => {
                world.deliver(NOW, who, Mail::agent(a, AgentMessage::Timer(timer)))
            }
            (Actor::Contact(c), Timer::Edge(timer)) => {
                let after = match timer {
                    EdgeTimer::Retry => std::time::Duration::ZERO,
                    EdgeTimer::Ring => self.shape.ring,
                    EdgeTimer::Brief => self.longest_briefing(),
                    EdgeTimer::Commit => self.shape.timing.commit,
                };
                world.tick_without_time(NOW + after, who, c)
            }
            (actor, timer) => unreachable!("{actor} has no deadline {timer}"),
        }
    }

    /// The state in which everybody has logged in and the prefix has happened.
    ///
    /// # Errors
    /// The line of the prefix that cannot happen.
    pub fn start(&self) -> Result<State, String> {
        let mut world = World::new(self.shape.clone(), self.mutant);
        if !self.watch_epoch {
            world.ignore_old_epochs();
        }
        let work = (0..self.shape.agents.len()).filter(|a| self.shape.works(*a));
        let log_ins = work.map(|a| Mail::agent(a, self.shape.log_in(a)));
        let mut mails: VecDeque<_> = log_ins.collect();
        while let Some(mail) = mails.pop_front() {
            mails.extend(world.deliver(NOW, Who::Live, mail).sent);
        }
        let mut state = State {
            world,
            net: Net::default(),
            left: self.budget,
        };
        for line in self.prefix {
            let act = self.find(&state, line).ok_or_else(|| (*line).to_owned())?;
            state = self.next_state(&state, act).unwrap_or(state);
        }
        Ok(state)
    }

    /// What can happen now and reads like this.
    pub fn find(&self, state: &State, line: &str) -> Option<Act> {
        let mut acts = Vec::new();
        self.actions(state, &mut acts);
        acts.into_iter().find(|act| act.to_string() == line)
    }

    /// What is wrong with a state, liveness included.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn judge(&self, state: &State) -> Result<(), Broken> {
        if let Some(broken) = state.world.broken() {
            return Err(broken);
        }
        if state.world.most_grants() > self.most_grants() {
            return Err(Broken::PingPong);
        }
        if self.liveness {
            self.comes_to_rest(state)?;
        }
        Ok(())
    }

    /// Whether a rule holds. Once one was broken they all do: breadth first the first state is the nearest, and the
    /// checker would keep the last of those that it looks at in one go.
    fn first(&self, holds: impl FnOnce() -> bool) -> bool {
        if self.found.load(Ordering::Relaxed) || holds() {
            return true;
        }
        self.found.store(true, Ordering::Relaxed);
        false
    }

    fn is_sampled(&self, state: &State) -> bool {
        hash_of(state).is_multiple_of(self.sample)
    }

    /// Takes out letters that can never again have an effect; only where no owner changes.
    fn absorb(&self, state: &mut State) {
        let budget = &self.budget;
        if budget.crash + budget.pause + budget.edge_crash + budget.edge_pause > 0 {
            return;
        }
        let world = &state.world;
        state.net.retain(|mail| match (mail.to, &mail.letter) {
            (Actor::Queue(q), Letter::Queue(QueueMessage::Presence(p))) => {
                let live = world.queue(q).live.as_ref();
                let known = live.and_then(|live| live.actor.known(p.agent));
                known.is_none_or(|known| known.ver <= p.ver)
            }
            (Actor::Agent(a), Letter::Agent(AgentMessage::Pass { ver, .. })) => {
                world.agent(a).stored.ver <= *ver
            }
            (Actor::Contact(c), Letter::Edge(Command::Attached { attach_no, .. })) => {
                let edge = world.contact(c).edge();
                edge.is_none_or(|e| e.queue().is_some() && e.attach_no() == *attach_no)
            }
            _ => true,
        });
    }

    pub(super) fn may_stop(&self, state: &State, shard: Actor) -> bool {
        let chosen = match shard {
            Actor::Queue(_) => self.budget.of_queues,
            Actor::Agent(_) => self.budget.of_agents,
            Actor::Contact(c) => state.world.contact(c).is_durable(),
        };
        chosen && state.world.has_owner(shard)
    }

    fn letters(&self, state: &State, acts: &mut Vec<Act>) {
        let left = &state.left;
        for mail in state.net.iter() {
            let (to, sure) = (mail.to, mail.is_sure());
            if state.world.has_owner(to) {
                acts.push(Act::Deliver(Who::Live, mail.clone()));
                if left.dup > 0 && !sure {
                    acts.push(Act::Repeat(mail.clone()));
                }
                let crash = match to {
                    Actor::Contact(_) => left.edge_crash,
                    Actor::Queue(_) | Actor::Agent(_) => left.crash,
                };
                if crash > 0 && self.may_stop(state, to) {
                    acts.push(Act::CrashMid(mail.clone()));
                }
            }
            if !sure && mail.is_read_by_zombies() && state.world.has_zombie(to) {
                acts.push(Act::Deliver(Who::Zombie, mail.clone()));
            }
            if left.drop > 0 && !sure {
                acts.push(Act::Drop(mail.clone()));
            }
        }
    }

    fn deadlines(&self, state: &State, acts: &mut Vec<Act>) {
        let (world, left, quiet) = (&state.world, &state.left, state.net.is_empty());
        if !quiet && left.early == 0 {
            return;
        }
        let contacts = (0..self.shape.contacts.len()).map(Actor::Contact);
        for actor in world.shards().chain(contacts) {
            for who in [Who::Live, Who::Zombie] {
                if who == Who::Zombie && !world.has_zombie(actor) {
                    continue;
                }
                for timer in world.timers(who, actor) {
                    if World::is_kept_off(&timer) {
                        continue;
                    }
                    let natural = quiet
                        && (!world.is_out_of_order(actor, &timer)
                            || world.may_be_given_up(actor, &timer));
                    let ring = timer == Timer::Edge(EdgeTimer::Ring);
                    let patient = ring && left.no_answer == 0;
                    let harmless = timer.is_repeat() || world.is_recheck(actor, &timer);
                    if natural && !patient || !harmless && left.early > 0 {
                        acts.push(Act::Timer(who, actor, timer));
                    }
                }
            }
        }
    }

    fn machines(&self, state: &State, acts: &mut Vec<Act>) {
        for shard in state.world.shards() {
            if self.may_stop(state, shard) {
                if state.left.crash > 0 {
                    acts.push(Act::Crash(shard));
                }
                if state.left.pause > 0 {
                    acts.push(Act::Pause(shard));
                }
            }
        }
        acts.extend(state.world.unowned().into_iter().map(Act::TakeOver));
    }
}

impl Model for Small {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        self.start().into_iter().collect()
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        self.letters(state, acts);
        self.deadlines(state, acts);
        self.people(state, acts);
        self.machines(state, acts);
    }

    fn next_state(&self, last: &State, act: Act) -> Option<State> {
        let mut state = last.clone();
        match act {
            Act::Deliver(who, mail) => Self::step(&mut state, who, &mail, false),
            Act::Repeat(mail) => {
                state.left.dup -= 1;
                Self::step(&mut state, Who::Live, &mail, true);
            }
            Act::Drop(mail) => {
                state.left.drop -= 1;
                state.net.remove(&mail);
            }
            Act::CrashMid(mail) => {
                state.world.deliver(NOW, Who::Live, (*mail).clone());
                state.net.remove(&mail);
                if matches!(mail.to, Actor::Contact(_)) {
                    state.left.edge_crash -= 1;
                } else {
                    state.left.crash -= 1;
                }
                Self::stop(&mut state, mail.to, false);
            }
            Act::Timer(who, actor, timer) => {
                let out_of_order = state.world.is_out_of_order(actor, &timer);
                let given_up = state.world.may_be_given_up(actor, &timer);
                let ring = timer == Timer::Edge(EdgeTimer::Ring);
                let unwanted = ring && state.left.no_answer == 0;
                if !state.net.is_empty() || out_of_order && !given_up || unwanted {
                    state.left.early -= 1;
                    if out_of_order {
                        state.world.out_of_time();
                    }
                } else if ring {
                    state.left.no_answer -= 1;
                }
                let step = self.fire(&mut state.world, who, actor, timer);
                Self::send(&mut state, step.sent);
            }
            Act::Input(mail) => {
                Self::pay(&mut state, &mail);
                Self::step(&mut state, Who::Live, &mail, true);
            }
            Act::Crash(Actor::Contact(c)) => {
                state.left.edge_crash -= 1;
                Self::stop(&mut state, Actor::Contact(c), false);
            }
            Act::Crash(shard) => {
                state.left.crash -= 1;
                Self::stop(&mut state, shard, false);
            }
            Act::Pause(shard) => {
                if matches!(shard, Actor::Contact(_)) {
                    state.left.edge_pause -= 1;
                } else {
                    state.left.pause -= 1;
                }
                Self::stop(&mut state, shard, true);
            }
            Act::TakeOver(shard) => {
                let sent = state.world.take_over(NOW, shard);
                Self::send(&mut state, sent);
            }
        }
        self.absorb(&mut state);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::<Self>::always("safe", |model, state| {
                model.first(|| state.world.broken().is_none())
            }),
            Property::<Self>::always("no ping-pong", |model, state| {
                model.first(|| state.world.most_grants() <= model.most_grants())
            }),
        ];
        if self.liveness {
            properties.push(Property::<Self>::always("comes to rest", |model, state| {
                model.first(|| !model.is_sampled(state) || model.comes_to_rest(state).is_ok())
            }));
        }
        properties
    }
}
