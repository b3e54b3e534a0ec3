//! How a queue chooses the agent for the contact whose turn it is (spec D1, D25). The longest-waiting contact always comes
//! first; a strategy only orders agents.
//!
//! A strategy is an order ([`Strategy::turn`]) that changes only when the agent's own news change it, so agents are kept
//! sorted and a choice costs O(log n). A new one is a new variant and its arm.

use crate::{
    draw::{draw, spot},
    message::Presence,
};
use centro_kernel::{QueueId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Sorts before every agent.
const NOBODY: UserId = UserId::from_u128(0);

/// How agents take turns.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Strategy {
    /// Everybody rings; the first to answer gets the contact.
    RingAll,
    /// In turn, in the order the agents logged in.
    RoundRobin,
    /// The agent who received the last contact longest ago.
    LeastRecent,
    /// The agent whose last contact ended longest ago.
    #[default]
    LongestIdle,
    /// The agent with the fewest contacts since log-in.
    FewestCalls,
    /// The agent who talked least since log-in.
    LeastTalkTime,
    /// A fair draw, the same for the same history.
    Random,
    /// Always the first of the assigned agents who is free.
    Linear,
    /// The agent whose skills answer the contact's needs best.
    SkillsBest,
    /// The agent with the fewest open conversations.
    Balanced,
    /// The agent with the most open conversations who has room for one more.
    FillFirst,
    /// Nobody is chosen: agents pick.
    ManualPick,
}

/// An agent's place among the agents, or where a round begins; the lower is asked first.
pub type Turn = (u64, Timestamp, UserId);

impl Strategy {
    /// Where an agent stands in this strategy's order: its key, then who is idle longer, then the id. Somebody who talks
    /// to one customer and has room for another is idle since the last one came, not since one went.
    ///
    /// In round robin an agent keeps the place of its log-in whatever it did since: one that moved behind the last turn
    /// by having just been idle again would be asked twice.
    pub fn turn(self, queue: QueueId, agent: &Presence) -> Turn {
        let millis = |at: Timestamp| u64::try_from(at.as_millis()).unwrap_or(0);
        let key = match self {
            Self::RoundRobin => millis(agent.logged_in_at),
            Self::LeastRecent => millis(agent.received_at),
            Self::FewestCalls => u64::from(agent.contacts),
            Self::LeastTalkTime => u64::try_from(agent.talk.as_millis()).unwrap_or(u64::MAX),
            Self::Random => draw(agent.agent, agent.ver, queue),
            Self::Linear => agent.order,
            Self::Balanced => u64::from(agent.load),
            Self::FillFirst => u64::MAX - u64::from(agent.load),
            Self::RingAll | Self::LongestIdle | Self::SkillsBest | Self::ManualPick => 0,
        };
        let idle_since = match self {
            Self::RoundRobin => agent.logged_in_at,
            _ => agent.idle_since.max(agent.received_at),
        };
        (key, idle_since, agent.agent)
    }

    /// Behind which turn the next choice begins, and goes round; none: it begins at the front. `last` is the turn that
    /// was chosen last, `chosen` how many were chosen.
    ///
    /// A fair draw begins anywhere: the numbers that agents drew stay as they are until they served, so whoever drew a
    /// bad one would wait behind everybody who draws anew.
    pub fn begins_after(self, queue: QueueId, last: Option<Turn>, chosen: u64) -> Option<Turn> {
        match self {
            Self::RoundRobin => last,
            Self::Random => Some((spot(queue, chosen), Timestamp::from_millis(0), NOBODY)),
            _ => None,
        }
    }
}
