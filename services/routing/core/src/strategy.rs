//! How a queue chooses the agent for the contact whose turn it is (spec D1). The longest-waiting contact always comes
//! first; a strategy only orders agents.
//!
//! A strategy is an order ([`Strategy::turn`]) and a starting point in it ([`Strategy::choose`]), so that a choice costs
//! O(log n). A new one is a new variant and its two arms.

use crate::message::Presence;
use centro_kernel::{Timestamp, UserId};
use std::{collections::BTreeSet, ops::Bound};

/// How agents take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The agent whose last contact ended longest ago.
    #[default]
    LongestIdle,
    /// In turn, in the order the agents logged in.
    RoundRobin,
}

/// An agent's place among the agents; the lower is asked first.
pub type Turn = (Timestamp, UserId);

impl Strategy {
    /// Where an agent stands in this strategy's order.
    pub const fn turn(self, presence: &Presence) -> Turn {
        let since = match self {
            Self::LongestIdle => presence.idle_since,
            Self::RoundRobin => presence.logged_in_at,
        };
        (since, presence.agent)
    }

    /// The next agent that fits. `last` is the turn that was chosen before.
    pub fn choose(
        self,
        free: &BTreeSet<Turn>,
        last: Option<Turn>,
        fits: impl Fn(UserId) -> bool,
    ) -> Option<Turn> {
        let fits = |turn: &&Turn| fits(turn.1);
        match (self, last) {
            (Self::RoundRobin, Some(last)) => free
                .range((Bound::Excluded(last), Bound::Unbounded))
                .chain(free.range(..=last))
                .find(fits)
                .copied(),
            _ => free.iter().find(fits).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agents(turns: &[(i64, u128)]) -> BTreeSet<Turn> {
        turns
            .iter()
            .map(|&(t, a)| (Timestamp::from_millis(t), UserId::from_u128(a)))
            .collect()
    }

    #[test]
    fn longest_idle_takes_who_waits_longest_whoever_was_last() {
        let free = agents(&[(30, 1), (10, 2), (20, 3)]);
        let last = Some((Timestamp::from_millis(10), UserId::from_u128(2)));
        let chosen = Strategy::LongestIdle.choose(&free, last, |_| true);
        assert_eq!(chosen.map(|t| t.1), Some(UserId::from_u128(2)));
    }

    #[test]
    fn round_robin_goes_on_after_the_last_and_starts_again_at_the_end() {
        let free = agents(&[(10, 1), (20, 2), (30, 3)]);
        let mut last = None;
        let mut order = vec![];
        for _ in 0..4 {
            last = Strategy::RoundRobin.choose(&free, last, |_| true);
            order.push(last.map(|t| t.1.as_u128()));
        }
        assert_eq!(order, [Some(1), Some(2), Some(3), Some(1)]);
    }

    #[test]
    fn an_agent_that_does_not_fit_is_passed_over() {
        let free = agents(&[(10, 1), (20, 2)]);
        for strategy in [Strategy::LongestIdle, Strategy::RoundRobin] {
            let chosen = strategy.choose(&free, None, |a| a != UserId::from_u128(1));
            assert_eq!(chosen.map(|t| t.1), Some(UserId::from_u128(2)));
            assert_eq!(strategy.choose(&free, None, |_| false), None);
        }
    }
}
