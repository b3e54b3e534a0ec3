//! Sums over stays and the rates made of them (docs/metrics.md). Sums are exact; a rate without a base is absent.

use super::Stay;
use centro_kernel::{
    Timestamp,
    contact::{LeftReason, Outcome},
};
use std::{collections::BTreeMap, time::Duration};

/// What a queue promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    /// Answered within this counts for the service level.
    pub within: Duration,
    /// An abandon sooner than this counts as short.
    pub short_abandon: Duration,
}

impl Default for Targets {
    /// What a queue has that does not say (spec D14, D15).
    fn default() -> Self {
        Self {
            within: Duration::from_secs(20),
            short_abandon: Duration::from_secs(5),
        }
    }
}

impl Targets {
    /// Whether the contact was answered in time.
    pub fn met_by(&self, stay: &Stay) -> bool {
        stay.outcome() == Some(Outcome::Handled)
            && stay.wait().is_some_and(|wait| wait <= self.within)
    }
}

/// From `from` (inclusive) to `to` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Span {
    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// In which span a stay is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Booking {
    /// As things happen: entries when the contact entered, outcomes when it was connected or left.
    #[default]
    Event,
    /// Everything when the contact entered.
    Entry,
}

/// Sums over stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub short_abandoned: u64,
    pub flow_out: u64,
    pub still_waiting: u64,
    pub answered_in_target: u64,
    pub wait_answered: Duration,
    pub wait_abandoned: Duration,
    pub max_wait: Duration,
    pub talk: Duration,
    pub hold: Duration,
    pub wrap_up: Duration,
    pub by_reason: BTreeMap<LeftReason, u64>,
}

impl Figures {
    /// Counts a stay, as far as it falls into the span.
    pub fn count(&mut self, stay: &Stay, targets: &Targets, booking: Booking, span: Span) {
        let Some(enqueued) = stay.enqueued else {
            return;
        };
        let entered = span.holds(enqueued);
        let (Some(outcome), Some(settled), Some(wait)) =
            (stay.outcome(), stay.settled(), stay.wait())
        else {
            self.offered += u64::from(entered);
            self.still_waiting += u64::from(entered);
            return;
        };
        self.offered += u64::from(entered);
        let counts = match booking {
            Booking::Event => span.holds(settled),
            Booking::Entry => entered,
        };
        if counts {
            self.settle(stay, targets, outcome, wait);
        }
    }

    fn settle(&mut self, stay: &Stay, targets: &Targets, outcome: Outcome, wait: Duration) {
        match outcome {
            Outcome::Handled => {
                self.answered += 1;
                self.answered_in_target += u64::from(targets.met_by(stay));
                self.wait_answered += wait;
                self.talk += stay.talk;
                self.hold += stay.hold;
                self.wrap_up += stay.wrap_up;
            }
            Outcome::Abandoned => {
                self.abandoned += 1;
                self.short_abandoned += u64::from(wait < targets.short_abandon);
                self.wait_abandoned += wait;
            }
            Outcome::Pending
            | Outcome::EvictedCustomer
            | Outcome::EvictedSystem
            | Outcome::EvictedUser => self.flow_out += 1,
        }
        self.max_wait = self.max_wait.max(wait);
        let reason = stay.left.map_or(LeftReason::Answered, |left| left.reason);
        *self.by_reason.entry(reason).or_default() += 1;
    }

    /// Adds another queue's sums.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.short_abandoned += other.short_abandoned;
        self.flow_out += other.flow_out;
        self.still_waiting += other.still_waiting;
        self.answered_in_target += other.answered_in_target;
        self.wait_answered += other.wait_answered;
        self.wait_abandoned += other.wait_abandoned;
        self.max_wait = self.max_wait.max(other.max_wait);
        self.talk += other.talk;
        self.hold += other.hold;
        self.wrap_up += other.wrap_up;
        for (reason, count) in &other.by_reason {
            *self.by_reason.entry(*reason).or_default() += count;
        }
    }

    /// Answered within the target, of those answered or abandoned but for short abandons.
    pub fn service_level_percent(&self) -> Option<f64> {
        let base = (self.answered + self.abandoned).checked_sub(self.short_abandoned)?;
        percent(self.answered_in_target, base)
    }

    /// Abandons but for short ones, of those offered but for short abandons.
    pub fn abandon_rate_percent(&self) -> Option<f64> {
        let base = self.offered.checked_sub(self.short_abandoned)?;
        percent(self.abandoned - self.short_abandoned, base)
    }

    /// Mean wait of the answered, in milliseconds.
    pub fn average_speed_of_answer_ms(&self) -> Option<f64> {
        mean(self.wait_answered, self.answered)
    }

    /// Mean wait of the abandoned, in milliseconds.
    pub fn average_time_to_abandon_ms(&self) -> Option<f64> {
        mean(self.wait_abandoned, self.abandoned)
    }

    /// Mean of talk, hold and wrap-up per answered contact, in milliseconds.
    pub fn average_handle_time_ms(&self) -> Option<f64> {
        mean(self.talk + self.hold + self.wrap_up, self.answered)
    }
}

fn percent(part: u64, base: u64) -> Option<f64> {
    (base > 0).then(|| part as f64 * 100.0 / base as f64)
}

fn mean(sum: Duration, count: u64) -> Option<f64> {
    (count > 0).then(|| sum.as_secs_f64() * 1000.0 / count as f64)
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
