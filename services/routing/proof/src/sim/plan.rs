//! What can happen on a day, and how it reads.

use super::Aim;
use std::fmt;

/// One thing that happens; it can be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// A contact's life.
    Contact {
        /// Which.
        contact: usize,
        /// The queue it arrives at.
        queue: usize,
        /// Until it hangs up unless it talks.
        patience: i64,
        /// Until it presses `*`.
        star: Option<i64>,
        /// Until the node's time-out.
        timeout: Option<i64>,
        /// Until somebody moves it, and where to.
        moved: Option<(i64, usize)>,
    },
    /// An agent pauses and comes back.
    Pause {
        /// Who.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// An agent logs out and in again.
    LogOut {
        /// Who.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// An agent's device goes away and comes back.
    Offline {
        /// Whose.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// An agent's browser shows no sign of life for a while.
    Browser {
        /// Whose.
        agent: usize,
        /// For how long.
        back: i64,
    },
    /// Somebody picks a contact up, if it waits.
    PickUp {
        /// Who.
        agent: usize,
        /// Which.
        contact: usize,
    },
    /// A supervisor puts a contact first, if it waits.
    PutFirst {
        /// Which.
        contact: usize,
    },
    /// A routing node dies; its leases expire.
    Crash {
        /// Which.
        node: usize,
        /// Until others own its shards.
        lease: i64,
    },
    /// A routing node freezes, loses its shards, and wakes without knowing it.
    Freeze {
        /// Which.
        node: usize,
        /// Until others own its shards.
        lease: i64,
        /// From then on until it wakes.
        wakes: i64,
        /// Until it notices.
        awake: i64,
    },
    /// A node of edges dies with its calls; what outlives it gets new owners when the leases expire.
    CallsDie {
        /// Which.
        node: usize,
        /// Until others own its conversations and callbacks.
        lease: i64,
    },
    /// A node of edges freezes, loses what outlives it, and wakes without knowing it.
    EdgesFreeze {
        /// Which.
        node: usize,
        /// Until others own its conversations and callbacks.
        lease: i64,
        /// From then on until it wakes.
        wakes: i64,
        /// Until it notices.
        awake: i64,
    },
    /// The streams of a telephony node break.
    StreamsBreak {
        /// Which.
        node: usize,
    },
    /// A fault waits for the moment that hurts.
    Aim(Aim),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact {
                contact,
                queue,
                patience,
                star,
                timeout,
                moved,
            } => {
                write!(
                    f,
                    "contact {contact} arrives at queue {queue}, patience {patience} ms"
                )?;
                if let Some(star) = star {
                    write!(f, ", presses * after {star} ms")?;
                }
                if let Some(timeout) = timeout {
                    write!(f, ", node time-out {timeout} ms")?;
                }
                if let Some((after, to)) = moved {
                    write!(f, ", is moved to queue {to} after {after} ms")?;
                }
                Ok(())
            }
            Self::Pause { agent, back } => write!(f, "agent {agent} pauses for {back} ms"),
            Self::LogOut { agent, back } => write!(f, "agent {agent} logs out for {back} ms"),
            Self::Offline { agent, back } => {
                write!(f, "agent {agent}'s device is away for {back} ms")
            }
            Self::Crash { node, lease } => {
                write!(
                    f,
                    "routing node {node} dies; its leases expire after {lease} ms"
                )
            }
            Self::Freeze {
                node,
                lease,
                wakes,
                awake,
            } => write!(
                f,
                "routing node {node} freezes, loses its leases after {lease} ms, wakes {wakes} ms later and notices after {awake} ms"
            ),
            Self::Browser { agent, back } => {
                write!(f, "agent {agent}'s browser is away for {back} ms")
            }
            Self::PickUp { agent, contact } => {
                write!(f, "agent {agent} picks contact {contact} up")
            }
            Self::PutFirst { contact } => write!(f, "a supervisor puts contact {contact} first"),
            Self::CallsDie { node, lease } => {
                write!(
                    f,
                    "edge node {node} dies; its leases expire after {lease} ms"
                )
            }
            Self::EdgesFreeze {
                node,
                lease,
                wakes,
                awake,
            } => write!(
                f,
                "edge node {node} freezes, loses its leases after {lease} ms, wakes {wakes} ms later and notices after {awake} ms"
            ),
            Self::StreamsBreak { node } => write!(f, "the streams of edge node {node} break"),
            Self::Aim(aim) => write!(f, "aimed: {aim}"),
        }
    }
}
