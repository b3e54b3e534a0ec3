//! Deadlines: listed for a checker without time, or the earliest for one with time.

use super::World;
use crate::{
    ids::{contact_no, queue_id},
    letter::{Actor, EdgeTimer, Mail, Timer},
    mutant::Mutant,
    shard::Who,
};
use centro_edge::{Command, Edge, Leg};
use centro_kernel::Timestamp;
use centro_routing_core::{
    AgentMessage, AgentTimer, QueueMessage, QueueTimer, SlotPhase, invariants::Use,
};

impl World {
    /// A planted bug may forget a deadline.
    fn keeps_queue(&self, timer: &QueueTimer) -> bool {
        !(self.mutant == Some(Mutant::NoBidRetry) && matches!(timer, QueueTimer::Bid(_)))
    }

    fn keeps_agent(&self, a: usize, who: Who, timer: &AgentTimer) -> bool {
        let AgentTimer::Slot(number) = timer else {
            return true;
        };
        self.mutant != Some(Mutant::ForgottenDeadline)
            || self.phase(a, who, *number) != Some(SlotPhase::Reserved)
    }

    fn phase(&self, a: usize, who: Who, number: u64) -> Option<SlotPhase> {
        let instance = self.agents[a].instance(who)?;
        instance.actor.record().slot(number).map(|s| s.phase)
    }

    /// All deadlines of the owner or the old owner, whenever they are due.
    pub fn timers(&self, who: Who, actor: Actor) -> Vec<Timer> {
        match actor {
            Actor::Queue(q) => self.queues[q].instance(who).map_or_else(Vec::new, |i| {
                let timers = i.actor.timers().map(|(_, timer)| timer);
                let kept = timers.filter(|t| self.keeps_queue(t));
                kept.map(Timer::Queue).collect()
            }),
            Actor::Agent(a) => self.agents[a].instance(who).map_or_else(Vec::new, |i| {
                let timers = i.actor.timers().map(|(_, timer)| timer);
                let kept = timers.filter(|t| self.keeps_agent(a, who, t));
                kept.map(Timer::Agent).collect()
            }),
            Actor::Contact(c) => {
                let edge = self.contacts[c].instance(who);
                edge.map_or_else(Vec::new, edge_timers)
            }
        }
    }

    /// The earliest deadline of an actor with time.
    pub fn next_due(&self, who: Who, actor: Actor) -> Option<Timestamp> {
        match actor {
            Actor::Contact(c) => self.contacts[c].instance(who)?.next_due(),
            _ => self.first(who, actor).map(|(due, _)| due),
        }
    }

    fn first(&self, who: Who, actor: Actor) -> Option<(Timestamp, Mail)> {
        match actor {
            Actor::Queue(q) => {
                let queue = &self.queues[q].instance(who)?.actor;
                let (due, timer) = if self.mutant == Some(Mutant::NoBidRetry) {
                    queue.timers().filter(|t| self.keeps_queue(&t.1)).min()?
                } else {
                    queue.next_due()?
                };
                Some((due, Mail::queue(q, QueueMessage::Timer(timer))))
            }
            Actor::Agent(a) => {
                let agent = &self.agents[a].instance(who)?.actor;
                let kept = agent.timers().filter(|t| self.keeps_agent(a, who, &t.1));
                let (due, timer) = kept.min()?;
                Some((due, Mail::agent(a, AgentMessage::Timer(timer))))
            }
            Actor::Contact(c) => {
                let due = self.contacts[c].instance(who)?.next_due()?;
                Some((due, Mail::edge(c, Command::Tick)))
            }
        }
    }

    /// A deadline that has passed, as the letter that the actor writes to itself.
    pub fn due(&self, now: Timestamp, who: Who, actor: Actor) -> Option<Mail> {
        let (due, mail) = self.first(who, actor)?;
        (due <= now).then_some(mail)
    }

    /// Would this deadline fire before something that real time puts first? A living edge always speaks before routing
    /// gives it up.
    pub fn is_out_of_order(&self, actor: Actor, timer: &Timer) -> bool {
        match (actor, timer) {
            (Actor::Agent(a), Timer::Agent(AgentTimer::Slot(number))) => {
                !self.is_recheck(actor, timer)
                    && self
                        .watch
                        .held(a)
                        .iter()
                        .any(|hold| hold.of.number == *number)
            }
            (Actor::Queue(_), Timer::Queue(QueueTimer::Offered(contact))) => {
                let edge = self.contacts[contact_no(*contact)].edge();
                edge.is_some_and(|edge| edge.legs().next().is_some())
            }
            (Actor::Queue(q), Timer::Queue(QueueTimer::Lost(contact))) => {
                let edge = self.contacts[contact_no(*contact)].edge();
                edge.is_some_and(|edge| edge.queue() == Some(queue_id(q)))
            }
            _ => false,
        }
    }

    /// A new owner of a contact asks again what the old one may have asked long ago. While it asks nothing rings there, so
    /// the agent's record may well be the first to give up.
    pub fn may_be_given_up(&self, actor: Actor, timer: &Timer) -> bool {
        let (Actor::Agent(a), Timer::Agent(AgentTimer::Slot(number))) = (actor, timer) else {
            return false;
        };
        let held = self.watch.held(a).iter();
        held.filter(|hold| hold.of.number == *number).all(|hold| {
            hold.how == Use::Asks && self.contacts[contact_no(hold.contact)].is_durable()
        })
    }

    /// By its record an agent talks, and no contact does with it.
    pub fn talks_with_nobody(&self, actor: Actor, timer: &Timer) -> bool {
        match (actor, timer) {
            (Actor::Agent(a), Timer::Agent(AgentTimer::Slot(number))) => {
                let mut held = self.watch.held(a).iter();
                !held.any(|hold| hold.of.number == *number)
            }
            _ => false,
        }
    }

    /// A desktop that is there shows signs of life.
    pub fn is_kept_off(timer: &Timer) -> bool {
        matches!(timer, Timer::Agent(AgentTimer::Desktop))
    }

    /// Only a question to the edge of a talk.
    pub fn is_recheck(&self, actor: Actor, timer: &Timer) -> bool {
        match (actor, timer) {
            (Actor::Agent(a), Timer::Agent(AgentTimer::Slot(number))) => {
                self.phase(a, Who::Live, *number) == Some(SlotPhase::Connected)
            }
            _ => false,
        }
    }
}

fn edge_timers(edge: &Edge) -> Vec<Timer> {
    let mut timers = Vec::new();
    if edge
        .next_due()
        .is_some_and(|due| due <= Timestamp::default())
    {
        timers.push(EdgeTimer::Retry);
    }
    let has = |legs: &[Leg]| edge.legs().any(|(_, leg)| legs.contains(&leg));
    if has(&[Leg::Asking, Leg::Ringing]) {
        timers.push(EdgeTimer::Ring);
    }
    if has(&[Leg::Briefing]) {
        timers.push(EdgeTimer::Brief);
    }
    if has(&[Leg::Committing]) {
        timers.push(EdgeTimer::Commit);
    }
    timers.into_iter().map(Timer::Edge).collect()
}
