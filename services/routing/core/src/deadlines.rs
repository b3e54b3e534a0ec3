//! How long each unfinished thing may last. All are local durations: no rule compares the clocks of two processes.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The protocol's deadlines (docs/protocol.md, "Deadlines").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// How long an agent with room waits for the bids of all its queues.
    pub solicit: Duration,
    /// How often an agent reminds a queue that did not answer.
    pub refresh: Duration,
    /// How long a reservation may stay without a contact.
    pub reserved: Duration,
    /// Added to the ring time before the agent gives a silent edge up; the edge always speaks first.
    pub ring_margin: Duration,
    /// How often a conversation's edge is asked whether it still has it.
    pub recheck: Duration,
    /// How long an agent whose device could not be reached is not asked again.
    pub unreachable: Duration,
    /// After this a bid is repeated and its contact may ask elsewhere.
    pub bid: Duration,
    /// How long a queue that was taken over waits for its contacts before it awards, and for its agents before it says
    /// that there are none.
    pub hold: Duration,
    /// How often an edge is told again where its contact is wanted.
    pub wish: Duration,
    /// How long a contact whose stream broke keeps its place.
    pub reattach: Duration,
    /// How long a promised callback keeps its place.
    pub promise: Duration,
    /// How long an agent counts as staffed whose desktop gives no sign of life: its lease and the grace after it.
    pub desktop: Duration,
    /// How long a queue remembers that a contact has left, and an agent how a reservation ended.
    pub tombstone: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            solicit: Duration::from_millis(100),
            refresh: Duration::from_secs(2),
            reserved: Duration::from_secs(3),
            ring_margin: Duration::from_secs(5),
            recheck: Duration::from_secs(30),
            unreachable: Duration::from_secs(10),
            bid: Duration::from_secs(1),
            hold: Duration::from_secs(2),
            wish: Duration::from_secs(1),
            reattach: Duration::from_secs(10),
            promise: Duration::from_secs(24 * 3_600),
            desktop: Duration::from_secs(45),
            tombstone: Duration::from_secs(60),
        }
    }
}
