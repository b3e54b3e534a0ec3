//! Any history of commands, with words lost, late and repeated: what must hold after every step.
//!
//! People and edges are simple here: a person grants the bid at hand, an edge holds what it was offered. What the queue
//! stores is kept beside it, as its caller does, and a twin hears the same words.

use super::*;
use crate::strategy::Strategy;
use proptest::prelude::{Just, ProptestConfig, Strategy as Values, any, prop_oneof, proptest};
use std::collections::VecDeque;

const PEOPLE: u128 = 5;
const CONTACTS: u128 = 8;

#[derive(Clone, Debug)]
enum Do {
    Attach {
        n: u128,
        priority: u32,
        needs: usize,
        kind: ContactKind,
        back_ms: i64,
    },
    Repeat(u128),
    ComeBack(u128, bool),
    Detach(u128),
    Left(u128, LeftReason),
    EdgeDead(u128),
    Ended(u128, OfferEnd, Option<u64>),
    EndedAgain(u128),
    Ready(u128, usize),
    Away(u128, Standing),
    LogOut(u128),
    Refresh(u128),
    OldNews(u128),
    LostTo(u128, i64),
    Grant(u128),
    GrantAgain(u128),
    SetPriority(u128, u32),
    Wish(u128, u8),
    PickUp(u128, u128),
    Refuse(u128, u128),
    Ask(u128),
    Configure(usize),
    TakeOver,
    Wait(u64),
}

fn what() -> impl Values<Value = Do> {
    let n = || 0..CONTACTS;
    let a = || 0..PEOPLE;
    let kind = prop_oneof![
        4 => Just(ContactKind::Call),
        1 => Just(ContactKind::Callback),
    ];
    let reason = prop_oneof![
        Just(LeftReason::Answered),
        Just(LeftReason::Abandoned),
        Just(LeftReason::Timeout),
        Just(LeftReason::CallbackRequested)
    ];
    let end = prop_oneof![
        Just(OfferEnd::NoAnswer),
        Just(OfferEnd::Rejected),
        Just(OfferEnd::CommitFailed),
        Just(OfferEnd::Revoked)
    ];
    let standing = prop_oneof![
        Just(Standing::Paused),
        Just(Standing::InContact),
        Just(Standing::WrapUp)
    ];
    let attach = (n(), 0..3u32, 0..NEEDS, kind, 0..9_000i64);
    let attach = attach.prop_map(|(n, priority, needs, kind, back_ms)| Do::Attach {
        n,
        priority,
        needs,
        kind,
        back_ms,
    });
    prop_oneof![
        12 => attach,
        1 => n().prop_map(Do::Repeat),
        2 => (n(), any::<bool>()).prop_map(|(n, holding)| Do::ComeBack(n, holding)),
        1 => n().prop_map(Do::Detach),
        3 => (n(), reason).prop_map(|(n, reason)| Do::Left(n, reason)),
        1 => n().prop_map(Do::EdgeDead),
        5 => (n(), end, proptest::option::of(0..20u64)).prop_map(|(n, end, ex)| Do::Ended(n, end, ex)),
        1 => n().prop_map(Do::EndedAgain),
        12 => (a(), 0..SKILLS).prop_map(|(a, skills)| Do::Ready(a, skills)),
        2 => (a(), standing).prop_map(|(a, standing)| Do::Away(a, standing)),
        2 => a().prop_map(Do::LogOut),
        1 => a().prop_map(Do::Refresh),
        1 => a().prop_map(Do::OldNews),
        2 => (a(), 0..9_000i64).prop_map(|(a, since)| Do::LostTo(a, since)),
        20 => a().prop_map(Do::Grant),
        1 => a().prop_map(Do::GrantAgain),
        2 => (n(), 0..4u32).prop_map(|(n, priority)| Do::SetPriority(n, priority)),
        1 => (n(), 0..3u8).prop_map(|(n, wish)| Do::Wish(n, wish)),
        5 => (a(), n()).prop_map(|(a, n)| Do::PickUp(a, n)),
        1 => (a(), n()).prop_map(|(a, n)| Do::Refuse(a, n)),
        1 => n().prop_map(Do::Ask),
        2 => (0..RULES).prop_map(Do::Configure),
        1 => Just(Do::TakeOver),
        8 => prop_oneof![0..300u64, 0..30_000u64].prop_map(Do::Wait),
    ]
}

const NEEDS: usize = 6;

fn needs(at: usize) -> Arc<Needs> {
    let (fr, it) = (speaks(FRENCH, 5), speaks(ITALIAN, 1));
    match at {
        0 | 1 => Arc::default(),
        2 => steps([(&[fr], None)]),
        3 => steps([(&[fr, it], Some(3)), (&[fr], Some(0)), (&[it], None)]),
        4 => steps([(&[it], Some(5))]),
        _ => steps([
            (&[speaks(FRENCH, 9)], Some(0)),
            (&[], Some(1)),
            (&[it], None),
        ]),
    }
}

const SKILLS: usize = 4;

fn skills(at: usize) -> Skills {
    let all: &[(SkillId, u8)] = match at {
        0 => &[],
        1 => &[(FRENCH, 5)],
        2 => &[(ITALIAN, 3)],
        _ => &[(FRENCH, 9), (ITALIAN, 9)],
    };
    all.iter().copied().collect()
}

const RULES: usize = 24;

/// One of many sets of rules.
fn rules(at: usize) -> QueueSettings {
    let strategy = [
        Strategy::LongestIdle,
        Strategy::RingAll,
        Strategy::RoundRobin,
        Strategy::LongestIdle,
        Strategy::Random,
        Strategy::SkillsBest,
        Strategy::RingAll,
        Strategy::Balanced,
    ][at % 8];
    let skill_match = [
        SkillMatch::AllRequired,
        SkillMatch::AllRequired,
        SkillMatch::BestMatch,
        SkillMatch::None,
    ][at % 4];
    QueueSettings {
        strategy: if at == 23 {
            Strategy::ManualPick
        } else {
            strategy
        },
        skill_match,
        move_on_when_no_agent_matches: at.is_multiple_of(3),
        retry_delay: secs(at as u64 % 3),
        max_callers: if at.is_multiple_of(5) { 4 } else { 0 },
        join_empty: [
            EmptyRule::Allow,
            EmptyRule::NoneLoggedIn,
            EmptyRule::NoneAvailable,
        ][at % 3],
        leave_empty: [
            EmptyRule::NoneAvailable,
            EmptyRule::Allow,
            EmptyRule::NoneLoggedIn,
        ][at % 3],
        leave_grace: secs(at as u64 % 2 * 3),
        counts_as_available: if at.is_multiple_of(2) {
            Standings::WORKING
        } else {
            Standings::of(&[Standing::Ready])
        },
        ageing: Ageing {
            points_per_minute: [0, 30][at / 3 % 2],
            max_overtakes: [None, Some(2)][at / 2 % 2],
            max_wait: [None, Some(secs(8))][at % 2],
        },
        ..settings()
    }
}

#[derive(Clone, Debug, Default)]
struct Edge {
    attach_no: u32,
    holding: Vec<Reservation>,
    last: Option<Attach>,
    ended: Option<QueueMessage>,
    /// Queued and not left, by the events.
    waits: bool,
}

#[derive(Clone, Debug)]
struct Person {
    news: Presence,
    old: Presence,
    room: usize,
    slots: Vec<u64>,
    number: u64,
    /// A bid at hand: its version and epoch, and the contact to pick up.
    bids: Vec<(u64, u64, Option<PickUp>)>,
    last_grant: Option<Grant>,
}

struct World {
    queue: Queue,
    twin: Queue,
    stored: QueueRecord,
    cfg: Deadlines,
    now: Timestamp,
    edges: BTreeMap<u128, Edge>,
    people: BTreeMap<u128, Person>,
    mail: VecDeque<QueueMessage>,
    /// Who waits to hear of a pick-up.
    picks_up: BTreeSet<(UserId, ContactId)>,
}

impl World {
    fn new(rules: QueueSettings) -> Self {
        let (cfg, now) = (Deadlines::default(), at(10_000));
        let queue = Queue::recover(rules, 1, QueueRecord::default(), &cfg, now);
        let people = (0..PEOPLE).map(|n| {
            let news = Presence {
                member: false,
                free: false,
                ..person(n + 1_000)
            };
            let person = Person {
                old: news.clone(),
                news,
                room: if n == 0 { 3 } else { 1 },
                slots: vec![],
                number: 1,
                bids: vec![],
                last_grant: None,
            };
            (n + 1_000, person)
        });
        Self {
            twin: queue.clone(),
            queue,
            stored: QueueRecord::default(),
            cfg,
            now,
            edges: (0..CONTACTS).map(|n| (n, Edge::default())).collect(),
            people: people.collect(),
            mail: VecDeque::new(),
            picks_up: BTreeSet::new(),
        }
    }

    /// From here on the twin is the queue as it was written down and read again.
    fn write_down(&mut self) {
        let written = serde_json::to_string(&self.queue).unwrap();
        self.twin = serde_json::from_str(&written).unwrap();
        assert_eq!(self.twin, self.queue);
    }

    /// One step with all that must hold around it; what people and edges do about it follows.
    fn say(&mut self, message: QueueMessage) {
        if let QueueMessage::PickUp { agent, pick_up } = &message {
            self.picks_up.insert((*agent, pick_up.contact));
        }
        let before = self.queue.clone();
        let out = self.queue.handle(&self.cfg, self.now, message.clone());
        assert_eq!(
            out,
            self.twin.handle(&self.cfg, self.now, message.clone()),
            "twins"
        );
        self.queue.check();
        assert!(!out.deposed);
        assert!(out.fence || out.changes.is_empty(), "unfenced changes");
        self.store(&out);
        self.line_adds_up(&before, &message, &out);
        self.nobody_is_moved(&before, &message, &out);
        self.words_are_honest(&message, &out);
        if let QueueMessage::Grant(grant) = &message {
            right_contact(&before, grant, &out);
        }
        self.one_fate(&out);
        self.deliver(out);
    }

    /// Whoever came or went is told, and nobody else; and nobody is passed over, as whoever watches a running centre sees it.
    fn line_adds_up(&self, before: &Queue, message: &QueueMessage, out: &QueueOut) {
        let newcomer = match message {
            QueueMessage::Attach(attach) => Some(attach.contact),
            _ => None,
        };
        let newcomer = newcomer.filter(|contact| before.entry(*contact).is_none());
        let (was, is) = (before.waiting(), self.queue.waiting());
        let sums = crate::invariants::line_adds_up(was, newcomer, &out.events, is);
        assert_eq!(sums, Ok(()), "{message:?}: {out:?}");
        let mut events = out.events.iter();
        let boosted = |entry: &Entry| {
            let is = |e: &Event| matches!(e, Event::ContactBoosted { contact, .. } if *contact == entry.contact);
            out.events.iter().any(is)
        };
        let in_order = events.all(|event| match event {
            Event::ContactOffered {
                contact,
                reservation,
                decision,
                ..
            } if !decision.picked_up => {
                let waits = |entry: &Entry| entry.attached && !boosted(entry);
                let (queue, agent) = (&self.queue, reservation.agent);
                crate::invariants::order(queue, *contact, agent, waits).is_ok()
            }
            _ => true,
        });
        assert!(in_order, "{message:?}: {out:?}");
    }

    /// Does what the people's and edges' answers bring, to the end.
    fn settle(&mut self) {
        let mut steps = 0;
        while let Some(message) = self.mail.pop_front() {
            self.say(message);
            steps += 1;
            assert!(steps < 1_000, "words without end");
        }
    }

    /// The stored record is at any time what a new owner needs.
    fn store(&mut self, out: &QueueOut) {
        for change in &out.changes {
            match change {
                QueueChange::Put(entry, place) => {
                    assert_eq!(*place, entry.place(&self.queue.settings.ageing));
                    self.stored.entries.insert(entry.contact, entry.clone());
                }
                QueueChange::Remove(contact) => drop(self.stored.entries.remove(contact)),
                QueueChange::Bury(contact, grave) => {
                    self.stored.left.insert(*contact, *grave);
                }
                QueueChange::Forget(contact) => drop(self.stored.left.remove(contact)),
            }
        }
        assert!(self.stored.left.iter().eq(self.queue.left.iter()));
        let what_counts = |entry: &Entry| {
            let mut entry = entry.clone();
            entry.excluded.retain(|_, until| *until > self.now);
            entry.wish = entry.wish.map(|(wish, _)| (wish, at(0)));
            (entry.contact, entry)
        };
        let stored: BTreeMap<_, _> = self
            .stored
            .entries
            .values()
            .map(|e| what_counts(e))
            .collect();
        let live: BTreeMap<_, _> = self.queue.in_order().map(what_counts).collect();
        assert_eq!(stored, live, "stored and live");
    }

    /// Nobody's wait begins anew, and nobody changes places but by a person, a rule or the clock.
    fn nobody_is_moved(&self, before: &Queue, message: &QueueMessage, out: &QueueOut) {
        if matches!(message, QueueMessage::Configure(_)) {
            return;
        }
        let moved: BTreeSet<_> = out
            .events
            .iter()
            .filter_map(|e| match e {
                Event::ContactReprioritised { contact, .. }
                | Event::ContactBoosted { contact, .. }
                | Event::ContactQueued { contact, .. } => Some(*contact),
                _ => None,
            })
            .collect();
        let order = |queue: &Queue, other: &Queue| -> Vec<_> {
            let entries = queue.in_order();
            let both = entries.filter(|e| other.entry(e.contact).is_some());
            let stay = both.filter(|e| !moved.contains(&e.contact));
            stay.map(|e| (e.contact, e.enqueued_at)).collect()
        };
        assert_eq!(order(before, &self.queue), order(&self.queue, before));
    }

    /// A free agent is answered; a pass is honest; a bid quotes what the agent said last.
    fn words_are_honest(&self, message: &QueueMessage, out: &QueueOut) {
        let mut bidden = BTreeSet::new();
        for effect in &out.send {
            match effect {
                QueueEffect::Agent(agent, AgentMessage::Bid(bid)) if bid.pick_up.is_none() => {
                    let member = self.queue.roster.member(*agent).unwrap();
                    assert!(member.free && member.ver == bid.ver);
                    assert!(bidden.insert(*agent), "two bids at once");
                }
                QueueEffect::Agent(agent, AgentMessage::Pass { .. }) => {
                    if self.queue.hold.is_none()
                        && self.queue.settings.strategy != Strategy::ManualPick
                        && let Some(first) = self.queue.first_asking(*agent)
                    {
                        let covered = self.queue.bids().any(|(_, c, stands)| c == first && stands);
                        assert!(covered, "a pass to {agent} although {first} waits");
                    }
                }
                _ => {}
            }
        }
        if let QueueMessage::Presence(news) = message
            && news.free
            && self
                .queue
                .roster
                .member(news.agent)
                .is_some_and(|m| m.ver == news.ver)
        {
            let answered = out.send.iter().any(|e| matches!(
                e,
                QueueEffect::Agent(a, AgentMessage::Bid(_) | AgentMessage::Pass { .. }) if *a == news.agent
            ));
            assert!(answered, "{} waits for an answer", news.agent);
        }
    }

    /// By the events a contact waits or is gone, and each stay ends once.
    fn one_fate(&mut self, out: &QueueOut) {
        for event in &out.events {
            match event {
                Event::ContactQueued { contact, .. } => {
                    let edge = self.edges.get_mut(&contact.as_u128()).unwrap();
                    assert!(!std::mem::replace(&mut edge.waits, true), "queued twice");
                }
                Event::ContactLeft {
                    contact,
                    reason,
                    agent,
                    ..
                } => {
                    assert!(agent.is_none() || *reason == LeftReason::Answered);
                    let edge = self.edges.get_mut(&contact.as_u128()).unwrap();
                    // A promised callback keeps its place, and leaves once more.
                    let promised = *reason == LeftReason::CallbackRequested;
                    let entry = self.queue.entry(*contact).filter(|_| promised);
                    assert!(entry.is_none_or(Entry::is_unheld_promise));
                    let was_here = std::mem::replace(&mut edge.waits, entry.is_some());
                    let at_the_door = matches!(
                        reason,
                        LeftReason::JoinedEmpty | LeftReason::QueueFull | LeftReason::QueueClosed
                    );
                    assert!(was_here || at_the_door, "{contact} left twice: {reason:?}");
                }
                _ => {}
            }
        }
        for (n, edge) in &self.edges {
            assert_eq!(edge.waits, self.queue.entry(contact(*n)).is_some());
        }
    }

    fn deliver(&mut self, out: QueueOut) {
        for effect in out.send {
            match effect {
                QueueEffect::Agent(to, message) => self.tell_person(to.as_u128(), message),
                QueueEffect::Edge(to, message) => self.tell_edge(to.as_u128(), message),
                QueueEffect::PickedUp { agent, contact, .. } => {
                    let asked = self.picks_up.remove(&(agent, contact));
                    assert!(asked, "{agent} did not ask for {contact}, or was told");
                }
            }
        }
    }

    fn tell_person(&mut self, n: u128, message: AgentMessage) {
        let Some(person) = self.people.get_mut(&n) else {
            return;
        };
        match message {
            AgentMessage::Bid(bid) => person.bids.push((bid.ver, bid.epoch, bid.pick_up)),
            AgentMessage::Release { number } if person.slots.contains(&number) => {
                person.slots.retain(|slot| *slot != number);
                self.changed(n);
            }
            _ => {}
        }
    }

    fn tell_edge(&mut self, n: u128, message: EdgeMessage) {
        let edge = self.edges.get_mut(&n).unwrap();
        match message {
            EdgeMessage::Offer {
                attach_no,
                reservation,
                ..
            } if attach_no == edge.attach_no && !edge.holding.contains(&reservation) => {
                edge.holding.push(reservation);
            }
            EdgeMessage::NotTaken { attach_no, .. } if attach_no == edge.attach_no => {
                for reservation in std::mem::take(&mut edge.holding) {
                    self.frees(reservation);
                }
            }
            _ => {}
        }
    }

    /// The person is done with a reservation.
    fn frees(&mut self, reservation: Reservation) {
        let n = reservation.agent.as_u128();
        let person = self.people.get_mut(&n).unwrap();
        if person.slots.contains(&reservation.number) {
            person.slots.retain(|slot| *slot != reservation.number);
            self.changed(n);
        }
    }

    /// The person's record has a new version, and the queue hears of it.
    fn changed(&mut self, n: u128) {
        let person = self.people.get_mut(&n).unwrap();
        person.old = person.news.clone();
        let news = &mut person.news;
        news.ver += 1;
        news.load = u8::try_from(person.slots.len()).unwrap();
        news.free =
            news.member && news.standing == Standing::Ready && person.slots.len() < person.room;
        self.mail.push_back(QueueMessage::Presence(news.clone()));
    }

    fn grant(&mut self, n: u128) {
        let person = self.people.get_mut(&n).unwrap();
        let Some((ver, epoch, pick_up)) = person.bids.pop() else {
            return;
        };
        let news = &mut person.news;
        let room = person.slots.len() < person.room;
        let obeys = if pick_up.is_some() {
            room
        } else {
            news.free && ver == news.ver
        };
        if epoch != self.queue.epoch {
            return;
        }
        if !obeys {
            let contact = pick_up.map(|p| p.contact);
            let agent = news.agent;
            self.mail.push_back(match contact {
                Some(contact) => QueueMessage::PickUpRefused {
                    agent,
                    contact,
                    number: None,
                    why: NoPickUp::Busy,
                },
                None => QueueMessage::Presence(news.clone()),
            });
            return;
        }
        let number = person.number;
        person.number += 1;
        person.slots.push(number);
        let grant_ver = news.ver;
        news.ver += 1;
        news.load += 1;
        news.free =
            news.member && news.standing == Standing::Ready && person.slots.len() < person.room;
        person.bids.clear();
        let grant = Grant {
            reservation: Reservation {
                agent: news.agent,
                number,
            },
            ver: grant_ver,
            epoch,
            free: news.free,
            pick_up: pick_up.map(|p| p.contact),
        };
        person.last_grant = Some(grant);
        self.mail.push_back(QueueMessage::Grant(grant));
    }

    fn act(&mut self, what: &Do) {
        match what.clone() {
            Do::Attach {
                n,
                priority,
                needs: which,
                kind,
                back_ms,
            } => {
                let edge = self.edges.get_mut(&n).unwrap();
                if edge.waits {
                    return;
                }
                edge.attach_no += 1;
                edge.holding.clear();
                let attach = Attach {
                    priority,
                    needs: needs(which),
                    kind,
                    ..attach(n, edge.attach_no, self.now.as_millis() - back_ms)
                };
                edge.last = Some(attach.clone());
                self.mail.push_back(QueueMessage::Attach(attach));
            }
            Do::Repeat(n) => {
                let edge = &self.edges[&n];
                let attached = self.queue.entry(contact(n)).is_none_or(|e| e.attached);
                if attached && let Some(attach) = edge.last.clone() {
                    self.mail.push_back(QueueMessage::Attach(attach));
                }
            }
            Do::ComeBack(n, holds) => {
                let edge = self.edges.get_mut(&n).unwrap();
                if !edge.waits {
                    return;
                }
                edge.attach_no += 1;
                let mut dropped = vec![];
                if !holds {
                    dropped = std::mem::take(&mut edge.holding);
                }
                let mut attach = edge.last.clone().unwrap();
                attach.attach_no = edge.attach_no;
                attach.holding.clone_from(&edge.holding);
                edge.last = Some(attach.clone());
                self.mail.push_back(QueueMessage::Attach(attach));
                dropped.into_iter().for_each(|r| self.frees(r));
            }
            Do::Detach(n) => self.mail.push_back(QueueMessage::Detached {
                contact: contact(n),
                attach_no: self.edges[&n].attach_no,
            }),
            Do::Left(n, reason) => {
                let edge = self.edges.get_mut(&n).unwrap();
                if edge.attach_no == 0 {
                    return;
                }
                let attach_no = edge.attach_no;
                let held = std::mem::take(&mut edge.holding);
                self.mail.push_back(QueueMessage::Left {
                    contact: contact(n),
                    attach_no,
                    reason,
                    agent: held.first().map(|r| r.agent),
                });
                held.into_iter().for_each(|r| self.frees(r));
            }
            Do::EdgeDead(n) if n == 0 => {
                let held = std::mem::take(&mut self.edges.get_mut(&n).unwrap().holding);
                self.mail.push_back(QueueMessage::EdgeDead {
                    contact: contact(n),
                });
                held.into_iter().for_each(|r| self.frees(r));
            }
            Do::EdgeDead(_) => {}
            Do::Ended(n, why, exclude) => {
                let edge = self.edges.get_mut(&n).unwrap();
                let Some(reservation) = edge.holding.pop() else {
                    return;
                };
                let ended = QueueMessage::OfferEnded {
                    contact: contact(n),
                    reservation,
                    exclude_for: exclude.map(secs),
                    why,
                };
                edge.ended = Some(ended.clone());
                self.mail.push_back(ended);
                self.frees(reservation);
            }
            Do::EndedAgain(n) => self.mail.extend(self.edges[&n].ended.clone()),
            Do::Ready(n, which) => {
                let news = &mut self.people.get_mut(&(n + 1_000)).unwrap().news;
                news.member = true;
                news.standing = Standing::Ready;
                news.skills = skills(which);
                news.idle_since = self.now;
                self.changed(n + 1_000);
            }
            Do::Away(n, standing) => {
                let news = &mut self.people.get_mut(&(n + 1_000)).unwrap().news;
                news.member = true;
                news.standing = standing;
                self.changed(n + 1_000);
            }
            Do::LogOut(n) => {
                let news = &mut self.people.get_mut(&(n + 1_000)).unwrap().news;
                news.member = false;
                self.changed(n + 1_000);
            }
            Do::Refresh(n) => {
                let news = self.people[&(n + 1_000)].news.clone();
                self.mail.push_back(QueueMessage::Presence(news));
            }
            Do::OldNews(n) => {
                let old = self.people[&(n + 1_000)].old.clone();
                if self.queue.roster.known_ver(old.agent).is_some() {
                    self.mail.push_back(QueueMessage::Presence(old));
                }
            }
            Do::LostTo(n, since) => {
                self.changed(n + 1_000);
                if let Some(QueueMessage::Presence(news)) = self.mail.back_mut() {
                    news.lost_to = Some(at(self.now.as_millis() - since));
                }
            }
            Do::Grant(n) => self.grant(n + 1_000),
            Do::GrantAgain(n) => {
                let again = self.people[&(n + 1_000)].last_grant;
                let again = again.filter(|grant| grant.epoch <= self.queue.epoch);
                self.mail.extend(again.map(QueueMessage::Grant));
            }
            Do::SetPriority(n, priority) => self.mail.push_back(QueueMessage::SetPriority {
                contact: contact(n),
                priority,
            }),
            Do::Wish(n, which) => self.mail.push_back(QueueMessage::Wish {
                contact: contact(n),
                wish: match which {
                    0 => Wish::TakeOut,
                    1 => Wish::MoveTo(QUEUE),
                    _ => Wish::MoveTo(QueueId::from_u128(2)),
                },
            }),
            Do::PickUp(n, c) => self.mail.push_back(QueueMessage::PickUp {
                agent: agent(n + 1_000),
                pick_up: PickUp {
                    contact: contact(c),
                    device: None,
                },
            }),
            Do::Refuse(n, c) => {
                let (agent, contact) = (agent(n + 1_000), contact(c));
                let number = self.people[&(n + 1_000)].slots.last().copied();
                let why = NoPickUp::Taken;
                self.mail.push_back(if (n + c) % 2 == 0 {
                    QueueMessage::PickUpRings { agent, contact }
                } else {
                    QueueMessage::PickUpRefused {
                        agent,
                        contact,
                        number,
                        why,
                    }
                });
            }
            Do::Ask(n) => self.mail.push_back(QueueMessage::AskPosition {
                contact: contact(n),
            }),
            Do::Configure(which) => {
                self.mail
                    .push_back(QueueMessage::Configure(Box::new(rules(which))));
            }
            Do::TakeOver => {
                let (settings, epoch) = (self.queue.settings.clone(), self.queue.epoch + 1);
                let order =
                    |queue: &Queue| -> Vec<_> { queue.in_order().map(|e| e.contact).collect() };
                let old = order(&self.queue);
                self.queue =
                    Queue::recover(settings, epoch, self.stored.clone(), &self.cfg, self.now);
                assert_eq!(order(&self.queue), old, "the same line");
                self.queue.check();
                self.picks_up.clear();
                self.twin = self.queue.clone();
                // What the new owner has read is not written again, so it is what it reads from here on.
                self.stored = QueueRecord {
                    entries: self
                        .queue
                        .in_order()
                        .map(|e| (e.contact, Arc::new(e.clone())))
                        .collect(),
                    left: self.queue.left.iter().map(|(c, g)| (*c, *g)).collect(),
                };
            }
            Do::Wait(ms) => self.wait(ms),
        }
        self.settle();
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        let mut fired = BTreeMap::<_, u32>::new();
        while let Some((due, timer)) = self.queue.next_due().filter(|(due, _)| *due <= until) {
            self.now = due.max(self.now);
            // A contact's needs may give way ten times at once; nothing else happens twice.
            let times = fired.entry((self.now, timer)).or_default();
            *times += 1;
            let most = if matches!(timer, QueueTimer::Relax(_)) {
                10
            } else {
                1
            };
            assert!(*times <= most, "{timer:?} is due again and again");
            self.say(QueueMessage::Timer(timer));
            self.settle();
        }
        self.now = until;
    }

    /// Everybody is back and ready, and whoever can be served is.
    fn come_to_rest(&mut self) {
        for n in 0..CONTACTS {
            self.act(&Do::ComeBack(n, true));
        }
        for n in 0..CONTACTS {
            self.act(&Do::Wish(n, 1));
        }
        self.act(&Do::Wait(60_000));
        for _ in 0..3 * CONTACTS {
            for n in 0..PEOPLE {
                let person = self.people.get_mut(&(n + 1_000)).unwrap();
                person.bids.clear();
                person.slots.clear();
                self.act(&Do::Ready(n, 3));
            }
            for n in 0..PEOPLE {
                self.act(&Do::Grant(n));
            }
            for n in 0..CONTACTS {
                if !self.edges[&n].holding.is_empty() {
                    self.act(&Do::Left(n, LeftReason::Answered));
                }
            }
            self.act(&Do::Wait(1_000));
        }
        assert_eq!(self.picks_up, BTreeSet::new(), "nobody is left waiting");
        let waits: Vec<_> = self.queue.in_order().collect();
        assert!(
            waits.is_empty() || self.queue.settings.strategy == Strategy::ManualPick,
            "{waits:#?}"
        );
    }
}

/// A grant is spent on the first in order that fits, as a plain walk down the line says.
fn right_contact(before: &Queue, grant: &Grant, out: &QueueOut) {
    let offered = out.events.iter().find_map(|e| match e {
        Event::ContactOffered {
            contact,
            reservation,
            ..
        } if *reservation == grant.reservation => Some(*contact),
        _ => None,
    });
    let agent = grant.reservation.agent;
    if let Some(named) = grant.pick_up {
        assert!(offered.is_none_or(|contact| contact == named));
        return;
    }
    let Some(member) = before.roster.member(agent) else {
        assert_eq!(offered, None);
        return;
    };
    let bid = before
        .roster
        .bid(agent)
        .is_some_and(|bid| bid.ver == grant.ver);
    if grant.epoch != before.epoch || !bid || before.offered.contains_key(&grant.reservation) {
        assert_eq!(offered, None);
        return;
    }
    let others_asked = |contact| {
        before
            .bids()
            .any(|(a, c, stands)| a != agent && c == contact && stands)
    };
    let ring_all = before.settings.strategy == Strategy::RingAll;
    let first = before.in_order().find(|e| {
        let needs = e.needs_now();
        e.attached
            && e.wish.is_none()
            && (ring_all || e.offers.is_empty())
            && !e.excluded.contains_key(&agent)
            && e.offers.iter().all(|r| r.agent != agent)
            && before.settings.skill_match.allows(needs, &member.skills)
            && (ring_all || !e.declined.contains(&agent) || !others_asked(e.contact))
    });
    assert_eq!(offered, first.map(|e| e.contact));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_queue_keeps_its_promises(
        first in 0..RULES,
        history in proptest::collection::vec(what(), 1..120),
    ) {
        let mut world = World::new(rules(first));
        for what in &history {
            world.act(what);
            world.write_down();
        }
        world.come_to_rest();
    }
}
