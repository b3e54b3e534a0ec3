//! The queue and the real records of its agents: what a queue believes of an agent after a grant is what the agent's own
//! record would say. Nothing is lost here, and every offer is answered at once.

use super::*;
use crate::{
    Agent, AgentRecord, Membership,
    message::{AgentEffect, LogIn, Medium},
    skills::{Capacity, Profile},
};
use centro_kernel::DeviceId;
use std::collections::VecDeque;

enum Word {
    Queue(QueueMessage),
    Agent(UserId, AgentMessage),
}

struct Floor {
    queue: Queue,
    people: BTreeMap<UserId, Agent>,
    cfg: Deadlines,
    now: Timestamp,
    words: VecDeque<Word>,
    /// Who answered which contact, in order, and under which number.
    answered: Vec<(u128, u128, u64)>,
    medium: Medium,
}

impl Floor {
    fn new(strategy: Strategy, medium: Medium) -> Self {
        let (cfg, now) = (Deadlines::default(), at(1_000_000));
        let terms = Arc::new(Terms {
            medium,
            ..Terms::default()
        });
        let settings = QueueSettings {
            terms,
            ..with(strategy)
        };
        let mut queue = Queue::recover(settings, 1, QueueRecord::default(), &cfg, now);
        queue.handle(&cfg, now, QueueMessage::Timer(QueueTimer::Settle));
        Self {
            queue,
            people: BTreeMap::new(),
            cfg,
            now,
            words: VecDeque::new(),
            answered: vec![],
            medium,
        }
    }

    fn pass_on(&mut self) {
        while let Some(word) = self.words.pop_front() {
            match word {
                Word::Queue(message) => self.tell_queue(message),
                Word::Agent(to, message) => {
                    self.tell(to, message);
                }
            }
        }
        for (id, person) in &self.people {
            if let Some(known) = self.queue.roster.member(*id) {
                let record = person.record();
                assert_eq!(known.ver, record.ver, "{id}");
                let slots = u8::try_from(record.load(self.medium)).unwrap();
                assert_eq!(known.load, slots, "{id} has in hand");
                // Who picks a contact up tells the queue before the grant does; the answer is no news until the next word.
                if record.slots.iter().all(|slot| slot.pick_up.is_none()) {
                    assert_eq!(known.contacts, record.contacts, "{id} had contacts");
                    assert_eq!(known.received_at, record.received_at, "{id} received");
                }
            }
        }
    }

    fn tell_queue(&mut self, message: QueueMessage) {
        let out = self.queue.handle(&self.cfg, self.now, message);
        self.queue.check();
        for effect in out.send {
            match effect {
                QueueEffect::Agent(to, message) => self.words.push_back(Word::Agent(to, message)),
                QueueEffect::Edge(contact, EdgeMessage::Offer { reservation, .. }) => {
                    self.answer(contact, reservation);
                }
                QueueEffect::Edge(..) | QueueEffect::PickedUp { .. } => {}
            }
        }
    }

    fn tell(&mut self, to: UserId, message: AgentMessage) -> Option<Answer> {
        let person = self.people.get_mut(&to)?;
        let out = person.handle(&self.cfg, self.now, message);
        for effect in out.send {
            if let AgentEffect::Queue(queue, message) = effect
                && queue == QUEUE
            {
                self.words.push_back(Word::Queue(message));
            }
        }
        out.answer
    }

    /// It rings, is answered and bridged, and the contact leaves the line.
    fn answer(&mut self, contact: ContactId, reservation: Reservation) {
        let Reservation { agent, number } = reservation;
        let alert = AgentMessage::Alert {
            number,
            contact,
            edge: Arc::from("edge"),
            edge_epoch: 0,
            caller: Arc::default(),
            ring: secs(15),
        };
        let rings = self.tell(agent, alert);
        assert!(matches!(rings, Some(Answer::AlertOk { .. })), "{rings:?}");
        let connect = AgentMessage::Connect {
            number,
            contact,
            edge_epoch: 0,
        };
        let bridged = self.tell(agent, connect);
        assert_eq!(bridged, Some(Answer::ConnectOk));
        self.answered
            .push((agent.as_u128(), contact.as_u128(), number));
        self.words.push_back(Word::Queue(QueueMessage::Left {
            contact,
            attach_no: 1,
            reason: LeftReason::Answered,
            agent: Some(agent),
        }));
    }

    fn log_in(&mut self, n: u128, ready: bool) {
        let id = agent(n);
        let record = AgentRecord::new(id, self.now);
        self.people
            .insert(id, Agent::recover(record, &self.cfg, self.now).0);
        let log_in = LogIn {
            device: DeviceId::from_u128(n),
            device_online: true,
            queues: vec![Membership {
                medium: self.medium,
                ..Membership::new(QUEUE)
            }],
            all_queues: false,
            ready,
            desktop: true,
            profile: Profile {
                capacity: Capacity {
                    chats: 3,
                    ..Capacity::default()
                },
                ..Profile::default()
            },
        };
        self.tell(id, AgentMessage::LogIn(Box::new(log_in)));
        self.pass_on();
        self.now = self.now + secs(1);
    }

    fn arrive(&mut self, n: u128) {
        let attach = attach(n, 1, self.now.as_millis());
        self.tell_queue(QueueMessage::Attach(attach));
        self.pass_on();
        self.now = self.now + secs(1);
    }

    /// The talk and the work after it are over.
    fn finish(&mut self, n: u128) {
        let at = self.answered.iter().position(|a| a.1 == n).unwrap();
        let (who, _, number) = self.answered[at];
        let contact = contact(n);
        self.tell(
            agent(who),
            AgentMessage::End {
                number,
                contact,
                why: OfferEnd::Answered,
                edge_epoch: 0,
            },
        );
        self.pass_on();
        self.tell(
            agent(who),
            AgentMessage::EndWrapUp {
                contact: Some(contact),
                supervisor: true,
            },
        );
        self.pass_on();
        self.now = self.now + secs(1);
    }

    fn takers(&self) -> Vec<u128> {
        self.answered.iter().map(|a| a.0).collect()
    }
}

fn takers_of_chats(strategy: Strategy) -> Vec<u128> {
    let mut floor = Floor::new(strategy, Medium::Chat);
    for n in 1..=2 {
        floor.log_in(n, true);
    }
    for n in 10..17 {
        floor.arrive(n);
    }
    floor.takers()
}

#[test]
fn conversations_are_shared_out_and_the_seventh_waits() {
    assert_eq!(takers_of_chats(Strategy::Balanced), [1, 2, 1, 2, 1, 2]);
    assert_eq!(takers_of_chats(Strategy::FillFirst), [1, 1, 1, 2, 2, 2]);
    assert_eq!(takers_of_chats(Strategy::RoundRobin), [1, 2, 1, 2, 1, 2]);
    assert_eq!(takers_of_chats(Strategy::LongestIdle), [1, 2, 1, 2, 1, 2]);
}

/// `freed_capacity_pulls`: whoever waits comes before whoever comes.
#[test]
fn freed_capacity_pulls() {
    let mut floor = Floor::new(Strategy::Balanced, Medium::Chat);
    floor.log_in(1, true);
    for n in 10..15 {
        floor.arrive(n);
    }
    assert_eq!(floor.takers().len(), 3);
    floor.finish(11);
    assert_eq!(floor.answered.last().map(|a| a.1), Some(13));
    floor.finish(10);
    floor.finish(12);
    assert_eq!(floor.answered.last().map(|a| a.1), Some(14));
}

#[test]
fn calls_go_round_in_the_order_of_log_in() {
    let mut floor = Floor::new(Strategy::RoundRobin, Medium::Voice);
    for n in [3, 1, 2] {
        floor.log_in(n, true);
    }
    for n in 10..19 {
        floor.arrive(n);
        floor.finish(n);
    }
    assert_eq!(floor.takers(), [3, 1, 2, 3, 1, 2, 3, 1, 2]);
}

#[test]
fn who_was_idle_longest_takes_the_next_call() {
    let mut floor = Floor::new(Strategy::LongestIdle, Medium::Voice);
    for n in 1..=3 {
        floor.log_in(n, true);
    }
    for n in 10..13 {
        floor.arrive(n);
    }
    for n in [11, 10, 12] {
        floor.finish(n);
    }
    for n in 20..23 {
        floor.arrive(n);
    }
    assert_eq!(floor.takers()[3..], [2, 1, 3]);
}

#[test]
fn a_supervisor_who_is_paused_picks_a_call_up_and_the_queue_knows() {
    let mut floor = Floor::new(Strategy::LongestIdle, Medium::Voice);
    floor.log_in(1, true);
    floor.log_in(5, false);
    for n in 10..13 {
        floor.arrive(n);
    }
    let (contact, device) = (contact(12), None);
    let pick_up = PickUp { contact, device };
    let agent = agent(5);
    floor.tell_queue(QueueMessage::PickUp { agent, pick_up });
    floor.pass_on();
    assert_eq!(floor.answered.last().map(|a| (a.0, a.1)), Some((5, 12)));
    // A second one is refused: there is a call in hand.
    let pick_up = PickUp {
        contact: super::contact(11),
        device,
    };
    floor.tell_queue(QueueMessage::PickUp { agent, pick_up });
    floor.pass_on();
    assert_eq!(floor.answered.len(), 2);
    assert_eq!(floor.queue.next_due(), None);
    floor.finish(10);
    assert_eq!(floor.answered.last().map(|a| (a.0, a.1)), Some((1, 11)));
}
