//! The queue as queueing theory knows it: Poisson arrivals, exponential service, a number of agents. Mean wait and
//! probability of waiting must be those of Erlang C, and each single wait must be the one that an ideal first-come
//! first-served queue with the same arrivals and services gives.
//!
//! Real queue, real agents, an edge whose phones are answered at once; virtual time, so a month of work takes seconds.

#![allow(clippy::unwrap_used)] // tests may stop at the first surprise

use centro_kernel::{
    ContactId, DeviceId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use centro_routing_core::{
    Agent, AgentEffect, AgentMessage, AgentRecord, Answer, Attach, Chosen, ContactKind, Deadlines,
    EdgeMessage, LogIn, Membership, Profile, Queue, QueueEffect, QueueMessage, QueueRecord,
    QueueSettings, Terms, WrapUp, WrapUpMode,
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

const AGENTS: u32 = 10;
/// Mean service, in milliseconds: long, so that a millisecond is nothing.
const SERVICE: f64 = 200_000.0;
/// Batches of which each gives one mean; the first, in which the floor fills, is left out.
const BATCHES: usize = 21;
/// Student's t for 19 degrees of freedom: a right queue is outside the band for one seed in 100. The seed is fixed, so
/// this test never flickers.
const STUDENT: f64 = 2.861;

/// What is wrong with a floor, to see that it is noticed.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// Each service lasts a tenth longer than it should.
    LongService,
    /// One agent is idle for ever.
    LostAgent,
}

/// splitmix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Exponentially distributed.
    fn exponential(&mut self, mean: f64) -> f64 {
        let uniform = ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        -mean * uniform.ln()
    }
}

/// Contacts as they come, with what they will take.
struct Traffic {
    /// When each comes and how long it is served, in milliseconds.
    contacts: Vec<(i64, i64)>,
}

impl Traffic {
    fn new(seed: u64, load: f64, count: usize) -> Self {
        let mut draw = Draw(seed);
        let between = SERVICE / (load * f64::from(AGENTS));
        let mut at = 0.0;
        let contacts = (0..count).map(|_| {
            at += draw.exponential(between);
            (at as i64, draw.exponential(SERVICE).ceil() as i64)
        });
        Self {
            contacts: contacts.collect(),
        }
    }

    /// Waits in an ideal queue: whoever comes takes the agent who is free first.
    fn ideal_waits(&self) -> Vec<i64> {
        let mut free: BinaryHeap<_> = (0..AGENTS).map(|_| Reverse(0)).collect();
        let contacts = self.contacts.iter().map(|(at, service)| {
            let Reverse(first) = free.pop().unwrap();
            let begins = first.max(*at);
            free.push(Reverse(begins + service));
            begins - at
        });
        contacts.collect()
    }
}

/// What happens next on the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Ends(usize),
    Comes(usize),
    QueueTimer,
    AgentTimer(usize),
}

enum Mail {
    Queue(QueueMessage),
    Agent(usize, AgentMessage),
    Edge(ContactId, EdgeMessage),
}

struct Floor<'a> {
    cfg: Deadlines,
    traffic: &'a Traffic,
    stretch: f64,
    now: i64,
    queue: Queue,
    agents: Vec<Agent>,
    mail: VecDeque<Mail>,
    plan: BinaryHeap<Reverse<(i64, Next)>>,
    /// Reservations of contacts that are served.
    served: HashMap<usize, Reservation>,
    waits: Vec<i64>,
}

const QUEUE: QueueId = QueueId::from_u128(1);
/// Contacts come when everybody is logged in and the queue knows it.
const OPENS: i64 = 10_000;

fn agent(n: usize) -> UserId {
    UserId::from_u128(100 + n as u128)
}
fn contact(n: usize) -> ContactId {
    ContactId::from_u128(1_000 + n as u128)
}
fn number(contact: ContactId) -> usize {
    usize::try_from(contact.as_u128() - 1_000).unwrap()
}

impl<'a> Floor<'a> {
    fn new(traffic: &'a Traffic, wrong: Wrong) -> Self {
        let cfg = Deadlines::default();
        let terms = Terms {
            wrap_up: WrapUp {
                mode: WrapUpMode::None,
                ..Terms::default().wrap_up
            },
            ..Terms::default()
        };
        let settings = QueueSettings {
            terms: Arc::new(terms),
            ..QueueSettings::new(QUEUE)
        };
        let start = Timestamp::from_millis(0);
        let agents = (0..AGENTS as usize).map(|n| {
            let record = AgentRecord::new(agent(n), start);
            Agent::recover(record, &cfg, start).0
        });
        let mut floor = Self {
            cfg,
            traffic,
            stretch: if wrong == Wrong::LongService {
                1.1
            } else {
                1.0
            },
            now: 0,
            queue: Queue::recover(settings, 1, QueueRecord::default(), &cfg, start),
            agents: agents.collect(),
            mail: VecDeque::new(),
            plan: BinaryHeap::new(),
            served: HashMap::new(),
            waits: vec![0; traffic.contacts.len()],
        };
        for n in 0..floor.agents.len() {
            let log_in = AgentMessage::LogIn(Box::new(LogIn {
                device: DeviceId::from_u128(n as u128),
                device_online: true,
                queues: vec![Membership::new(QUEUE)],
                all_queues: false,
                ready: true,
                desktop: false,
                profile: Profile::default(),
            }));
            floor.mail.push_back(Mail::Agent(n, log_in));
        }
        if wrong == Wrong::LostAgent {
            let pause = AgentMessage::SetStatus(Chosen::Paused(String::new()));
            floor.mail.push_back(Mail::Agent(0, pause));
        }
        floor.plan.push(Reverse((2_000, Next::QueueTimer)));
        floor.comes_next(0);
        floor
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn comes_next(&mut self, n: usize) {
        if let Some((at, _)) = self.traffic.contacts.get(n) {
            self.plan.push(Reverse((OPENS + at, Next::Comes(n))));
        }
    }

    fn run(mut self) -> Vec<i64> {
        self.deliver();
        while let Some(Reverse((at, next))) = self.plan.pop() {
            self.now = at;
            match next {
                Next::Comes(n) => self.comes(n),
                Next::Ends(n) => self.ends(n),
                Next::QueueTimer => {
                    let due = self.queue.next_due().filter(|(due, _)| *due <= self.at());
                    if let Some((_, timer)) = due {
                        self.mail.push_back(Mail::Queue(QueueMessage::Timer(timer)));
                    }
                }
                Next::AgentTimer(n) => {
                    let due = self.agents[n].next_due();
                    if let Some((_, timer)) = due.filter(|(due, _)| *due <= self.at()) {
                        let message = AgentMessage::Timer(timer);
                        self.mail.push_back(Mail::Agent(n, message));
                    }
                }
            }
            self.deliver();
        }
        assert_eq!(self.queue.waiting(), 0, "everybody was served");
        self.waits
    }

    fn comes(&mut self, n: usize) {
        let attach = Attach {
            contact: contact(n),
            attach_no: 1,
            enqueued_at: self.at(),
            priority: 0,
            excluded: vec![],
            holding: vec![],
            needs: Arc::default(),
            kind: ContactKind::Call,
            caller: Arc::default(),
            edge: Arc::from("edge"),
        };
        self.mail
            .push_back(Mail::Queue(QueueMessage::Attach(attach)));
        self.comes_next(n + 1);
    }

    fn ends(&mut self, n: usize) {
        let reservation = self.served.remove(&n).unwrap();
        let end = AgentMessage::End {
            number: reservation.number,
            contact: contact(n),
            why: OfferEnd::Answered,
            edge_epoch: 0,
        };
        self.tell(reservation, end);
    }

    fn tell(&mut self, of: Reservation, message: AgentMessage) {
        let n = usize::try_from(of.agent.as_u128() - 100).unwrap();
        self.mail.push_back(Mail::Agent(n, message));
    }

    /// Everything that is said at one instant.
    fn deliver(&mut self) {
        let now = self.at();
        while let Some(mail) = self.mail.pop_front() {
            match mail {
                Mail::Queue(message) => {
                    let out = self.queue.handle(&self.cfg, now, message);
                    for effect in out.send {
                        self.mail.push_back(match effect {
                            QueueEffect::Agent(to, message) => {
                                let n = usize::try_from(to.as_u128() - 100).unwrap();
                                Mail::Agent(n, message)
                            }
                            QueueEffect::Edge(contact, message) => Mail::Edge(contact, message),
                            QueueEffect::PickedUp { .. } => continue,
                        });
                    }
                    if let Some((due, _)) = self.queue.next_due() {
                        let due = due.as_millis().max(self.now + 1);
                        self.plan.push(Reverse((due, Next::QueueTimer)));
                    }
                }
                Mail::Agent(n, message) => self.agent_hears(n, message),
                Mail::Edge(contact, EdgeMessage::Offer { reservation, .. }) => {
                    let ring = Duration::from_secs(15);
                    let alert = AgentMessage::Alert {
                        number: reservation.number,
                        contact,
                        edge: Arc::from("edge"),
                        edge_epoch: 0,
                        caller: Arc::default(),
                        ring,
                    };
                    self.tell(reservation, alert);
                }
                Mail::Edge(..) => {}
            }
        }
    }

    fn agent_hears(&mut self, n: usize, message: AgentMessage) {
        let asked = match &message {
            AgentMessage::Alert {
                number, contact, ..
            }
            | AgentMessage::Connect {
                number, contact, ..
            } => Some((*number, *contact)),
            _ => None,
        };
        let now = self.at();
        let out = self.agents[n].handle(&self.cfg, now, message);
        if let Some((number, contact)) = asked {
            let agent = agent(n);
            self.edge_hears(Reservation { agent, number }, contact, out.answer.unwrap());
        }
        for effect in out.send {
            // The edge still has whatever it is asked for.
            if let AgentEffect::Queue(_, message) = effect {
                self.mail.push_back(Mail::Queue(message));
            }
        }
        if let Some((due, _)) = self.agents[n].next_due() {
            let due = due.as_millis().max(self.now + 1);
            self.plan.push(Reverse((due, Next::AgentTimer(n))));
        }
    }

    /// The phone is answered when it rings, the parties are bridged, and the contact leaves the line.
    fn edge_hears(&mut self, reservation: Reservation, contact: ContactId, answer: Answer) {
        let n = number(contact);
        match answer {
            Answer::AlertOk { .. } => {
                let number = reservation.number;
                let connect = AgentMessage::Connect {
                    number,
                    contact,
                    edge_epoch: 0,
                };
                self.tell(reservation, connect);
            }
            Answer::ConnectOk => {
                let (came, service) = self.traffic.contacts[n];
                self.waits[n] = self.now - OPENS - came;
                let service = (service as f64 * self.stretch) as i64;
                self.served.insert(n, reservation);
                self.plan.push(Reverse((self.now + service, Next::Ends(n))));
                let left = QueueMessage::Left {
                    contact,
                    attach_no: 1,
                    reason: LeftReason::Answered,
                    agent: Some(reservation.agent),
                };
                self.mail.push_back(Mail::Queue(left));
            }
            other => panic!("the edge asked in order and was told {other:?}"),
        }
    }
}

/// Erlang C: the probability of waiting, and the mean wait in milliseconds.
fn erlang_c(load: f64) -> (f64, f64) {
    let erlangs = load * f64::from(AGENTS);
    let mut blocked = 1.0; // Erlang B, one agent after the other
    for n in 1..=AGENTS {
        blocked = erlangs * blocked / (f64::from(n) + erlangs * blocked);
    }
    let waits = blocked / (1.0 - load * (1.0 - blocked));
    (waits, waits * SERVICE / (f64::from(AGENTS) * (1.0 - load)))
}

/// A mean, and how far from it the true one may be.
#[derive(Debug)]
struct Band {
    mean: f64,
    half_width: f64,
}

impl Band {
    /// By batch means: batches are long against the memory of the queue, so their means are as good as independent.
    fn of(samples: &[f64]) -> Self {
        let batches = samples.chunks_exact(samples.len() / BATCHES).skip(1);
        let means: Vec<f64> = batches
            .map(|batch| batch.iter().sum::<f64>() / batch.len() as f64)
            .collect();
        let count = means.len() as f64;
        let mean = means.iter().sum::<f64>() / count;
        let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self {
            mean,
            half_width: STUDENT * (variance / count).sqrt(),
        }
    }

    fn has(&self, value: f64) -> bool {
        (self.mean - value).abs() <= self.half_width
    }

    /// Half of its width against its middle.
    fn width(&self) -> f64 {
        self.half_width / self.mean
    }
}

/// The probability of waiting and the mean wait.
fn measured(waits: &[i64]) -> (Band, Band) {
    let waited: Vec<_> = waits.iter().map(|w| f64::from(u8::from(*w > 0))).collect();
    let waits: Vec<_> = waits.iter().map(|w| *w as f64).collect();
    (Band::of(&waited), Band::of(&waits))
}

/// Runs a floor with nothing wrong and compares it with both truths. The bands must be narrower than `widths`: of the
/// probability of waiting, and of the mean wait, which is the slower to settle the higher the load.
fn agrees(load: f64, contacts: usize, widths: (f64, f64)) {
    let traffic = Traffic::new(20_261_127, load, contacts);
    let waits = Floor::new(&traffic, Wrong::Nothing).run();
    assert_eq!(waits, traffic.ideal_waits(), "each wait is the ideal one");
    let (probability, mean) = erlang_c(load);
    let (waited, wait) = measured(&waits);
    assert!(waited.has(probability), "{waited:?} {probability}");
    assert!(wait.has(mean), "{wait:?} {mean}");
    let (waited, wait) = (waited.width(), wait.width());
    assert!(waited < widths.0 && wait < widths.1, "{waited} {wait}");
}

#[test]
fn at_seven_tenths_of_the_load_waits_are_those_of_erlang_c() {
    agrees(0.7, 100_000, (0.1, 0.2));
}

#[test]
fn at_85_percent_of_the_load_waits_are_those_of_erlang_c() {
    agrees(0.85, 150_000, (0.06, 0.3));
}

#[test]
fn at_95_percent_of_the_load_waits_are_those_of_erlang_c() {
    agrees(0.95, 250_000, (0.03, 0.55));
}

/// The same test must see what it is for.
#[test]
fn a_longer_service_or_a_lost_agent_is_outside_the_band_at_every_load() {
    for load in [0.7, 0.85, 0.95] {
        let traffic = Traffic::new(20_261_127, load, 40_000);
        let (probability, mean) = erlang_c(load);
        for wrong in [Wrong::LongService, Wrong::LostAgent] {
            let waits = Floor::new(&traffic, wrong).run();
            assert_ne!(waits, traffic.ideal_waits());
            let (waited, wait) = measured(&waits);
            assert!(!waited.has(probability), "{load}: {waited:?} {probability}");
            assert!(!wait.has(mean), "{load}: {wait:?} {mean}");
        }
    }
}
