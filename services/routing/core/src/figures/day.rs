//! The sums of a day. Each stay adds what it is worth now, and takes it back before it changes: so the sums are those of
//! a recount, whatever the order in which the events came.

use super::{
    facts::rang,
    measure::Mean,
    stay::{Stay, Work},
};
use centro_kernel::{
    Timestamp,
    contact::{LeftReason, OfferEnd, Outcome},
};
use std::collections::BTreeMap;

/// Longest service level (spec D14); a later answer is in time by no rule.
const LONGEST_LEVEL: u64 = 3_600;
/// Longest short abandon (spec D15); a later one is short by no rule.
const LONGEST_SHORT: u64 = 60;

#[derive(Clone, Copy)]
enum Step {
    Count,
    TakeBack,
}

impl Step {
    const fn one(self, number: &mut u64) {
        *number = match self {
            Self::Count => number.saturating_add(1),
            Self::TakeBack => number.saturating_sub(1),
        };
    }

    fn at<K: Ord + Copy>(self, numbers: &mut BTreeMap<K, u64>, key: K) {
        let number = numbers.entry(key).or_default();
        self.one(number);
        if *number == 0 {
            numbers.remove(&key);
        }
    }

    const fn mean(self, mean: &mut Mean, sum_ms: u64) {
        match self {
            Self::Count => mean.add(sum_ms),
            Self::TakeBack => mean.take(Mean { sum_ms, count: 1 }),
        }
    }
}

/// Sums since the day began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) start: Timestamp,
    /// Entered before the day and were still waiting when it began.
    pub(super) carried_over: u64,
    pub(super) offered: u64,
    pub(super) outcomes: BTreeMap<Outcome, u64>,
    pub(super) reasons: BTreeMap<LeftReason, u64>,
    pub(super) wait_answered: Mean,
    pub(super) wait_abandoned: Mean,
    pub(super) max_wait_ms: u64,
    /// Answered after a wait of at most so many whole seconds, and more than one less. So a changed target is counted
    /// over the whole day, exactly.
    answered_by_second: BTreeMap<u64, u64>,
    /// Abandoned after so many full seconds.
    abandoned_by_second: BTreeMap<u64, u64>,
    /// Talk of the answered whose agents are done.
    pub(super) talk: Mean,
    /// Their wrap-up.
    pub(super) wrap_up: Mean,
    pub(super) offers: BTreeMap<OfferEnd, u64>,
    pub(super) ring_ms: u64,
}

impl Day {
    pub(super) const fn new(start: Timestamp) -> Self {
        const NOTHING: Mean = Mean {
            sum_ms: 0,
            count: 0,
        };
        Self {
            start,
            carried_over: 0,
            offered: 0,
            outcomes: BTreeMap::new(),
            reasons: BTreeMap::new(),
            wait_answered: NOTHING,
            wait_abandoned: NOTHING,
            max_wait_ms: 0,
            answered_by_second: BTreeMap::new(),
            abandoned_by_second: BTreeMap::new(),
            talk: NOTHING,
            wrap_up: NOTHING,
            offers: BTreeMap::new(),
            ring_ms: 0,
        }
    }

    /// Counts a stay.
    pub(super) fn add(&mut self, stay: &Stay) {
        self.tally(stay, Step::Count);
        if let Some(end) = stay.end().filter(|end| end.at >= self.start) {
            self.max_wait_ms = self.max_wait_ms.max(end.wait_ms);
        }
    }

    /// Takes back what [`Self::add`] counted. The longest wait stays: a corrected wait only grows.
    pub(super) fn take_back(&mut self, stay: &Stay) {
        self.tally(stay, Step::TakeBack);
    }

    fn tally(&mut self, stay: &Stay, step: Step) {
        let end = stay.end();
        if end.is_some_and(|end| end.at < self.start) {
            return;
        }
        if stay.enqueued_at >= self.start {
            step.one(&mut self.offered);
        } else {
            step.one(&mut self.carried_over);
        }
        let Some(end) = end else { return };
        step.at(&mut self.outcomes, end.outcome());
        step.at(&mut self.reasons, end.reason);
        match end.outcome() {
            Outcome::Handled => {
                step.mean(&mut self.wait_answered, end.wait_ms);
                let second = end.wait_ms.div_ceil(1_000).min(LONGEST_LEVEL + 1);
                step.at(&mut self.answered_by_second, second);
                if let Work::Done {
                    talk_ms,
                    wrap_up_ms,
                } = stay.work
                {
                    step.mean(&mut self.talk, talk_ms);
                    step.mean(&mut self.wrap_up, wrap_up_ms);
                }
            }
            Outcome::Abandoned => {
                step.mean(&mut self.wait_abandoned, end.wait_ms);
                let second = (end.wait_ms / 1_000).min(LONGEST_SHORT);
                step.at(&mut self.abandoned_by_second, second);
            }
            _ => {}
        }
    }

    /// Counts an offer that is over.
    pub(super) fn add_offer(&mut self, why: OfferEnd, ring_ms: u64) {
        *self.offers.entry(why).or_default() += 1;
        self.ring_ms = self.ring_ms.saturating_add(ring_ms);
    }

    /// With this outcome.
    pub(super) fn with(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Left with any outcome.
    pub(super) fn left(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Answered with a wait of at most so many seconds.
    pub(super) fn answered_within(&self, seconds: u16) -> u64 {
        let in_time = self.answered_by_second.range(..=u64::from(seconds));
        in_time.map(|(_, count)| count).sum()
    }

    /// Abandoned with a wait of less than so many seconds.
    pub(super) fn short_abandons(&self, seconds: u16) -> u64 {
        let short = self.abandoned_by_second.range(..u64::from(seconds));
        short.map(|(_, count)| count).sum()
    }

    /// Offers with this end.
    pub(super) fn offers_with(&self, why: OfferEnd) -> u64 {
        self.offers.get(&why).copied().unwrap_or(0)
    }

    /// Offers that the agent could answer.
    pub(super) fn offers_that_rang(&self) -> u64 {
        let rang = self.offers.iter().filter(|(why, _)| rang(**why));
        rang.map(|(_, count)| count).sum()
    }
}
