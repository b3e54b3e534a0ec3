//! Two queues, three agents, five contacts, and a network that loses, repeats and reorders. Whatever happens: one agent
//! has at most one call, order is kept, and once the faults stop everybody is served and everything comes to rest.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may stop at the first surprise

mod edge;

use centro_kernel::{
    ContactId, DeviceId, QueueId, Timestamp, UserId,
    contact::{OfferEnd, Reservation},
};
use centro_routing_core::{
    Agent, AgentEffect, AgentMessage, AgentRecord, Answer, Chosen, Deadlines, EdgeMessage, Event,
    Queue, QueueEffect, QueueMessage, QueueOut, QueueRecord, QueueSettings, SlotPhase,
    Strategy as Turns,
};
use edge::{Edge, Phase};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

#[derive(Clone, Debug)]
enum Mail {
    Queue(QueueId, QueueMessage),
    Agent(UserId, AgentMessage),
    Edge(ContactId, EdgeMessage),
    Reply(ContactId, Reservation, Answer),
    Cancel(ContactId, Reservation),
    Ask(ContactId, Reservation),
}

struct World {
    cfg: Deadlines,
    now: Timestamp,
    queues: BTreeMap<QueueId, Queue>,
    agents: BTreeMap<UserId, Agent>,
    edges: BTreeMap<ContactId, Edge>,
    mail: VecDeque<Mail>,
    served: Vec<ContactId>,
}

fn queue(n: usize) -> QueueId {
    QueueId::from_u128(1 + n as u128)
}
fn agent(n: usize) -> UserId {
    UserId::from_u128(11 + n as u128)
}
fn contact(n: usize) -> ContactId {
    ContactId::from_u128(101 + n as u128)
}

impl World {
    fn new(agents: usize, contacts: &[usize]) -> Self {
        // Mail may be later here than any network's: tombstones outlive it, as they do in life.
        let cfg = Deadlines {
            tombstone: Duration::from_secs(86_400),
            ..Deadlines::default()
        };
        let now = Timestamp::from_millis(1_000);
        let queues = (0..2).map(|n| {
            let settings = QueueSettings {
                id: queue(n),
                weight: [None, Some(5)][n],
                strategy: [Turns::LongestIdle, Turns::RoundRobin][n],
                ring: Duration::from_secs(15),
                wrap_up: Duration::from_secs(10),
                missed_offers: 1,
                max_callers: 0,
                reject_delay: Duration::from_secs(10),
            };
            (
                queue(n),
                Queue::recover(settings, 1, QueueRecord::default(), &cfg, now),
            )
        });
        let edges = contacts.iter().enumerate().map(|(n, q)| {
            let edge = Edge {
                contact: contact(n),
                queue: queue(*q),
                phase: Phase::Waiting,
                placed: false,
                leg: None,
                seen: BTreeMap::new(),
                turned_away: BTreeSet::new(),
                ends: BTreeMap::new(),
                left: None,
            };
            (contact(n), edge)
        });
        let mut world = Self {
            cfg,
            now,
            queues: queues.collect(),
            agents: BTreeMap::new(),
            edges: edges.collect(),
            mail: VecDeque::new(),
            served: vec![],
        };
        for n in 0..agents {
            let record = AgentRecord::new(agent(n), now);
            world
                .agents
                .insert(agent(n), Agent::recover(record, &cfg, now).0);
            let (device, queues) = (DeviceId::from_u128(n as u128), vec![queue(0), queue(1)]);
            let log_in = AgentMessage::LogIn {
                device,
                device_online: true,
                queues,
                all_queues: false,
                ready: true,
            };
            world.tell_agent(agent(n), log_in, None);
        }
        world
    }

    fn tell_agent(
        &mut self,
        to: UserId,
        message: AgentMessage,
        asker: Option<(ContactId, Reservation)>,
    ) {
        let actor = self.agents.get_mut(&to).unwrap();
        let out = actor.handle(&self.cfg, self.now, message);
        assert!(actor.record().slots.len() <= 1, "one agent, one call");
        if let (Some((contact, reservation)), Some(answer)) = (asker, out.answer) {
            self.mail
                .push_back(Mail::Reply(contact, reservation, answer));
        }
        for effect in out.send {
            self.mail.push_back(match effect {
                AgentEffect::Queue(q, m) => Mail::Queue(q, m),
                AgentEffect::CancelOffer {
                    reservation,
                    contact,
                    ..
                } => Mail::Cancel(contact, reservation),
                AgentEffect::AskEdge {
                    reservation,
                    contact,
                    ..
                } => Mail::Ask(contact, reservation),
            });
        }
    }

    fn tell_queue(&mut self, to: QueueId, message: QueueMessage) {
        let actor = self.queues.get_mut(&to).unwrap();
        let out = actor.handle(&self.cfg, self.now, message);
        Self::keeps_order(actor, &out);
        for effect in out.send {
            self.mail.push_back(match effect {
                QueueEffect::Agent(a, m) => Mail::Agent(a, m),
                QueueEffect::Edge(c, m) => Mail::Edge(c, m),
            });
        }
    }

    /// Nobody that the agent could have served stood before the contact that was offered.
    fn keeps_order(actor: &Queue, out: &QueueOut) {
        for event in &out.events {
            if let Event::ContactOffered {
                contact,
                reservation,
                ..
            } = event
            {
                let before = actor.in_order().take_while(|e| e.contact != *contact);
                for other in before {
                    assert!(
                        !other.is_open() || !other.fits(reservation.agent),
                        "{other:?} was overtaken"
                    );
                }
            }
        }
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Queue(q, m) => self.tell_queue(q, m),
            Mail::Agent(a, m) => {
                let asker = match &m {
                    AgentMessage::Alert {
                        number, contact, ..
                    }
                    | AgentMessage::Connect { number, contact }
                    | AgentMessage::End {
                        number, contact, ..
                    } => Some((
                        *contact,
                        Reservation {
                            agent: a,
                            number: *number,
                        },
                    )),
                    _ => None,
                };
                self.tell_agent(a, m, asker);
            }
            Mail::Edge(c, m) => self.edge(c, |edge, mail| edge.hear(m, mail)),
            Mail::Reply(c, r, answer) => self.edge(c, |edge, mail| edge.answered(r, answer, mail)),
            Mail::Cancel(c, r) => self.edge(c, |edge, mail| {
                edge.give_up(Some(r), OfferEnd::Revoked, mail)
            }),
            Mail::Ask(c, r) => self.edge(c, |edge, mail| edge.asked(r, mail)),
        }
        self.check();
    }

    fn edge(&mut self, contact: ContactId, act: impl FnOnce(&mut Edge, &mut VecDeque<Mail>)) {
        let edge = self.edges.get_mut(&contact).unwrap();
        let before = edge.phase;
        act(edge, &mut self.mail);
        if before == Phase::Waiting && matches!(edge.phase, Phase::Connected(_)) {
            self.served.push(contact);
        }
    }

    /// Each conversation is one that its agent's record knows, and no agent has two.
    fn check(&self) {
        let mut busy = BTreeSet::new();
        for edge in self.edges.values() {
            if let Phase::Connected(r) = edge.phase {
                assert!(busy.insert(r.agent), "{} talks to two", r.agent);
                let slot = self.agents[&r.agent]
                    .record()
                    .slot(r.number)
                    .expect("a known conversation");
                assert_eq!(
                    (slot.phase, slot.contact),
                    (SlotPhase::Connected, Some(edge.contact))
                );
            }
        }
    }

    /// The next deadline of all actors fires.
    fn fire(&mut self) -> bool {
        let queues = self
            .queues
            .iter()
            .filter_map(|(q, a)| Some((a.next_due()?.0, Ok(*q))));
        let agents = self
            .agents
            .iter()
            .filter_map(|(a, x)| Some((x.next_due()?.0, Err(*a))));
        let Some((due, who)) = queues.chain(agents).min_by_key(|(due, _)| *due) else {
            return false;
        };
        self.now = self.now.max(due);
        match who {
            Ok(q) => {
                let timer = self.queues[&q].next_due().unwrap().1;
                self.tell_queue(q, QueueMessage::Timer(timer));
            }
            Err(a) => {
                let timer = self.agents[&a].next_due().unwrap().1;
                self.tell_agent(a, AgentMessage::Timer(timer), None);
            }
        }
        self.check();
        true
    }

    /// Edges repeat what is unanswered.
    fn repeat(&mut self) {
        for edge in self.edges.values() {
            edge.repeat(self.now, &mut self.mail);
        }
    }

    fn chance(&mut self, what: u8, which: usize) {
        let c = contact(which % self.edges.len());
        let a = agent(which % self.agents.len());
        match what % 20 {
            0..=8 if !self.mail.is_empty() => {
                let mail = self.mail.remove(which % self.mail.len()).unwrap();
                self.deliver(mail);
            }
            9 if !self.mail.is_empty() => {
                let mail = self.mail[which % self.mail.len()].clone();
                self.deliver(mail);
            }
            10 => drop((!self.mail.is_empty()).then(|| self.mail.remove(which % self.mail.len()))),
            11 | 12 => drop(self.fire()),
            13 => self.repeat(),
            14 | 15 => self.edge(c, Edge::pick_up),
            16 => self.edge(c, |e, mail| {
                e.give_up(
                    None,
                    [OfferEnd::NoAnswer, OfferEnd::Rejected][which / 5 % 2],
                    mail,
                )
            }),
            17 => self.edge(c, Edge::hang_up),
            18 => self.tell_agent(
                a,
                AgentMessage::SetStatus(Chosen::Paused(String::new())),
                None,
            ),
            _ => self.tell_agent(a, AgentMessage::SetStatus(Chosen::Ready), None),
        }
        self.check();
    }

    fn at_rest(&self) -> bool {
        let edges = self
            .edges
            .values()
            .all(|e| e.phase == Phase::Gone && e.ends.is_empty() && e.left.is_none());
        edges
            && self.agents.values().all(|a| a.record().slots.is_empty())
            && self.queues.values().all(|q| q.waiting() == 0)
    }

    /// No more faults: everybody answers, talks and hangs up.
    fn calm_down(&mut self) {
        for n in 0..self.agents.len() {
            self.tell_agent(agent(n), AgentMessage::SetStatus(Chosen::Ready), None);
        }
        for _ in 0..2_000 {
            for delivered in 0.. {
                let Some(mail) = self.mail.pop_front() else {
                    break;
                };
                assert!(
                    delivered < 10_000,
                    "they talk for ever: {mail:?} {:?}",
                    self.mail
                );
                self.deliver(mail);
            }
            if self.at_rest() {
                return;
            }
            for n in 0..self.edges.len() {
                self.edge(contact(n), Edge::pick_up);
            }
            self.repeat();
            if self.mail.is_empty() {
                for n in 0..self.edges.len() {
                    if matches!(self.edges[&contact(n)].phase, Phase::Connected(_)) {
                        self.edge(contact(n), Edge::hang_up);
                    }
                }
            }
            if self.mail.is_empty() {
                assert!(self.fire(), "stuck: {:?}", self.edges);
            }
        }
        let waiting: Vec<_> = self
            .queues
            .values()
            .flat_map(|q| q.in_order().cloned())
            .collect();
        let slots: Vec<_> = self
            .agents
            .values()
            .flat_map(|a| a.record().slots.clone())
            .collect();
        panic!("no rest: {:?} {waiting:?} {slots:?}", self.edges);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_network_does_rules_hold_and_everything_comes_to_rest(
        steps in prop::collection::vec((any::<u8>(), any::<u16>()), 0..400)
    ) {
        let mut world = World::new(3, &[0, 1, 0, 1, 0]);
        world.repeat();
        for (what, which) in steps {
            world.chance(what, usize::from(which));
        }
        world.calm_down();
    }
}

#[test]
fn weight_no_starvation() {
    // One agent; contacts 0 and 2 wait in the queue without a score, 1 and 3 in the heavier one.
    let mut world = World::new(1, &[0, 1, 0, 1]);
    world.tell_agent(
        agent(0),
        AgentMessage::SetStatus(Chosen::Paused(String::new())),
        None,
    );
    world.repeat();
    world.calm_down();
    let order: Vec<_> = [1, 3, 0, 2].map(contact).into();
    assert_eq!(
        world.served, order,
        "heavier first, then by wait; the lighter queue is served too"
    );

    // A heavy queue whose callers nobody may serve blocks nobody.
    let mut world = World::new(1, &[0, 1]);
    world.repeat();
    while let Some(mail) = world.mail.pop_front() {
        if !matches!(&mail, Mail::Agent(_, AgentMessage::Bid(b)) if b.queue == queue(1)) {
            world.deliver(mail);
        }
    }
    world.fire();
    while let Some(mail) = world.mail.pop_front() {
        world.deliver(mail);
    }
    world.edge(contact(0), Edge::pick_up);
    while let Some(mail) = world.mail.pop_front() {
        world.deliver(mail);
    }
    assert_eq!(world.served, [contact(0)]);
}
