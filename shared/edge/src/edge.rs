//! The state of one contact and its transitions, except what an offer goes through (`offer.rs`).

use crate::offer::AT_ONCE;
use crate::{
    Command, Effect,
    state::{Bonds, Exit, Leg, LegState, Phase, Timing},
};
use centro_kernel::{
    QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::{collections::BTreeMap, time::Duration};

/// One contact, as its only owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    pub(crate) timing: Timing,
    /// The moment of the command in hand.
    pub(crate) now: Timestamp,
    pub(crate) phase: Phase,
    /// The queue it waits in; `None` once the queue is to be told that it left.
    pub(crate) queue: Option<QueueId>,
    pub(crate) enqueued_at: Timestamp,
    pub(crate) attach_no: u32,
    pub(crate) acknowledged: bool,
    pub(crate) epoch: u64,
    pub(crate) excluded: BTreeMap<UserId, Timestamp>,
    pub(crate) legs: BTreeMap<Reservation, LegState>,
    /// Highest reservation number met, per agent: an older one is over for good.
    pub(crate) seen: BTreeMap<UserId, u64>,
    /// Offers turned away while an agent was about to take the contact; the queue hears of them when it is decided.
    pub(crate) turned_away: BTreeMap<Reservation, OfferEnd>,
    pub(crate) exit: Option<Exit>,
    pub(crate) ends: BTreeMap<Reservation, OfferEnd>,
    /// Why each attachment ended, and who answered.
    pub(crate) lefts: BTreeMap<(QueueId, u32), (LeftReason, Option<UserId>)>,
    pub(crate) retry_at: Option<Timestamp>,
    /// Epoch of the contact's owner; 0 when it has one for life.
    pub(crate) owner: u64,
    /// Taken over while it talked, and the agent's record has not said yet that it still does.
    pub(crate) unsure: bool,
}

/// What a handler collects.
pub(crate) type Effects = Vec<Effect>;

impl Edge {
    /// A contact that is in no queue.
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            now: Timestamp::default(),
            phase: Phase::New,
            queue: None,
            enqueued_at: Timestamp::default(),
            attach_no: 0,
            acknowledged: false,
            epoch: 0,
            excluded: BTreeMap::new(),
            legs: BTreeMap::new(),
            seen: BTreeMap::new(),
            turned_away: BTreeMap::new(),
            exit: None,
            ends: BTreeMap::new(),
            lefts: BTreeMap::new(),
            retry_at: None,
            owner: 0,
            unsure: false,
        }
    }

    /// Epoch of the contact's owner, to be named with every `Alert`, `Connect` and `End`; 0 when it has one for life.
    pub fn owner_epoch(&self) -> u64 {
        self.owner
    }

    /// Where the contact is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The current attachment; 0 before the first.
    pub fn attach_no(&self) -> u32 {
        self.attach_no
    }

    /// How far the offer got, if it is open.
    pub fn leg(&self, reservation: Reservation) -> Option<Leg> {
        self.legs.get(&reservation).map(|state| state.leg)
    }

    /// The offers that are open, and how far each got.
    pub fn legs(&self) -> impl Iterator<Item = (Reservation, Leg)> + '_ {
        self.legs.iter().map(|(of, state)| (*of, state.leg))
    }

    /// The queue it waits in.
    pub fn queue(&self) -> Option<QueueId> {
        self.queue
    }

    /// Whether it wants to leave its queue and waits for a commit in flight.
    pub fn is_leaving(&self) -> bool {
        self.exit.is_some()
    }

    /// Forgets how late it is, so that a checker that has no time sees one state where there is one. Repeats are due.
    #[cfg(feature = "mutants")]
    pub fn forget_time(&mut self) {
        self.now = Timestamp::default();
        self.retry_at = self.retry_at.map(|_| Timestamp::default());
    }

    /// Sets how long an agent who rejects is not asked again; it belongs to the queue, which is known later.
    pub fn set_reject_delay(&mut self, delay: Duration) {
        self.timing.reject_delay = delay;
    }

    /// Until when the agent may take to answer and to be briefed, if the device begins to ring now.
    pub fn alert_until(&self, reservation: Reservation) -> Option<Timestamp> {
        let state = self.legs.get(&reservation)?;
        Some(state.due + state.brief)
    }

    /// Since when the contact waits, over all queues it was moved through.
    pub fn enqueued_at(&self) -> Timestamp {
        self.enqueued_at
    }

    /// Whom the contact concerns: the reservations that are in use or whose end is not acknowledged, and the queues that
    /// have a place for it or do not know that it left.
    pub fn bonds(&self) -> Bonds {
        let talking = match self.phase {
            Phase::Connected(reservation) => Some(reservation),
            Phase::New | Phase::Waiting | Phase::Gone(_) => None,
        };
        let reservations = self.legs.keys().chain(self.ends.keys()).copied();
        let queues = self.lefts.keys().map(|(queue, _)| *queue);
        Bonds {
            reservations: reservations.chain(talking).collect(),
            queues: queues.chain(self.queue).collect(),
        }
    }

    /// Nothing is left to be told to anybody.
    pub fn done(&self) -> bool {
        !matches!(self.phase, Phase::Waiting) && self.ends.is_empty() && self.lefts.is_empty()
    }

    /// When [`Command::Tick`] is wanted next.
    pub fn next_due(&self) -> Option<Timestamp> {
        let legs = self
            .legs
            .values()
            .filter(|state| state.leg != Leg::Settling);
        legs.map(|state| state.due).chain(self.retry_at).min()
    }

    /// Applies a command. Whatever does not fit the state changes nothing.
    pub fn handle(&mut self, now: Timestamp, command: Command) -> Vec<Effect> {
        self.now = now;
        let mut out = Vec::new();
        match command {
            Command::Arrive(queue) => self.arrive(now, queue, &mut out),
            Command::Attached {
                queue,
                attach_no,
                epoch,
            } => {
                if self.is_current(queue, attach_no) {
                    (self.acknowledged, self.epoch) = (true, epoch);
                }
            }
            Command::NotTaken {
                queue,
                attach_no,
                reason,
            } => {
                if self.is_current(queue, attach_no) {
                    self.queue = None; // the queue has no entry to clear
                    self.want(Exit::Leave(reason), &mut out);
                }
            }
            Command::QueueLost { queue, attach_no } => {
                if self.is_current(queue, attach_no) {
                    self.attach(now, queue, &mut out);
                }
            }
            Command::LeftOk { queue, attach_no } => {
                self.lefts.retain(|(q, n), _| *q != queue || *n > attach_no);
                // It gave us up while we still wait: its line of us is over, but not our wait.
                if self.phase == Phase::Waiting && self.is_current(queue, attach_no) {
                    self.next_attachment(now);
                }
            }
            Command::Offer {
                queue,
                attach_no,
                reservation,
                ring_for,
                brief_for,
            } => {
                let current = self.is_current(queue, attach_no);
                self.on_offer(now, current, reservation, (ring_for, brief_for), &mut out);
            }
            Command::AlertOk(reservation) => self.on_alert_ok(reservation, &mut out),
            Command::ConnectOk(reservation) => self.on_connect_ok(reservation, &mut out),
            Command::Refused(reservation) => self.on_refused(reservation, &mut out),
            Command::Ended {
                reservation,
                was_connected,
            } => {
                self.on_ended(reservation, was_connected, &mut out);
            }
            Command::Cancel(r) => self.give_up(now, r, OfferEnd::Revoked, &mut out),
            Command::Answered(reservation) => self.on_answered(now, reservation, &mut out),
            Command::Briefed(reservation) => self.on_briefed(now, reservation, &mut out),
            Command::Rejected(r) => self.give_up(now, r, OfferEnd::Rejected, &mut out),
            // At once it would be busy again, and a queue without a busy delay would call it without end.
            Command::Busy(r) => self.give_up_for(now, r, OfferEnd::Busy, Some(AT_ONCE), &mut out),
            Command::DeviceFailed(r) => self.give_up(now, r, OfferEnd::DeviceFailed, &mut out),
            Command::CouldNotRing(r) => {
                self.give_up_for(now, r, OfferEnd::NeverRang, Some(AT_ONCE), &mut out);
            }
            Command::AgentHungUp(r) => self.on_agent_hung_up(now, r, &mut out),
            Command::HungUp => self.on_hung_up(&mut out),
            Command::Star => self.want(Exit::Leave(LeftReason::DtmfExit), &mut out),
            Command::TimedOut => self.want(Exit::Leave(LeftReason::Timeout), &mut out),
            Command::MoveTo {
                queue,
                attach_no,
                to,
            } => {
                if to != queue {
                    self.on_wish(queue, attach_no, Exit::Move(to), &mut out);
                }
            }
            Command::TakenOut { queue, attach_no } => {
                let exit = Exit::Leave(LeftReason::TransferredByUser);
                self.on_wish(queue, attach_no, exit, &mut out);
            }
            Command::Transfer(queue) => self.on_transfer(now, queue, &mut out),
            Command::Revalidate => {
                if let Phase::Connected(reservation) = self.phase {
                    out.push(Effect::Connect(reservation));
                }
            }
            Command::Tick => self.on_tick(now, &mut out),
        }
        self.arm_retry(now);
        out
    }

    pub(crate) fn arm_retry(&mut self, now: Timestamp) {
        if !self.owes() {
            self.retry_at = None;
        } else if self.retry_at.is_none() {
            self.retry_at = Some(now + self.timing.retry);
        }
    }

    fn is_current(&self, queue: QueueId, attach_no: u32) -> bool {
        self.queue == Some(queue) && attach_no == self.attach_no
    }

    /// Something is unanswered and must be repeated.
    fn owes(&self) -> bool {
        (self.queue.is_some() && !self.acknowledged)
            || !self.ends.is_empty()
            || !self.lefts.is_empty()
            || self.asks_whether_it_talks().is_some()
            || self
                .legs
                .values()
                .any(|s| matches!(s.leg, Leg::Asking | Leg::Committing))
    }

    /// A commit is open: its outcome comes first.
    pub(crate) fn busy(&self) -> bool {
        self.legs
            .values()
            .any(|s| matches!(s.leg, Leg::Committing | Leg::Settling))
    }

    fn arrive(&mut self, now: Timestamp, queue: QueueId, out: &mut Effects) {
        let free = match self.phase {
            Phase::New => true,
            Phase::Gone(reason) => !matches!(reason, LeftReason::Answered | LeftReason::Abandoned),
            Phase::Waiting | Phase::Connected(_) => false,
        };
        if free {
            self.phase = Phase::Waiting;
            self.enqueued_at = now;
            self.attach(now, queue, out);
        }
    }

    pub(crate) fn attach(&mut self, now: Timestamp, queue: QueueId, out: &mut Effects) {
        self.queue = Some(queue);
        self.next_attachment(now);
        self.send_attach(now, queue, out);
    }

    /// A new attachment, which is asked for with the next repeat.
    fn next_attachment(&mut self, now: Timestamp) {
        self.attach_no += 1;
        self.turned_away.clear();
        self.acknowledged = false;
        self.excluded.retain(|_, until| *until > now);
    }

    fn send_attach(&self, now: Timestamp, queue: QueueId, out: &mut Effects) {
        out.push(Effect::Attach {
            queue,
            attach_no: self.attach_no,
            enqueued_at: self.enqueued_at,
            excluded: self
                .excluded
                .iter()
                .map(|(a, until)| (*a, until.since(now)))
                .collect(),
            holding: self.legs.keys().copied().collect(),
        });
    }

    pub(crate) fn end(&mut self, reservation: Reservation, why: OfferEnd, out: &mut Effects) {
        let why = *self.ends.entry(reservation).or_insert(why);
        out.push(Effect::End { reservation, why });
    }

    pub(crate) fn left(&mut self, reason: LeftReason, agent: Option<UserId>, out: &mut Effects) {
        if let Some(queue) = self.queue.take() {
            self.lefts.insert((queue, self.attach_no), (reason, agent));
            out.push(Effect::Left {
                queue,
                attach_no: self.attach_no,
                reason,
                agent,
            });
        }
    }

    fn want(&mut self, exit: Exit, out: &mut Effects) {
        if self.phase == Phase::Waiting {
            self.exit.get_or_insert(exit);
            self.try_exit(self.now, out);
        }
    }

    /// Leaves now if no commit is in flight. A time-out that finds an agent on the line comes too late, unless nothing
    /// becomes of it.
    pub(crate) fn try_exit(&mut self, now: Timestamp, out: &mut Effects) {
        let timed_out = self.exit == Some(Exit::Leave(LeftReason::Timeout));
        if self.busy() || (timed_out && self.briefing().is_some()) {
            return;
        }
        let Some(exit) = self.exit.take() else { return };
        let why = match exit {
            Exit::Leave(LeftReason::Abandoned) => OfferEnd::CallerGone,
            Exit::Leave(_) | Exit::Answered(_) | Exit::Move(_) => OfferEnd::Cut,
        };
        for reservation in std::mem::take(&mut self.legs).into_keys() {
            out.push(Effect::Stop { reservation, why });
            self.end(reservation, why, out);
        }
        let (reason, agent) = match exit {
            Exit::Leave(reason) => (reason, None),
            Exit::Answered(agent) => (LeftReason::Answered, Some(agent)),
            Exit::Move(_) => (LeftReason::TransferredByUser, None),
        };
        self.left(reason, agent, out);
        match exit {
            Exit::Leave(_) | Exit::Answered(_) => {
                self.phase = Phase::Gone(reason);
                out.push(Effect::Out(reason));
            }
            Exit::Move(queue) => {
                self.phase = Phase::Waiting;
                self.attach(now, queue, out);
            }
        }
    }

    fn on_hung_up(&mut self, out: &mut Effects) {
        match self.phase {
            Phase::Connected(reservation) => {
                self.phase = Phase::Gone(LeftReason::Answered);
                out.push(Effect::Stop {
                    reservation,
                    why: OfferEnd::Answered,
                });
                self.end(reservation, OfferEnd::Answered, out);
            }
            Phase::Waiting => {
                self.exit = Some(Exit::Leave(LeftReason::Abandoned));
                if let Some(reservation) = self.committing() {
                    self.settle(reservation, OfferEnd::CallerGone, out);
                }
                self.try_exit(self.now, out);
            }
            Phase::New => {
                self.phase = Phase::Gone(LeftReason::Abandoned);
            }
            Phase::Gone(_) => {}
        }
    }

    /// What a person wants with a contact that waits here. The last such wish counts, but neither against the customer's own
    /// nor against what the queue or the dial plan decided before.
    fn on_wish(&mut self, queue: QueueId, attach_no: u32, wish: Exit, out: &mut Effects) {
        if !self.is_current(queue, attach_no) {
            return; // a repeat: it has moved, left, or was answered
        }
        if self.exit.is_some_and(Exit::is_a_persons_wish) {
            self.exit = None;
        }
        self.want(wish, out);
    }

    /// The agent's record confirms the end of the conversation before the contact waits again.
    fn on_transfer(&mut self, now: Timestamp, queue: QueueId, out: &mut Effects) {
        let Phase::Connected(reservation) = self.phase else {
            return;
        };
        self.phase = Phase::Waiting;
        self.legs.insert(
            reservation,
            LegState {
                leg: Leg::Settling,
                due: now,
                ring: Duration::ZERO,
                brief: Duration::ZERO,
            },
        );
        self.exit = Some(Exit::Move(queue));
        out.push(Effect::Stop {
            reservation,
            why: OfferEnd::Answered,
        });
        self.end(reservation, OfferEnd::Answered, out);
    }

    fn on_tick(&mut self, now: Timestamp, out: &mut Effects) {
        self.expire(now, out);
        if self.retry_at.is_none_or(|at| at > now) {
            return;
        }
        self.retry_at = None; // set again by `handle` while something is owed
        if let (Some(queue), false) = (self.queue, self.acknowledged) {
            self.send_attach(now, queue, out);
        }
        let ends = self.ends.iter().map(|(r, why)| Effect::End {
            reservation: *r,
            why: *why,
        });
        let lefts = self
            .lefts
            .iter()
            .map(|((queue, attach_no), (reason, agent))| Effect::Left {
                queue: *queue,
                attach_no: *attach_no,
                reason: *reason,
                agent: *agent,
            });
        let asked = self.legs.iter().filter_map(|(r, state)| match state.leg {
            Leg::Asking => Some(Effect::Alert(*r)),
            Leg::Committing => Some(Effect::Connect(*r)),
            Leg::Ringing | Leg::Briefing | Leg::Settling => None,
        });
        let talk = self.asks_whether_it_talks().map(Effect::Connect);
        out.extend(ends.chain(lefts).chain(asked).chain(talk));
    }
}
