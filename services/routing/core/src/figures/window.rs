//! Durations of the last minutes, each forgotten when it is older than the window.

use super::measure::Mean;
use centro_kernel::{ContactId, Timestamp};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Samples kept at most. More in one window than this, and the mean says that it is not complete.
const MOST: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    at: Timestamp,
    contact: ContactId,
    ms: u64,
}

/// The samples in `(now - length, now]`. Adding and forgetting cost O(log n).
#[derive(Clone, Debug)]
pub(super) struct Window {
    length: Duration,
    /// The latest moment heard of.
    now: Timestamp,
    /// Nothing after this was dropped or missed.
    known_since: Timestamp,
    samples: VecDeque<Sample>,
    all: Mean,
    of_contact: BTreeMap<ContactId, Mean>,
}

impl Window {
    /// An empty window; what happened up to `started` is not known.
    pub(super) const fn new(length: Duration, started: Timestamp) -> Self {
        Self {
            length,
            now: started,
            known_since: started,
            samples: VecDeque::new(),
            all: Mean {
                sum_ms: 0,
                count: 0,
            },
            of_contact: BTreeMap::new(),
        }
    }

    pub(super) const fn length(&self) -> Duration {
        self.length
    }

    /// A longer window does not bring back what is forgotten.
    pub(super) fn set_length(&mut self, length: Duration) {
        self.known_since = self.known_since.max(self.edge());
        self.length = length;
        self.forget();
    }

    /// Samples up to here are outside.
    fn edge(&self) -> Timestamp {
        self.now - self.length
    }

    /// Time passes. It does not go back.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.forget();
    }

    pub(super) fn add(&mut self, at: Timestamp, contact: ContactId, ms: u64) {
        self.advance(at);
        if at <= self.edge() {
            return;
        }
        // Nearly always the last: events of two actors may be told a moment out of order.
        let sample = Sample { at, contact, ms };
        if self.samples.back().is_none_or(|last| last.at <= at) {
            self.samples.push_back(sample);
        } else {
            let place = self.samples.partition_point(|s| s.at <= at);
            self.samples.insert(place, sample);
        }
        self.all.add(ms);
        self.of_contact.entry(contact).or_default().add(ms);
        while self.samples.len() > MOST {
            self.drop_first();
        }
    }

    /// Takes a sample back that turned out to be something else.
    pub(super) fn remove(&mut self, at: Timestamp, contact: ContactId, ms: u64) {
        let first = self.samples.partition_point(|s| s.at < at);
        let wanted = Sample { at, contact, ms };
        let same_time = self.samples.range(first..).take_while(|s| s.at == at);
        let found = same_time.zip(first..).find(|(s, _)| **s == wanted);
        if let Some((_, place)) = found {
            self.samples.remove(place);
            self.forget_sample(wanted);
        }
    }

    fn forget(&mut self) {
        let edge = self.edge();
        while let Some(sample) = self.samples.front().copied().filter(|s| s.at <= edge) {
            self.samples.pop_front();
            self.forget_sample(sample);
        }
    }

    fn drop_first(&mut self) {
        if let Some(sample) = self.samples.pop_front() {
            self.known_since = self.known_since.max(sample.at);
            self.forget_sample(sample);
        }
    }

    fn forget_sample(&mut self, sample: Sample) {
        let one = Mean {
            sum_ms: sample.ms,
            count: 1,
        };
        self.all.take(one);
        if let Some(of_contact) = self.of_contact.get_mut(&sample.contact) {
            of_contact.take(one);
            if of_contact.count == 0 {
                self.of_contact.remove(&sample.contact);
            }
        }
    }

    /// The mean, without the contact that asks.
    pub(super) fn mean(&self, without: Option<ContactId>) -> Mean {
        let mut mean = self.all;
        if let Some(own) = without.and_then(|contact| self.of_contact.get(&contact)) {
            mean.take(*own);
        }
        mean
    }

    /// Whether everything that belongs into the window is in it.
    pub(super) fn is_complete(&self) -> bool {
        self.known_since <= self.edge()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn contact(n: u128) -> ContactId {
        ContactId::from_u128(n)
    }

    #[test]
    fn what_left_exactly_a_window_ago_is_out_and_a_millisecond_later_in() {
        let mut window = Window::new(Duration::from_millis(100), at(0));
        window.add(at(50), contact(1), 7);
        window.add(at(51), contact(2), 9);
        window.advance(at(150));
        assert_eq!(
            window.mean(None),
            Mean {
                sum_ms: 9,
                count: 1
            }
        );
        assert!(window.is_complete());
        window.advance(at(151));
        assert_eq!(window.mean(None), Mean::default());
    }

    #[test]
    fn who_asks_is_left_out_with_every_earlier_stay() {
        let mut window = Window::new(Duration::from_millis(100), at(0));
        window.add(at(10), contact(1), 5);
        window.add(at(30), contact(2), 50);
        window.add(at(20), contact(1), 6);
        let others = Mean {
            sum_ms: 50,
            count: 1,
        };
        assert_eq!(window.mean(Some(contact(1))), others);
        window.remove(at(20), contact(1), 6);
        window.remove(at(20), contact(1), 6);
        assert_eq!(window.mean(None).count, 2);
        assert!(!window.is_complete(), "it began 30 ms ago");
    }

    #[test]
    fn it_keeps_a_bounded_number_and_says_when_it_had_to_drop() {
        let mut window = Window::new(Duration::from_secs(900), at(0));
        window.advance(at(900_000));
        assert!(window.is_complete());
        for n in 0..=MOST {
            window.add(at(900_001), contact(n as u128), 1);
        }
        assert_eq!(window.mean(None).count, MOST as u64);
        assert_eq!(window.of_contact.len(), MOST);
        assert!(!window.is_complete());
        window.advance(at(1_800_001));
        assert!(window.is_complete() && window.samples.is_empty());
    }

    #[test]
    fn a_longer_window_is_not_complete_before_its_time() {
        let mut window = Window::new(Duration::from_millis(100), at(0));
        window.advance(at(1_000));
        window.set_length(Duration::from_millis(300));
        assert!(!window.is_complete());
        window.advance(at(1_200));
        assert!(window.is_complete());
    }
}
