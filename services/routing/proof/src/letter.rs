//! What travels between the parties, and how it reads.

mod text;

use centro_edge::Command;
use centro_kernel::contact::Reservation;
use centro_routing_core::{AgentMessage, AgentTimer, QueueMessage, QueueTimer};

/// One party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A queue, by number.
    Queue(usize),
    /// An agent.
    Agent(usize),
    /// A contact's edge.
    Contact(usize),
}

/// What is said to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Letter {
    /// To a queue.
    Queue(QueueMessage),
    /// To an agent.
    Agent(AgentMessage),
    /// To an edge: a message or an answer, as telephony hands it over.
    Edge(Command),
    /// To the process that held a contact: does it use this reservation?
    HasOffer(Reservation),
}

/// A letter on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mail {
    /// To whom.
    pub to: Actor,
    /// What it says.
    pub letter: Letter,
}

impl Mail {
    pub(crate) const fn queue(to: usize, message: QueueMessage) -> Self {
        Self {
            to: Actor::Queue(to),
            letter: Letter::Queue(message),
        }
    }

    pub(crate) const fn agent(to: usize, message: AgentMessage) -> Self {
        Self {
            to: Actor::Agent(to),
            letter: Letter::Agent(message),
        }
    }

    pub(crate) const fn edge(to: usize, command: Command) -> Self {
        Self {
            to: Actor::Contact(to),
            letter: Letter::Edge(command),
        }
    }

    /// Whether a frozen owner may still get it. What its contact's process was told came down a stream, or as an answer to
    /// that process: both end with it. It may still be asked what it holds.
    pub(crate) const fn is_read_by_zombies(&self) -> bool {
        !matches!(
            (self.to, &self.letter),
            (Actor::Contact(_), Letter::Edge(_))
        )
    }

    /// Told by those who watch owners and processes, again and again until it was heard: it may be late, never lost.
    pub const fn is_sure(&self) -> bool {
        matches!(
            self.letter,
            Letter::Queue(QueueMessage::EdgeDead { .. } | QueueMessage::Detached { .. })
                | Letter::Agent(AgentMessage::EdgeDead { .. } | AgentMessage::QueueMoved { .. })
                | Letter::Edge(Command::QueueLost { .. })
        )
    }
}

/// An edge's deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeTimer {
    /// Unanswered requests are repeated.
    Retry,
    /// What asks or rings has done so for long enough.
    Ring,
    /// The end of the briefing was not told.
    Brief,
    /// The commit is given up.
    Commit,
}

/// A deadline of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// Of a queue.
    Queue(QueueTimer),
    /// Of an agent.
    Agent(AgentTimer),
    /// Of an edge.
    Edge(EdgeTimer),
}

impl Timer {
    /// Only repeats what was said; no harm at any time.
    pub const fn is_repeat(&self) -> bool {
        matches!(
            self,
            Self::Edge(EdgeTimer::Retry) | Self::Agent(AgentTimer::Refresh)
        )
    }
}
