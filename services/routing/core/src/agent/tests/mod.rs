//! What an agent's record decides, as sentences. Here: the desk at which all of them are told.

mod capacity;
mod choice;
mod desktop;
mod memberships;
mod owners;
mod pick_up;
mod properties;
mod reservation;
mod ringing;
mod round;
mod wrap_up;

use super::*;
use crate::{
    message::{Answer, Bid, LogIn, Medium, NoPickUp, PickUp, Presence, Rank},
    settings::{Rona, RonaAction, Standing, WrapUpMode},
    skills::Profile,
};
use centro_kernel::{ContactId, DeviceId, UserId, contact::OfferEnd};
use std::time::Duration;

const A: QueueId = QueueId::from_u128(1);
const B: QueueId = QueueId::from_u128(2);
/// A queue of conversations in writing.
const CHAT: QueueId = QueueId::from_u128(3);
const BRUNO: UserId = UserId::from_u128(7);
const DEVICE: DeviceId = DeviceId::from_u128(9);
const ANNA: ContactId = ContactId::from_u128(100);

const fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn contact(n: u128) -> ContactId {
    ContactId::from_u128(n)
}

/// The default rules, changed.
fn terms(but: impl FnOnce(&mut Terms)) -> Arc<Terms> {
    let mut terms = Terms::default();
    but(&mut terms);
    Arc::new(terms)
}

/// The rules of a queue of conversations without wrap-up, changed.
fn chat_terms(but: impl FnOnce(&mut Terms)) -> Arc<Terms> {
    terms(|t| {
        t.medium = Medium::Chat;
        t.wrap_up.mode = WrapUpMode::None;
        but(t);
    })
}

/// A queue of conversations, as a membership.
fn chat_queue(queue: QueueId) -> Membership {
    let voice = Membership::new(queue);
    Membership {
        medium: Medium::Chat,
        ..voice
    }
}

/// A log-in that a supervisor gave for the time being.
fn temporary(queue: QueueId) -> Membership {
    let assigned = Membership::new(queue);
    Membership {
        temporary: true,
        ..assigned
    }
}

fn paused(reason: &str) -> AgentMessage {
    AgentMessage::SetStatus(Chosen::Paused(reason.into()))
}

const READY: AgentMessage = AgentMessage::SetStatus(Chosen::Ready);
const LOG_OUT: AgentMessage = AgentMessage::SetStatus(Chosen::LoggedOut);

/// Pauses in one queue, or takes part again.
fn pause_in(queue: QueueId, reason: Option<&str>) -> AgentMessage {
    let pause = reason.map(Arc::from);
    AgentMessage::SetQueueStatus { queue, pause }
}

/// Ready with one phone in these queues.
fn log_in(queues: &[QueueId]) -> AgentMessage {
    log_in_to(queues, |_| {})
}

fn log_in_to(queues: &[QueueId], but: impl FnOnce(&mut LogIn)) -> AgentMessage {
    let mut log_in = LogIn {
        device: DEVICE,
        device_online: true,
        queues: queues.iter().map(|queue| Membership::new(*queue)).collect(),
        all_queues: false,
        ready: true,
        desktop: false,
        profile: Profile::default(),
    };
    but(&mut log_in);
    AgentMessage::LogIn(Box::new(log_in))
}

/// An agent, and the time.
#[derive(Clone)]
struct Desk {
    agent: Agent,
    cfg: Deadlines,
    now: Timestamp,
}

impl Desk {
    /// Somebody who never logged in.
    fn empty() -> Self {
        let cfg = Deadlines::default();
        let record = AgentRecord::new(BRUNO, at(0));
        Self {
            agent: Agent::recover(record, &cfg, at(0)).0,
            cfg,
            now: at(0),
        }
    }

    fn ready(queues: &[QueueId]) -> Self {
        Self::logged_in(log_in(queues))
    }

    fn logged_in(log_in: AgentMessage) -> Self {
        let mut desk = Self::empty();
        desk.say(log_in);
        desk
    }

    /// With a desktop and a phone: calls of A, conversations of CHAT.
    fn blended(but: impl FnOnce(&mut LogIn)) -> Self {
        Self::logged_in(log_in_to(&[A], |log_in| {
            log_in.queues.push(chat_queue(CHAT));
            log_in.desktop = true;
            but(log_in);
        }))
    }

    fn say(&mut self, message: AgentMessage) -> AgentOut {
        self.agent.handle(&self.cfg, self.now, message)
    }

    fn answer(&mut self, message: AgentMessage) -> Option<Answer> {
        self.say(message).answer
    }

    /// Time passes, and what falls due is done.
    fn wait(&mut self, ms: u64) -> Vec<AgentOut> {
        let until = self.now + Duration::from_millis(ms);
        let mut outs = vec![];
        while let Some((due, timer)) = self.agent.next_due().filter(|(due, _)| *due <= until) {
            self.now = due.max(self.now);
            outs.push(self.say(AgentMessage::Timer(timer)));
        }
        self.now = until;
        outs
    }

    /// Another process takes the record over.
    fn take_over(&mut self) -> AgentOut {
        let record = self.agent.record().clone();
        let (agent, out) = Agent::recover(record, &self.cfg, self.now);
        self.agent = agent;
        out
    }

    fn bid(&self, queue: QueueId, weight: u32, enqueued_at: i64) -> AgentMessage {
        self.bid_under(queue, weight, enqueued_at, &Arc::default())
    }

    fn bid_under(
        &self,
        queue: QueueId,
        weight: u32,
        enqueued_at: i64,
        terms: &Arc<Terms>,
    ) -> AgentMessage {
        AgentMessage::Bid(Bid {
            queue,
            epoch: 1,
            ver: self.agent.record().ver,
            rank: Rank {
                weight,
                enqueued_at: at(enqueued_at),
            },
            terms: terms.clone(),
            pick_up: None,
        })
    }

    fn pass(&self, queue: QueueId) -> AgentMessage {
        AgentMessage::Pass {
            queue,
            epoch: 1,
            ver: self.agent.record().ver,
        }
    }

    /// The queue bids under these rules, all others have nothing; the number of the reservation.
    fn grant(&mut self, queue: QueueId, terms: &Arc<Terms>) -> Option<u64> {
        for other in self.queues().into_iter().filter(|other| *other != queue) {
            self.say(self.pass(other));
        }
        granted(&self.say(self.bid_under(queue, 1, 0, terms))).map(|(_, number)| number)
    }

    /// The same, and the contact's device rings.
    fn ring(&mut self, queue: QueueId, contact: ContactId, terms: &Arc<Terms>) -> u64 {
        let number = self.grant(queue, terms).expect("the agent has room");
        let answer = self.answer(alert(number, contact));
        assert!(matches!(answer, Some(Answer::AlertOk { .. })), "{answer:?}");
        number
    }

    /// The same, and the agent answers.
    fn talk(&mut self, queue: QueueId, contact: ContactId, terms: &Arc<Terms>) -> u64 {
        let number = self.ring(queue, contact, terms);
        assert_eq!(
            self.answer(connect(number, contact)),
            Some(Answer::ConnectOk)
        );
        number
    }

    fn alert(&mut self, number: u64) -> AgentOut {
        self.say(alert(number, ANNA))
    }

    fn end(&mut self, number: u64, why: OfferEnd) -> AgentOut {
        self.say(end(number, ANNA, why))
    }

    /// Anna's call rings, with number 1, in the first of the queues.
    fn alerting(queues: &[QueueId]) -> Self {
        let mut desk = Self::ready(queues);
        assert_eq!(desk.ring(queues[0], ANNA, &Arc::default()), 1);
        desk
    }

    /// Anna's call is answered, with number 1, in the first of the queues.
    fn connected(queues: &[QueueId]) -> Self {
        let mut desk = Self::alerting(queues);
        assert_eq!(desk.answer(connect(1, ANNA)), Some(Answer::ConnectOk));
        desk
    }

    /// Anna's call is over.
    fn wrapping_up(queues: &[QueueId], terms: &Arc<Terms>) -> Self {
        let mut desk = Self::ready(queues);
        let number = desk.talk(queues[0], ANNA, terms);
        desk.end(number, OfferEnd::Answered);
        desk
    }

    fn state(&self) -> State {
        self.agent.view().state
    }

    fn misses(&self) -> u32 {
        self.agent.record().misses
    }

    fn part(&self, queue: QueueId) -> Option<Part> {
        let membership = self.agent.record().membership(queue);
        membership.map(|m| m.part.clone())
    }

    fn queues(&self) -> Vec<QueueId> {
        self.agent.view().queues().collect()
    }

    /// What the queue is told when it asks.
    fn presence(&self, queue: QueueId) -> Presence {
        self.agent.record().presence(queue)
    }

    fn standing(&self, queue: QueueId) -> Standing {
        self.presence(queue).standing
    }
}

fn alert(number: u64, contact: ContactId) -> AgentMessage {
    AgentMessage::Alert {
        number,
        contact,
        edge: Arc::from("edge"),
        edge_epoch: 0,
        caller: Arc::default(),
        ring: secs(15),
    }
}

const fn connect(number: u64, contact: ContactId) -> AgentMessage {
    AgentMessage::Connect {
        number,
        contact,
        edge_epoch: 0,
    }
}

const fn end(number: u64, contact: ContactId, why: OfferEnd) -> AgentMessage {
    AgentMessage::End {
        number,
        contact,
        why,
        edge_epoch: 0,
    }
}

const RINGS: Option<Answer> = Some(Answer::AlertOk {
    device: Some(DEVICE),
});

const fn ended(was_connected: bool) -> Option<Answer> {
    Some(Answer::Ended { was_connected })
}

fn granted(out: &AgentOut) -> Option<(QueueId, u64)> {
    out.send.iter().find_map(|e| match e {
        AgentEffect::Queue(q, QueueMessage::Grant(grant)) => Some((*q, grant.reservation.number)),
        _ => None,
    })
}

fn told(out: &AgentOut) -> Vec<(QueueId, &Presence)> {
    fn presence(effect: &AgentEffect) -> Option<(QueueId, &Presence)> {
        match effect {
            AgentEffect::Queue(queue, QueueMessage::Presence(p)) => Some((*queue, p)),
            _ => None,
        }
    }
    out.send.iter().filter_map(presence).collect()
}

/// Who is told whether the agent has room.
fn presences(out: &AgentOut) -> Vec<(QueueId, bool)> {
    let told = told(out).into_iter();
    told.map(|(queue, presence)| (queue, presence.free))
        .collect()
}

fn cancels(out: &AgentOut) -> usize {
    let cancel = |e: &&AgentEffect| matches!(e, AgentEffect::CancelOffer { .. });
    out.send.iter().filter(cancel).count()
}

/// The views that were told to the world.
fn views(out: &AgentOut) -> Vec<&View> {
    fn view(event: &Event) -> Option<&View> {
        match event {
            Event::AgentStateChanged { view, .. } => Some(view),
            _ => None,
        }
    }
    out.events.iter().filter_map(view).collect()
}

/// A repeat or a late message: nothing is stored, nobody is told.
fn changes_nothing(out: &AgentOut) -> bool {
    out.changes.is_empty() && out.events.is_empty() && out.send.is_empty()
}
