//! What is to come, in the order of time.

use crate::letter::{Actor, Mail};

/// What is to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A letter arrives.
    Mail(Mail),
    /// The same without a network between: a person, or a letter of a zombie's time.
    Local(Mail),
    /// A letter is read by the old owner, if it still acts.
    AtZombie(Mail),
    /// An actor's earliest deadline.
    Wake(Actor),
    /// A plan.
    Plan(usize),
    /// Shards get new owners.
    TakeOver(Actor),
    /// A frozen node wakes.
    Thaw(Vec<Actor>, i64),
    /// It notices that it is no owner any more.
    Notice(Vec<Actor>),
    /// Browsers show a sign of life.
    Pulse,
    /// Everybody comes to work.
    AllReady,
    /// Time to look whether somebody waits in vain.
    Look,
}

/// Ordered by time, then by the order in which it was planned.
pub(super) struct Due(pub(super) i64, pub(super) u64, pub(super) Event);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}
