//! One stay of a contact in the queue, as its events tell it. The same rules as for reports: what the queue said when the
//! contact left counts; until it is known, a contact that was connected is handled.

use super::measure::millis;
use centro_kernel::{
    Timestamp, UserId,
    contact::{LeftReason, Outcome, Reservation},
};

/// How it ended for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: Timestamp,
    pub(super) reason: LeftReason,
    pub(super) wait_ms: u64,
}

impl End {
    pub(super) fn outcome(&self) -> Outcome {
        self.reason.outcome()
    }
}

/// An agent's work for the contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Work {
    /// Nobody works for it.
    #[default]
    None,
    /// The agent talks.
    Talk { agent: UserId, since: Timestamp },
    /// The agent wraps up.
    WrapUp { agent: UserId, talk_ms: u64 },
    /// The agent is done.
    Done { talk_ms: u64, wrap_up_ms: u64 },
}

/// One stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) enqueued_at: Timestamp,
    /// When it entered, the last time if it came back to its place.
    entered_at: Timestamp,
    connected: Option<(Reservation, Timestamp)>,
    left: Option<End>,
    pub(super) work: Work,
}

impl Stay {
    pub(super) const fn new(enqueued_at: Timestamp, entered_at: Timestamp) -> Self {
        Self {
            enqueued_at,
            entered_at,
            connected: None,
            left: None,
            work: Work::None,
        }
    }

    /// When the outcome was decided, which, and after how long a wait; `None` while it waits.
    pub(super) fn end(&self) -> Option<End> {
        let handled = self
            .left
            .is_none_or(|left| left.outcome() == Outcome::Handled);
        match (self.connected, self.left) {
            (Some((_, at)), left) if handled => Some(End {
                at,
                reason: left.map_or(LeftReason::Answered, |left| left.reason),
                wait_ms: millis(at.since(self.enqueued_at)),
            }),
            (_, left) => left,
        }
    }

    /// Nothing more will be heard of it. Of a promised callback something will.
    pub(super) fn is_over(&self) -> bool {
        let gone = |left: End| left.outcome() != Outcome::Pending;
        self.left.is_some_and(gone) && matches!(self.work, Work::None | Work::Done { .. })
    }

    /// It is in the queue again, at its old place. A repeat of what is known changes nothing.
    pub(super) fn enter(&mut self, now: Timestamp) {
        if self.left.is_some_and(|left| left.at < now) {
            *self = Self::new(self.enqueued_at, now);
        }
    }

    /// An agent was connected. Told twice, the later counts.
    pub(super) fn connect(&mut self, now: Timestamp, reservation: Reservation) -> bool {
        let later = self.connected.is_none_or(|(_, at)| at < now);
        if now < self.entered_at || !later {
            return false;
        }
        self.connected = Some((reservation, now));
        let (agent, since) = (reservation.agent, now);
        self.work = Work::Talk { agent, since };
        true
    }

    /// The queue let it go. Told twice, the later counts.
    pub(super) fn leave(&mut self, now: Timestamp, reason: LeftReason, wait_ms: u64) {
        let later = self.left.is_none_or(|left| left.at < now);
        if now >= self.entered_at && later {
            let at = now;
            self.left = Some(End {
                at,
                reason,
                wait_ms,
            });
        }
    }

    /// The conversation is over; the wrap-up begins, or the agent is done.
    pub(super) fn hang_up(&mut self, by: UserId, now: Timestamp, wraps_up: bool) {
        if let Work::Talk { agent, since } = self.work
            && agent == by
            && since <= now
        {
            let talk_ms = millis(now.since(since));
            self.work = if wraps_up {
                Work::WrapUp { agent, talk_ms }
            } else {
                let wrap_up_ms = 0;
                Work::Done {
                    talk_ms,
                    wrap_up_ms,
                }
            };
        }
    }

    /// The wrap-up is over.
    pub(super) fn wrap_up(&mut self, by: UserId, wrap_up_ms: u64) {
        if let Work::WrapUp { agent, talk_ms } = self.work
            && agent == by
        {
            self.work = Work::Done {
                talk_ms,
                wrap_up_ms,
            };
        }
    }
}
