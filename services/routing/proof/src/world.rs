//! A small centre made of the product's deciders, a store that fences by epoch, and the rules that must hold.
//!
//! The order of work is the product's (`services/routing/src/actor`): decide, store under the epoch, and only then send
//! and answer. An owner that the store refuses, or that a message deposes, is dropped without a word.

mod agent;
mod contact;
mod edge;
mod queue;
mod rest;
mod timers;
mod watch;

pub use contact::Contact;

use crate::{
    ids::{agent_id, contact_id, contact_no, queue_id},
    kept::Kept,
    letter::{Actor, Letter, Mail},
    mutant::Mutant,
    shape::Shape,
    shard::{Shard, Who},
};
use centro_edge::{Command, Edge, Effect};
use centro_kernel::Timestamp;
use centro_routing_core::{
    Agent, AgentMessage, AgentRecord, Event, Queue, QueueMessage, QueueRecord, QueueTimer,
    SlotPhase, Strategy, invariants::Broken,
};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};
use watch::Watch;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// The owner was an old one and is gone; nobody was answered.
    Fenced,
    /// Nobody was there.
    Nobody,
}

/// The result of a step.
#[derive(Debug)]
pub struct Step {
    /// What became of it.
    pub outcome: Outcome,
    /// What was sent.
    pub sent: Vec<Mail>,
    /// What was published.
    pub events: Vec<Event>,
    /// What an edge did to its parties: rings, bridges, ends.
    pub effects: Vec<Effect>,
}

impl Step {
    const fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            sent: Vec::new(),
            events: Vec::new(),
            effects: Vec::new(),
        }
    }
}

type QueueShard = Shard<Queue, QueueRecord>;
type AgentShard = Shard<Agent, AgentRecord>;

/// The centre.
#[derive(Clone, Debug)]
pub struct World {
    shape: Arc<Shape>,
    mutant: Option<Mutant>,
    queues: Vec<Kept<QueueShard>>,
    agents: Vec<Kept<AgentShard>>,
    contacts: Vec<Kept<Contact>>,
    watch: Watch,
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.queues == other.queues
            && self.agents == other.agents
            && self.contacts == other.contacts
            && self.watch == other.watch
    }
}

impl Eq for World {}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.queues.hash(state);
        self.agents.hash(state);
        self.contacts.hash(state);
        self.watch.hash(state);
    }
}

impl World {
    /// A centre where nobody has logged in and no contact has arrived.
    pub fn new(shape: Arc<Shape>, mutant: Option<Mutant>) -> Self {
        Mutant::plant(mutant);
        let now = Timestamp::default();
        let mut shape = shape;
        if mutant == Some(Mutant::NoTombstone) {
            Arc::make_mut(&mut shape).deadlines.tombstone = std::time::Duration::ZERO;
        }
        let queues = (0..shape.queues.len()).map(|q| {
            let record = QueueRecord::default();
            let actor = queue_owner(&shape, q, 1, record.clone(), now);
            Kept::new(Shard::new(record, actor))
        });
        let agents = (0..shape.agents.len()).map(|a| {
            let record = shape.agent(a);
            let (actor, _) = Agent::recover(record.clone(), &shape.deadlines, now);
            Kept::new(Shard::new(record, actor))
        });
        let contacts = shape.contacts.iter().map(|contact| {
            let edge = Edge::new(shape.timing);
            Kept::new(Contact::new(edge, contact.durable))
        });
        Self {
            queues: queues.collect(),
            agents: agents.collect(),
            contacts: contacts.collect(),
            watch: Watch::new(shape.queues.len(), shape.agents.len()),
            shape,
            mutant,
        }
    }

    /// What it is made of.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bug that is planted.
    pub const fn mutant(&self) -> Option<Mutant> {
        self.mutant
    }

    /// The queues' shards.
    pub fn queue(&self, queue: usize) -> &QueueShard {
        &self.queues[queue]
    }

    /// The agents' shards.
    pub fn agent(&self, agent: usize) -> &AgentShard {
        &self.agents[agent]
    }

    /// A contact.
    pub fn contact(&self, contact: usize) -> &Contact {
        &self.contacts[contact]
    }

    /// The first rule that was broken, if any.
    pub const fn broken(&self) -> Option<Broken> {
        self.watch.broken()
    }

    /// Does not count it as broken by itself that an old epoch stores: what follows from it is looked for.
    pub(crate) const fn ignore_old_epochs(&mut self) {
        self.watch.ignore_old_epochs();
    }

    /// A deadline fires before one that real time puts first: the rules that rest on that order are off.
    pub(crate) const fn out_of_time(&mut self) {
        self.watch.out_of_time();
    }

    /// Hands a letter over to the owner, or to the old owner.
    pub fn deliver(&mut self, now: Timestamp, who: Who, mail: Mail) -> Step {
        Mutant::plant(self.mutant);
        match (mail.to, mail.letter) {
            (Actor::Queue(q), Letter::Queue(message)) => self.queue_step(now, who, q, message),
            (Actor::Agent(a), Letter::Agent(message)) => self.agent_step(now, who, a, message),
            (Actor::Contact(c), Letter::Edge(command)) => self.contact_step(now, who, c, command),
            (Actor::Contact(c), Letter::HasOffer(of)) => self.has_offer(who, c, of),
            (to, letter) => unreachable!("{to} cannot read {letter}"),
        }
    }

    /// The owner of a shard dies; or it freezes, does not know that it loses the shard, and comes back as a zombie. The
    /// stream of a contact that outlives its process breaks, and its queue hears of it.
    pub fn stop(&mut self, shard: Actor, freezes: bool) -> Vec<Mail> {
        match shard {
            Actor::Queue(q) => self.queues[q].change().stop(freezes),
            Actor::Agent(a) => self.agents[a].change().stop(freezes),
            Actor::Contact(c) => {
                let broken = self.break_stream(c).into_iter();
                self.contacts[c].change().stop(freezes);
                self.watch.forget(contact_id(c));
                return broken
                    .filter(|mail| !matches!(mail.to, Actor::Contact(_)))
                    .collect();
            }
        }
        Vec::new()
    }

    /// A zombie notices, or is stopped.
    pub fn drop_zombie(&mut self, shard: Actor) {
        match shard {
            Actor::Queue(q) if self.queues[q].zombie.is_some() => {
                self.queues[q].change().zombie = None;
            }
            Actor::Agent(a) if self.agents[a].zombie.is_some() => {
                self.agents[a].change().zombie = None;
            }
            Actor::Contact(c) if self.contacts[c].has_zombie() => {
                self.contacts[c].change().drop_zombie();
            }
            _ => {}
        }
    }

    /// Whether an old owner of the shard still acts.
    pub fn has_zombie(&self, shard: Actor) -> bool {
        match shard {
            Actor::Queue(q) => self.queues[q].zombie.is_some(),
            Actor::Agent(a) => self.agents[a].zombie.is_some(),
            Actor::Contact(c) => self.contacts[c].has_zombie(),
        }
    }

    /// Whether somebody is there to read.
    pub fn has_owner(&self, actor: Actor) -> bool {
        match actor {
            Actor::Queue(q) => self.queues[q].live.is_some(),
            Actor::Agent(a) => self.agents[a].live.is_some(),
            Actor::Contact(c) => {
                let contact = &self.contacts[c];
                contact.edge().is_some() || !contact.is_durable()
            }
        }
    }

    /// All shards of routing.
    pub fn shards(&self) -> impl Iterator<Item = Actor> + use<> {
        let queues = (0..self.queues.len()).map(Actor::Queue);
        queues.chain((0..self.agents.len()).map(Actor::Agent))
    }

    /// Contacts that outlive their process.
    pub fn durable(&self) -> impl Iterator<Item = Actor> + '_ {
        let contacts = self.contacts.iter().enumerate();
        contacts
            .filter(|(_, contact)| contact.is_durable())
            .map(|(c, _)| Actor::Contact(c))
    }

    /// Shards and contacts without an owner.
    pub fn unowned(&self) -> Vec<Actor> {
        let all = self.shards().chain(self.durable());
        all.filter(|s| !self.has_owner(*s)).collect()
    }

    /// A shard gets a new owner. What those who watch owners and processes say of it is part of what is returned.
    pub fn take_over(&mut self, now: Timestamp, shard: Actor) -> Vec<Mail> {
        Mutant::plant(self.mutant);
        match shard {
            Actor::Queue(q) => self.queue_taken_over(now, q),
            Actor::Agent(a) => self.agent_taken_over(now, a),
            Actor::Contact(c) => self.contact_taken_over(now, c),
        }
    }

    fn queue_taken_over(&mut self, now: Timestamp, q: usize) -> Vec<Mail> {
        let shard = self.queues[q].change();
        shard.epoch += 1;
        let (epoch, stored) = (shard.epoch, shard.stored.clone());
        shard.own(queue_owner(&self.shape, q, epoch, stored, now));
        self.watch.queue_taken_over(q);
        let mut sent = Vec::new();
        if self.mutant == Some(Mutant::NoHold) {
            let hold = QueueMessage::Timer(QueueTimer::Hold);
            sent.extend(self.queue_step(now, Who::Live, q, hold).sent);
            self.watch.queue_taken_over(q);
        }
        let queue = queue_id(q);
        let moved = AgentMessage::QueueMoved { queue, epoch };
        sent.extend((0..self.agents.len()).map(|a| Mail::agent(a, moved.clone())));
        // The streams to the old owner break.
        for (c, contact) in self.contacts.iter().enumerate() {
            if let Some((_, attach_no)) = contact.stream().filter(|(to, _)| *to == queue) {
                sent.push(Mail::edge(c, Command::QueueLost { queue, attach_no }));
            }
        }
        for contact in self.queues[q].stored.entries.keys().copied() {
            if self.contacts[contact_no(contact)].is_dead() {
                sent.push(Mail::queue(q, QueueMessage::EdgeDead { contact }));
            }
        }
        sent
    }

    fn agent_taken_over(&mut self, now: Timestamp, a: usize) -> Vec<Mail> {
        let deadlines = self.shape.deadlines;
        let shard = self.agents[a].change();
        shard.epoch += 1;
        let (actor, out) = Agent::recover(shard.stored.clone(), &deadlines, now);
        shard.own(actor);
        let mut sent = self.agent_effects(a, out.send.into_vec());
        self.watch_round(a);
        let record = &self.agents[a].stored;
        for slot in &record.slots {
            let Some(contact) = slot.contact else {
                continue;
            };
            if self.contacts[contact_no(contact)].is_dead() {
                sent.push(Mail::agent(a, AgentMessage::EdgeDead { contact }));
            } else if slot.phase == SlotPhase::Revoked {
                let of = record.reservation(slot.number);
                sent.push(Mail::edge(contact_no(contact), Command::Cancel(of)));
            }
        }
        // Told to every new owner, and not only when it changes: otherwise an old owner's Pass would be believed.
        let untold = self.mutant == Some(Mutant::UntoldOwner);
        let moved = self.queues.iter().enumerate().filter(|(_, q)| q.epoch > 1);
        for (q, shard) in moved.filter(|_| !untold) {
            let (queue, epoch) = (queue_id(q), shard.epoch);
            sent.push(Mail::agent(a, AgentMessage::QueueMoved { queue, epoch }));
        }
        sent
    }

    /// The process of a call dies. Whom it concerned is told.
    pub fn kill(&mut self, c: usize) -> Vec<Mail> {
        let contact = contact_id(c);
        let Some(edge) = self.contacts[c].change().kill() else {
            return Vec::new();
        };
        self.watch.forget(contact);
        let bonds = edge.bonds();
        let queues = bonds.queues.into_iter().map(|queue| {
            let to = crate::ids::queue_no(queue);
            Mail::queue(to, QueueMessage::EdgeDead { contact })
        });
        let agents = bonds.reservations.into_iter().map(|of| {
            let to = crate::ids::agent_no(of.agent);
            Mail::agent(to, AgentMessage::EdgeDead { contact })
        });
        queues.chain(agents).collect()
    }

    /// The stream between a contact and its queue breaks: both hear of it.
    pub fn break_stream(&self, c: usize) -> Vec<Mail> {
        let Some((queue, attach_no)) = self.contacts[c].stream() else {
            return Vec::new();
        };
        let contact = contact_id(c);
        vec![
            Mail::queue(
                crate::ids::queue_no(queue),
                QueueMessage::Detached { contact, attach_no },
            ),
            Mail::edge(c, Command::QueueLost { queue, attach_no }),
        ]
    }

    /// Whether a free agent could serve a contact that waits.
    pub fn is_servable(&self, c: usize) -> bool {
        let Some(queue) = self.contacts[c].edge().and_then(Edge::queue) else {
            return false;
        };
        let q = crate::ids::queue_no(queue);
        if self.shape.queues[q].strategy == Strategy::ManualPick {
            return false; // agents pick
        }
        let (stored, skill_match) = (&self.queues[q].stored, self.shape.queues[q].skill_match);
        let Some(entry) = stored.entries.get(&contact_id(c)) else {
            return true; // it waits, and its queue does not know
        };
        self.agents.iter().enumerate().any(|(a, shard)| {
            let record = &shard.stored;
            record.membership(queue).is_some_and(|m| record.room_for(m))
                && entry.asks()
                && skill_match.allows(entry.needs_now(), &record.profile.skills)
                && entry.fits(agent_id(a))
        })
    }
}

/// A queue's owner. Where time does not pass, agents have had theirs to say that they are here: the small worlds have no
/// rule that asks for it, and one timer less.
fn queue_owner(shape: &Shape, q: usize, epoch: u64, stored: QueueRecord, now: Timestamp) -> Queue {
    let deadlines = &shape.deadlines;
    let mut queue = Queue::recover(shape.settings(q), epoch, stored, deadlines, now);
    if deadlines.hold.is_zero() {
        queue.handle(deadlines, now, QueueMessage::Timer(QueueTimer::Settle));
    }
    queue
}
