//! One stay of one contact in one queue, put together from events that may repeat and may come in any order between
//! their publishers.
//!
//! Each event fills its own fields, so the order in which they come does not matter. An event that names no entry time
//! belongs to the latest stay that had begun by then; when none is known yet it opens one, which the entry completes.

use centro_kernel::{
    ContactId, QueueId, RecordingId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Outcome},
};
use std::time::Duration;

/// Something that happened to a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Which contact.
    pub contact: ContactId,
    /// In which queue; `None` for what concerns the whole call.
    pub queue: Option<QueueId>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happened to a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The call came in.
    Arrived { caller: Caller },
    /// It entered the queue.
    Queued { caller: Caller, enqueued: Timestamp },
    /// An agent was reserved for it.
    Offered,
    /// The offer ended; the device rang for `ring`.
    OfferEnded { why: OfferEnd, ring: Duration },
    /// An agent was connected.
    Connected { agent: UserId },
    /// It left the queue.
    Left {
        reason: LeftReason,
        agent: Option<UserId>,
        enqueued: Timestamp,
        wait: Duration,
    },
    /// The call ended; talk and hold are those with the agent of the fact's queue.
    CallEnded {
        by: Party,
        agent: Option<UserId>,
        talk: Duration,
        hold: Duration,
    },
    /// The agent was done with it.
    WrapUpEnded { wrap_up: Duration },
    /// The conversation is recorded.
    Recorded { recording: RecordingId },
}

/// Who called, and what number was dialled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    pub number: String,
    pub display_name: String,
    pub dialled: String,
}

/// Who ended the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Caller,
    Agent,
    System,
}

/// How a contact left its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub at: Timestamp,
    pub reason: LeftReason,
    pub wait: Duration,
}

/// One stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Stay {
    pub contact: ContactId,
    /// Which of the contact's stays, from 0, in the order they became known.
    pub ordinal: i32,
    pub queue: QueueId,
    pub caller: Caller,
    /// Unknown while only later events of the stay have come.
    pub enqueued: Option<Timestamp>,
    pub connected: Option<Timestamp>,
    pub left: Option<Left>,
    pub ended: Option<Timestamp>,
    pub ended_by: Option<Party>,
    pub agent: Option<UserId>,
    pub talk: Duration,
    pub hold: Duration,
    pub wrap_up: Duration,
    pub ring: Duration,
    pub offers: u32,
    /// Offers that nobody answered in time.
    pub missed: u32,
    pub recording: Option<RecordingId>,
}

impl Stay {
    fn new(contact: ContactId, ordinal: i32, queue: QueueId) -> Self {
        Self {
            contact,
            ordinal,
            queue,
            caller: Caller::default(),
            enqueued: None,
            connected: None,
            left: None,
            ended: None,
            ended_by: None,
            agent: None,
            talk: Duration::ZERO,
            hold: Duration::ZERO,
            wrap_up: Duration::ZERO,
            ring: Duration::ZERO,
            offers: 0,
            missed: 0,
            recording: None,
        }
    }

    /// How the stay ended for the customer; `None` while the contact waits. What the queue said when the contact left
    /// counts; until it is known, a contact that was connected is handled.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.left {
            Some(left) => Some(left.reason.outcome()),
            None => self.connected.map(|_| Outcome::Handled),
        }
    }

    /// When the outcome was decided: the contact left, which for an answered one is when it was connected.
    pub fn settled(&self) -> Option<Timestamp> {
        match (self.outcome(), self.connected) {
            (Some(Outcome::Handled), Some(connected)) => Some(connected),
            _ => self.left.map(|left| left.at),
        }
    }

    /// Entry to connection, abandon or flow-out; `None` while the contact waits.
    pub fn wait(&self) -> Option<Duration> {
        // The queue hears of the answer a little later than it is given.
        match (self.outcome(), self.connected, self.enqueued) {
            (Some(Outcome::Handled), Some(connected), Some(enqueued)) => {
                Some(connected.since(enqueued))
            }
            _ => self.left.map(|left| left.wait),
        }
    }

    /// Whether something is still to come: the contact waits, or the conversation goes on.
    pub fn is_open(&self) -> bool {
        match self.outcome() {
            None => true,
            Some(Outcome::Handled) => self.ended.is_none(),
            Some(_) => false,
        }
    }

    /// Ends an open stay whose edge or queue died at `at`: a waiting contact left by a system failure, a conversation
    /// ended with what it had lasted.
    pub fn close_at(&mut self, at: Timestamp) {
        if self.outcome().is_none() {
            let enqueued = self.enqueued.unwrap_or(at);
            let at = at.max(enqueued);
            self.left = Some(Left {
                at,
                reason: LeftReason::SystemFailure,
                wait: at.since(enqueued),
            });
        } else if self.is_open() {
            let connected = self.settled().unwrap_or(at);
            let at = at.max(connected);
            self.ended = Some(at);
            self.talk = at.since(connected);
        }
        self.ended_by.get_or_insert(Party::System);
    }

    fn learn(&mut self, fact: &Fact) {
        match &fact.what {
            Happening::Arrived { caller } => self.learn_caller(caller),
            Happening::Queued { caller, enqueued } => {
                self.learn_caller(caller);
                self.enqueued = Some(*enqueued);
            }
            Happening::Offered => self.offers += 1,
            Happening::OfferEnded { why, ring } => {
                self.ring += *ring;
                self.missed += u32::from(*why == OfferEnd::NoAnswer);
            }
            Happening::Connected { agent } => {
                self.connected = Some(fact.at);
                self.agent = Some(*agent);
            }
            Happening::Left {
                reason,
                agent,
                enqueued,
                wait,
            } => {
                self.enqueued = Some(*enqueued);
                self.left = Some(Left {
                    at: *enqueued + *wait,
                    reason: *reason,
                    wait: *wait,
                });
                self.agent = self.agent.or(*agent);
            }
            Happening::CallEnded {
                by,
                agent,
                talk,
                hold,
            } => {
                self.ended_by = Some(*by);
                if fact.queue.is_some() {
                    self.ended = Some(fact.at);
                    self.agent = self.agent.or(*agent);
                    (self.talk, self.hold) = (*talk, *hold);
                }
            }
            Happening::WrapUpEnded { wrap_up } => self.wrap_up = *wrap_up,
            Happening::Recorded { recording } => self.recording = Some(*recording),
        }
    }

    fn learn_caller(&mut self, caller: &Caller) {
        if self.caller == Caller::default() {
            self.caller = caller.clone();
        }
    }
}

/// Adds a fact to the stays of its contact (all of them, by ordinal). Returns the ordinals of those that changed. The
/// same event must not be given twice.
pub fn learn(stays: &mut Vec<Stay>, fact: &Fact) -> Vec<i32> {
    let touched: Vec<usize> = match (&fact.what, fact.queue) {
        (Happening::Arrived { .. }, _) => (0..stays.len()).collect(),
        (Happening::Queued { enqueued, .. } | Happening::Left { enqueued, .. }, Some(queue)) => {
            vec![entered(stays, fact.contact, queue, *enqueued)]
        }
        (_, Some(queue)) => vec![begun_by(stays, fact.contact, queue, fact.at)],
        // The call ended without a conversation: it ended where the contact was last.
        (_, None) => latest(stays, |stay| stay.enqueued <= Some(fact.at))
            .into_iter()
            .collect(),
    };
    for &at in &touched {
        stays[at].learn(fact);
    }
    touched.into_iter().map(|at| stays[at].ordinal).collect()
}

/// The stay that began at `enqueued`, or one whose beginning was not known, or a new one.
fn entered(
    stays: &mut Vec<Stay>,
    contact: ContactId,
    queue: QueueId,
    enqueued: Timestamp,
) -> usize {
    let same = |stay: &Stay| stay.queue == queue && stay.enqueued == Some(enqueued);
    let open = |stay: &Stay| stay.queue == queue && stay.enqueued.is_none();
    let known = stays
        .iter()
        .position(same)
        .or_else(|| stays.iter().position(open));
    known.unwrap_or_else(|| add(stays, contact, queue))
}

/// The latest stay in the queue that had begun by `at`, or one whose beginning is not known, or a new one.
fn begun_by(stays: &mut Vec<Stay>, contact: ContactId, queue: QueueId, at: Timestamp) -> usize {
    latest(stays, |stay| {
        stay.queue == queue && stay.enqueued.is_some_and(|entry| entry <= at)
    })
    .or_else(|| {
        stays
            .iter()
            .position(|s| s.queue == queue && s.enqueued.is_none())
    })
    .unwrap_or_else(|| add(stays, contact, queue))
}

fn latest(stays: &[Stay], fits: impl Fn(&Stay) -> bool) -> Option<usize> {
    let fitting = stays.iter().enumerate().filter(|(_, stay)| fits(stay));
    fitting
        .max_by_key(|(_, stay)| (stay.enqueued, stay.ordinal))
        .map(|(at, _)| at)
}

fn add(stays: &mut Vec<Stay>, contact: ContactId, queue: QueueId) -> usize {
    let ordinal = stays.iter().map(|stay| stay.ordinal + 1).max().unwrap_or(0);
    // The caller is the same for all stays of a contact.
    let caller = stays
        .first()
        .map(|stay| stay.caller.clone())
        .unwrap_or_default();
    stays.push(Stay {
        caller,
        ..Stay::new(contact, ordinal, queue)
    });
    stays.len() - 1
}

#[cfg(test)]
#[path = "stay_tests.rs"]
mod tests;
