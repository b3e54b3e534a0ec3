//! Small centres, told step by step.

use centro_edge::{Command, Effect, Timing};
use centro_kernel::{DeviceId, Timestamp};
use centro_routing_core::{
    AgentMessage, Chosen, Deadlines, LogIn, Membership, Profile, QueueMessage,
};
use centro_routing_proof::{
    Actor, AgentShape, ContactShape, Letter, Mail, QueueShape, Shape, Who, World, queue_id,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};

const LIGHT: usize = 0;
const HEAVY: usize = 1;

/// One agent who serves a queue without a score and one with; contacts wait in these queues.
struct Centre {
    world: World,
    now: Timestamp,
    mails: VecDeque<Mail>,
    /// Who rang at the agent's device, in order.
    rang: Vec<usize>,
    declines: bool,
    /// How many answers are followed by a hang-up before the bridge.
    hangs_up: usize,
    /// The end of an offer is told after everything else.
    slow_edges: bool,
}

impl Centre {
    fn new(waiting: &[usize]) -> Self {
        let contact = |queue: &usize| ContactShape {
            queue: *queue,
            ..ContactShape::default()
        };
        let heavy = QueueShape {
            weight: Some(5),
            ..QueueShape::default()
        };
        let shape = Shape {
            queues: vec![QueueShape::default(), heavy],
            agents: vec![AgentShape {
                queues: vec![LIGHT, HEAVY],
                ..AgentShape::default()
            }],
            contacts: waiting.iter().map(contact).collect(),
            deadlines: Deadlines::default(),
            timing: Timing::default(),
            ring: Duration::from_secs(15),
            wrap_up: Duration::from_secs(10),
            missed_offers: 1,
            retry: Duration::ZERO,
            rest: Duration::ZERO,
        };
        let mut centre = Self {
            world: World::new(Arc::new(shape), None),
            now: Timestamp::default(),
            mails: VecDeque::new(),
            rang: Vec::new(),
            declines: false,
            hangs_up: 0,
            slow_edges: false,
        };
        let log_in = AgentMessage::LogIn(Box::new(LogIn {
            device: DeviceId::from_u128(1),
            device_online: true,
            queues: vec![
                Membership::new(queue_id(LIGHT)),
                Membership::new(queue_id(HEAVY)),
            ],
            all_queues: false,
            ready: false,
            desktop: false,
            profile: Profile::default(),
        }));
        centre.tell(Actor::Agent(0), Letter::Agent(log_in));
        for (contact, queue) in waiting.iter().enumerate() {
            centre.now = centre.now + Duration::from_millis(10);
            let arrive = Command::Arrive(queue_id(*queue));
            centre.tell(Actor::Contact(contact), Letter::Edge(arrive));
        }
        centre
    }

    fn tell(&mut self, to: Actor, letter: Letter) {
        self.mails.push_back(Mail { to, letter });
        while let Some(mail) = self.next_mail() {
            let to = mail.to;
            let step = self.world.deliver(self.now, Who::Live, mail);
            let mut hung_up = None;
            self.mails.extend(step.sent);
            for effect in step.effects {
                let Actor::Contact(contact) = to else {
                    continue;
                };
                let command = match effect {
                    Effect::Ring(of) => {
                        self.rang.push(contact);
                        if self.declines {
                            Command::Rejected(of)
                        } else {
                            hung_up = (self.hangs_up > 0).then_some(Command::AgentHungUp(of));
                            self.hangs_up = self.hangs_up.saturating_sub(1);
                            Command::Answered(of)
                        }
                    }
                    Effect::Bridge(_) => Command::HungUp,
                    _ => continue,
                };
                for command in [Some(command), hung_up].into_iter().flatten() {
                    let letter = Letter::Edge(command);
                    self.mails.push_back(Mail { to, letter });
                }
            }
            assert_eq!(self.world.broken(), None);
        }
    }

    fn next_mail(&mut self) -> Option<Mail> {
        let ended =
            |mail: &Mail| matches!(mail.letter, Letter::Queue(QueueMessage::OfferEnded { .. }));
        let other = self.mails.iter().position(|mail| !ended(mail));
        self.mails
            .remove(other.filter(|_| self.slow_edges).unwrap_or(0))
    }

    fn ready(&mut self) {
        let ready = AgentMessage::SetStatus(Chosen::Ready);
        self.tell(Actor::Agent(0), Letter::Agent(ready));
    }

    /// All deadlines up to a moment.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let contacts = (0..self.world.shape().contacts.len()).map(Actor::Contact);
            let actors = self.world.shards().chain(contacts);
            let due =
                actors.filter_map(|actor| Some((self.world.next_due(Who::Live, actor)?, actor)));
            let Some((due, actor)) = due.min().filter(|(due, _)| *due <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(due);
            if let Some(mail) = self.world.due(self.now, Who::Live, actor) {
                self.tell(mail.to, mail.letter);
            }
        }
    }
}

#[test]
fn weight_no_starvation() {
    // Heavier first, then by wait; the lighter queue is served too.
    let mut centre = Centre::new(&[LIGHT, HEAVY, LIGHT, HEAVY]);
    centre.ready();
    centre.pass(Duration::from_secs(60));
    assert_eq!(centre.rang, [1, 3, 0, 2]);
    assert_eq!(centre.world.at_rest(), Ok(()));

    // The heavy queue's only caller may not be offered to this agent for a while: it blocks nobody.
    let mut centre = Centre::new(&[LIGHT, HEAVY]);
    centre.declines = true;
    centre.ready();
    assert_eq!(
        centre.rang,
        [1, 0],
        "the lighter queue's caller rings at once"
    );
}

#[test]
fn answer_then_hangup() {
    // The agent hangs up between answer and bridge, and the caller keeps the place. The agent is free before the queue
    // knows that the offer is over; but a bid names no contact, and when it is granted the first in order gets the agent.
    let mut centre = Centre::new(&[LIGHT, LIGHT, LIGHT]);
    centre.hangs_up = 1;
    centre.ready();
    centre.pass(Duration::from_secs(60));
    assert_eq!(centre.rang, [0, 0, 1, 2]);
    assert_eq!(centre.world.at_rest(), Ok(()));

    // An edge that is slow to say so costs its caller this agent, and no place: nobody else gets ahead.
    let mut centre = Centre::new(&[LIGHT, LIGHT, LIGHT]);
    (centre.hangs_up, centre.slow_edges) = (1, true);
    centre.ready();
    centre.pass(Duration::from_secs(60));
    assert_eq!(centre.rang, [0, 1, 0, 2]);
    assert_eq!(centre.world.at_rest(), Ok(()));
}
