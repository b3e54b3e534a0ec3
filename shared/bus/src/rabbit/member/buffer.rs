//! What a member has in hand: fetched and unread, and read and not settled. Pure; `T` is what settles a delivery.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// An event that was given back rests before it is given out again: from the first, doubling up to the second. Who gives
/// back has a reason that rarely passes at once.
const REST: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

fn rest(given_back: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(given_back.saturating_sub(1));
    REST.0.saturating_mul(doubled).min(REST.1)
}

/// One fetched event.
#[derive(Debug)]
pub(super) struct Waiting<E, T> {
    /// Which channel it came on; what is settled on a channel that was lost is not settled.
    life: u64,
    /// By place, so that what is given back returns to where it was.
    place: u64,
    given_back: u32,
    rests_until: Option<Instant>,
    redelivered: bool,
    pub(super) event: E,
    pub(super) settle: T,
}

impl<E, T> Waiting<E, T> {
    pub(super) fn life(&self) -> u64 {
        self.life
    }

    pub(super) fn redelivered(&self) -> bool {
        self.redelivered || self.given_back > 0
    }
}

/// What there is to read.
#[derive(Debug)]
pub(super) enum Next<E, T> {
    Event(Waiting<E, T>),
    /// The first rests, and those behind it wait with it: they may be of its subject.
    Rests(Instant),
    Nothing,
}

/// What became of an event that was given back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GivenBack<E> {
    /// It waits to be read again, or is with the broker.
    Kept,
    /// It was given back too often, and goes where the dead ones go.
    Dead(E),
}

#[derive(Debug)]
pub(super) struct Buffer<E, T> {
    limit: u32,
    life: u64,
    places: u64,
    ready: VecDeque<Waiting<E, T>>,
    held: usize,
    left: bool,
    dead: Vec<T>,
}

impl<E, T> Buffer<E, T> {
    /// An empty one, from which an event goes to the dead when it was given back `limit` times.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit,
            life: 0,
            places: 0,
            ready: VecDeque::new(),
            held: 0,
            left: false,
            dead: Vec::new(),
        }
    }

    /// The next from the broker.
    pub(super) fn push(&mut self, event: E, redelivered: bool, settle: T) {
        self.places += 1;
        self.ready.push_back(Waiting {
            life: self.life,
            place: self.places,
            given_back: 0,
            rests_until: None,
            redelivered,
            event,
            settle,
        });
    }

    /// The first unread.
    pub(super) fn take(&mut self, now: Instant) -> Next<E, T> {
        let rests_until = self.ready.front().and_then(|first| first.rests_until);
        if let Some(until) = rests_until.filter(|until| *until > now) {
            return Next::Rests(until);
        }
        match self.ready.pop_front() {
            Some(waiting) => {
                self.held += 1;
                Next::Event(waiting)
            }
            None => Next::Nothing,
        }
    }

    /// Whether this event's channel still lives.
    pub(super) fn is_alive(&self, life: u64) -> bool {
        life == self.life
    }

    /// An event of this life is dealt with.
    pub(super) fn let_go(&mut self, life: u64) {
        if self.is_alive(life) {
            self.held = self.held.saturating_sub(1);
        }
    }

    /// Puts an event back before all that came after it.
    pub(super) fn give_back(&mut self, mut waiting: Waiting<E, T>, now: Instant) -> GivenBack<E> {
        if !self.is_alive(waiting.life) {
            return GivenBack::Kept;
        }
        self.let_go(waiting.life);
        if self.left {
            return GivenBack::Kept;
        }
        waiting.given_back += 1;
        if waiting.given_back >= self.limit {
            self.dead.push(waiting.settle);
            return GivenBack::Dead(waiting.event);
        }
        waiting.rests_until = Some(now + rest(waiting.given_back));
        let at = self
            .ready
            .partition_point(|other| other.place < waiting.place);
        self.ready.insert(at, waiting);
        GivenBack::Kept
    }

    /// The channel is lost: the broker gives all of it out again.
    pub(super) fn lost(&mut self) {
        self.life += 1;
        self.ready.clear();
        self.dead.clear();
        self.held = 0;
    }

    /// Nobody reads any more.
    pub(super) fn leave(&mut self) {
        self.left = true;
    }

    /// Nobody reads and nobody holds anything: the channel may go.
    pub(super) fn is_over(&self) -> bool {
        self.left && self.held == 0
    }

    /// What is to be refused.
    pub(super) fn dead(&mut self) -> Vec<T> {
        std::mem::take(&mut self.dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(limit: u32, events: u32) -> Buffer<u32, u32> {
        let mut buffer = Buffer::new(limit);
        for n in 1..=events {
            buffer.push(n, false, n);
        }
        buffer
    }

    /// The first that is read when none rests any more.
    fn take(buffer: &mut Buffer<u32, u32>) -> Option<Waiting<u32, u32>> {
        match buffer.take(Instant::now() + REST.1) {
            Next::Event(waiting) => Some(waiting),
            Next::Rests(until) => panic!("rests until {until:?}"),
            Next::Nothing => None,
        }
    }

    fn all(buffer: &mut Buffer<u32, u32>) -> Vec<(u32, bool)> {
        std::iter::from_fn(|| take(buffer))
            .map(|waiting| (waiting.event, waiting.redelivered()))
            .collect()
    }

    #[test]
    fn what_is_given_back_rests_longer_each_time() {
        assert_eq!(rest(1), Duration::from_millis(10));
        assert_eq!(rest(2), Duration::from_millis(20));
        assert_eq!(rest(u32::MAX), Duration::from_secs(5));
        let mut buffer = buffer(9, 2);
        let first = take(&mut buffer).unwrap();
        let now = Instant::now();
        buffer.give_back(first, now);
        let until = now + rest(1);
        assert!(matches!(buffer.take(now), Next::Rests(at) if at == until));
        assert!(matches!(buffer.take(until), Next::Event(first) if first.event == 1));
        assert!(matches!(buffer.take(now), Next::Event(second) if second.event == 2));
    }

    #[test]
    fn what_is_given_back_returns_to_its_place() {
        let mut buffer = buffer(9, 4);
        let first = take(&mut buffer).unwrap();
        let second = take(&mut buffer).unwrap();
        assert_eq!(buffer.give_back(first, Instant::now()), GivenBack::Kept);
        assert_eq!(buffer.give_back(second, Instant::now()), GivenBack::Kept);
        let expected = [(1, true), (2, true), (3, false), (4, false)];
        assert_eq!(all(&mut buffer), expected);
    }

    #[test]
    fn what_is_given_back_too_often_is_dead_and_frees_those_behind_it() {
        let mut buffer = buffer(2, 2);
        let first = take(&mut buffer).unwrap();
        assert_eq!(buffer.give_back(first, Instant::now()), GivenBack::Kept);
        let first = take(&mut buffer).unwrap();
        assert_eq!(buffer.give_back(first, Instant::now()), GivenBack::Dead(1));
        assert_eq!(buffer.dead(), [1]);
        assert_eq!(all(&mut buffer), [(2, false)]);
    }

    #[test]
    fn what_came_on_a_lost_channel_is_forgotten() {
        let mut buffer = buffer(9, 3);
        let (acknowledged, given_back) = (take(&mut buffer).unwrap(), take(&mut buffer).unwrap());
        buffer.lost();
        buffer.push(1, true, 1);
        let held = take(&mut buffer).unwrap();
        buffer.let_go(acknowledged.life());
        assert_eq!(
            buffer.give_back(given_back, Instant::now()),
            GivenBack::Kept
        );
        buffer.leave();
        assert!(!buffer.is_over(), "the new one is still held");
        buffer.let_go(held.life());
        assert!(buffer.is_over());
        assert_eq!(all(&mut buffer), []);
    }

    #[test]
    fn a_member_that_left_is_over_when_it_holds_nothing() {
        let mut buffer = buffer(9, 2);
        let held = take(&mut buffer).unwrap();
        buffer.leave();
        assert!(!buffer.is_over());
        assert_eq!(buffer.give_back(held, Instant::now()), GivenBack::Kept);
        assert!(buffer.is_over());
        assert_eq!(all(&mut buffer), [(2, false)], "the broker has the first");
    }
}
