//! What was seen, in order: what the phones did, what routing published, what the story itself did. The board is how
//! things stand after it.

use super::text::words;
use centro_kernel::contact::{LeftReason, OfferEnd, Outcome};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Things that are written down. A story in which more is seen goes round in circles.
const MOST: usize = 5_000_000;

/// What is said then.
const TOO_MUCH: &str = "more happens than can be written down";

/// Somebody or something of the story, by name.
pub type Name = Arc<str>;

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The story did it.
    Told(String),
    /// A phone began to ring.
    Rings {
        /// Whose.
        agent: Name,
        /// For whom.
        caller: Name,
        /// In writing: several at once are no fault.
        chat: bool,
    },
    /// It rings no longer, and nobody talks.
    Silent {
        /// Whose.
        agent: Name,
        /// For whom.
        caller: Name,
        /// Why.
        why: OfferEnd,
    },
    /// Two were bridged.
    Talks {
        /// The caller.
        caller: Name,
        /// The agent.
        agent: Name,
        /// In writing.
        chat: bool,
    },
    /// They talk no longer.
    HungUp {
        /// The caller.
        caller: Name,
        /// The agent.
        agent: Name,
    },
    /// Routing: a caller has a place.
    Queued {
        /// Who.
        caller: Name,
        /// Where.
        queue: Name,
        /// The place, from 1.
        place: u32,
    },
    /// Routing: a supervisor gave a caller another priority.
    Reprioritised {
        /// Who.
        caller: Name,
        /// Higher is served first.
        priority: u32,
        /// The place, from 1.
        place: u32,
    },
    /// Routing: a caller goes first everywhere from here on.
    Boosted {
        /// Who.
        caller: Name,
    },
    /// Routing: a caller needs less from here on.
    Relaxed {
        /// Who.
        caller: Name,
        /// The step in force, from 0.
        step: u32,
    },
    /// Routing: an agent was reserved for a caller.
    Offered {
        /// Who waits.
        caller: Name,
        /// In which queue.
        queue: Name,
        /// For whom.
        agent: Name,
    },
    /// Routing: an offer is over.
    OfferEnded {
        /// Who waits.
        caller: Name,
        /// Who was asked.
        agent: Name,
        /// How it ended.
        why: OfferEnd,
    },
    /// Routing: a caller left the queue.
    Left {
        /// Who.
        caller: Name,
        /// Which queue.
        queue: Name,
        /// Why.
        reason: LeftReason,
        /// After how long.
        wait: Duration,
    },
    /// Routing: an agent is done with a caller.
    WrapUpEnded {
        /// Who.
        agent: Name,
        /// With whom.
        caller: Name,
        /// How long it took.
        took: Duration,
    },
    /// Routing: what an agent does has changed.
    State {
        /// Who.
        agent: Name,
        /// `ready`, `paused(Lunch)`.
        state: String,
        /// Where the agent is logged in.
        queues: Vec<Name>,
        /// Whether the phone can be rung.
        phone: bool,
    },
}

impl Fact {
    /// In plain words.
    pub fn words(&self) -> String {
        match self {
            Self::Told(what) => format!("> {what}"),
            Self::Rings { agent, caller, .. } => format!("{agent}'s phone rings for {caller}"),
            Self::Silent { agent, caller, why } => {
                let why = offer_end(*why);
                format!("{agent}'s phone rings no longer for {caller}: {why}")
            }
            Self::Talks { caller, agent, .. } => format!("{caller} talks with {agent}"),
            Self::HungUp { caller, agent } => format!("{caller} and {agent} talk no longer"),
            Self::Queued {
                caller,
                queue,
                place,
            } => format!("{caller} waits in {queue}, place {place}"),
            Self::Reprioritised {
                caller,
                priority,
                place,
            } => format!("{caller} has priority {priority} now, place {place}"),
            Self::Boosted { caller } => format!("{caller} goes first everywhere from here on"),
            Self::Relaxed { caller, step } => format!("{caller}'s needs are at step {}", step + 1),
            Self::Offered {
                caller,
                queue,
                agent,
            } => format!("{queue} offers {caller} to {agent}"),
            Self::OfferEnded { caller, agent, why } => {
                format!(
                    "the offer of {caller} to {agent} ended: {}",
                    offer_end(*why)
                )
            }
            Self::Left {
                caller,
                queue,
                reason,
                wait,
            } => format!(
                "{caller} left {queue}: {} ({}) after {}",
                reason_name(*reason),
                outcome_name(reason.outcome()),
                words(*wait)
            ),
            Self::WrapUpEnded {
                agent,
                caller,
                took,
            } => {
                format!("{agent} is done with {caller} after {}", words(*took))
            }
            Self::State {
                agent,
                state,
                phone,
                ..
            } => {
                let phone = if *phone || state == "logged_out" {
                    ""
                } else {
                    ", phone not registered"
                };
                format!("{agent} is {state}{phone}")
            }
        }
    }
}

/// How an agent stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `ready`, `paused(Lunch)`.
    pub state: String,
    /// Where the agent is logged in, in order of name.
    pub queues: Vec<Name>,
}

/// How a caller left last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Which queue.
    pub queue: Name,
    /// Why.
    pub reason: LeftReason,
    /// After how long.
    pub wait: Duration,
}

/// How things stand.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Whose phone rings for whom.
    pub rings: BTreeSet<(Name, Name)>,
    /// Who talks with whom, by caller.
    pub talks: BTreeMap<Name, Name>,
    /// Which queue a caller waits in.
    pub waits: BTreeMap<Name, Name>,
    /// How callers left.
    pub left: BTreeMap<Name, Departure>,
    /// Who was offered whom.
    pub offered: BTreeSet<(Name, Name)>,
    /// What agents do.
    pub agents: BTreeMap<Name, Standing>,
    /// Agents whose phone rings or who talk, in voice.
    engaged: BTreeMap<Name, Name>,
}

impl Board {
    /// Takes a fact over. Says what may never be, if it is.
    pub fn take(&mut self, fact: &Fact) -> Option<String> {
        match fact.clone() {
            Fact::Rings {
                agent,
                caller,
                chat,
            } => {
                self.rings.insert((agent.clone(), caller.clone()));
                return self.engage(agent, caller, chat);
            }
            Fact::Silent { agent, caller, .. } => {
                self.rings.remove(&(agent.clone(), caller.clone()));
                self.disengage(&agent, &caller);
            }
            Fact::Talks {
                caller,
                agent,
                chat,
            } => {
                self.rings.remove(&(agent.clone(), caller.clone()));
                if let Some(other) = self.talks.insert(caller.clone(), agent.clone())
                    && other != agent
                {
                    return Some(format!("{caller} talks with {other} and with {agent}"));
                }
                return self.engage(agent, caller, chat);
            }
            Fact::HungUp { caller, agent } => {
                self.talks.remove(&caller);
                self.disengage(&agent, &caller);
            }
            Fact::Queued { caller, queue, .. } => drop(self.waits.insert(caller, queue)),
            Fact::Offered { caller, agent, .. } => drop(self.offered.insert((agent, caller))),
            Fact::Left {
                caller,
                queue,
                reason,
                wait,
            } => {
                if self.waits.get(&caller) == Some(&queue) {
                    self.waits.remove(&caller);
                }
                let departure = Departure {
                    queue,
                    reason,
                    wait,
                };
                self.left.insert(caller, departure);
            }
            Fact::State {
                agent,
                state,
                queues,
                ..
            } => drop(self.agents.insert(agent, Standing { state, queues })),
            Fact::Told(_)
            | Fact::Reprioritised { .. }
            | Fact::Boosted { .. }
            | Fact::Relaxed { .. }
            | Fact::OfferEnded { .. }
            | Fact::WrapUpEnded { .. } => {}
        }
        None
    }

    /// What an agent does.
    pub fn state(&self, agent: &str) -> &str {
        self.agents
            .get(agent)
            .map_or("logged_out", |standing| standing.state.as_str())
    }

    fn engage(&mut self, agent: Name, caller: Name, chat: bool) -> Option<String> {
        if chat {
            return None;
        }
        let other = self.engaged.insert(agent.clone(), caller.clone())?;
        (other != caller).then(|| format!("{agent} has a call of {other} and one of {caller}"))
    }

    fn disengage(&mut self, agent: &Name, caller: &Name) {
        if self.engaged.get(agent) == Some(caller) {
            self.engaged.remove(agent);
        }
    }
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Log {
    /// When, since the story began, and what. What was before has the moment zero.
    pub facts: Vec<(Duration, Fact)>,
    /// How things stand.
    pub board: Board,
    /// What may never be, and was.
    pub broken: Vec<(Duration, String)>,
}

impl Log {
    /// Something was seen.
    pub fn saw(&mut self, at: Duration, fact: Fact) {
        if self.facts.len() > MOST {
            return;
        }
        let broken = match self.board.take(&fact) {
            None if self.facts.len() == MOST => Some(TOO_MUCH.to_owned()),
            broken => broken,
        };
        self.broken.extend(broken.map(|what| (at, what)));
        self.facts.push((at, fact));
    }
}

/// The name of a reason in stories (spec G12, D31).
pub const fn reason_name(reason: LeftReason) -> &'static str {
    match reason {
        LeftReason::Answered => "answered",
        LeftReason::Abandoned => "abandoned",
        LeftReason::DtmfExit => "dtmf_exit",
        LeftReason::Timeout => "timeout",
        LeftReason::LeftEmpty => "left_empty",
        LeftReason::JoinedEmpty => "joined_empty",
        LeftReason::QueueFull => "queue_full",
        LeftReason::TransferredByUser => "transferred_by_user",
        LeftReason::CallbackRequested => "callback_requested",
        LeftReason::CallbackCancelledByUser => "callback_cancelled_by_user",
        LeftReason::CallbackExpired => "callback_expired",
        LeftReason::NoSkillMatch => "no_skill_match",
        LeftReason::QueueClosed => "queue_closed",
        LeftReason::SystemFailure => "system_failure",
    }
}

/// Every reason, by its number (spec G12, D31).
pub const REASONS: [LeftReason; 14] = [
    LeftReason::Answered,
    LeftReason::Abandoned,
    LeftReason::DtmfExit,
    LeftReason::Timeout,
    LeftReason::LeftEmpty,
    LeftReason::JoinedEmpty,
    LeftReason::QueueFull,
    LeftReason::TransferredByUser,
    LeftReason::CallbackRequested,
    LeftReason::CallbackCancelledByUser,
    LeftReason::CallbackExpired,
    LeftReason::NoSkillMatch,
    LeftReason::QueueClosed,
    LeftReason::SystemFailure,
];

/// The name of an outcome in stories (spec G11).
pub const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Handled => "handled",
        Outcome::Abandoned => "abandoned",
        Outcome::Pending => "pending",
        Outcome::EvictedCustomer => "evicted_customer",
        Outcome::EvictedSystem => "evicted_system",
        Outcome::EvictedUser => "evicted_user",
    }
}

/// Every outcome.
pub const OUTCOMES: [Outcome; 6] = [
    Outcome::Handled,
    Outcome::Abandoned,
    Outcome::Pending,
    Outcome::EvictedCustomer,
    Outcome::EvictedSystem,
    Outcome::EvictedUser,
];

const fn offer_end(why: OfferEnd) -> &'static str {
    match why {
        OfferEnd::Answered => "answered",
        OfferEnd::NeverRang => "it never rang",
        OfferEnd::NoAnswer => "nobody answered",
        OfferEnd::Rejected => "declined",
        OfferEnd::CallerGone => "the caller hung up",
        OfferEnd::Cut => "the caller left",
        OfferEnd::Elsewhere => "somebody else answered",
        OfferEnd::Revoked => "the agent paused or logged out",
        OfferEnd::CommitFailed => "answered, but given up before the talk",
        OfferEnd::DeviceFailed => "the phone could not be reached",
        OfferEnd::Busy => "busy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_with_two_calls_at_once_is_never_right() {
        let rings = |caller: &str| Fact::Rings {
            agent: "bruno".into(),
            caller: caller.into(),
            chat: false,
        };
        let mut board = Board::default();
        assert_eq!(board.take(&rings("anna")), None);
        let said = board.take(&rings("carl")).unwrap();
        assert_eq!(said, "bruno has a call of anna and one of carl");
    }

    #[test]
    fn every_reason_has_its_number_and_its_own_name() {
        let names: BTreeSet<_> = REASONS.iter().map(|reason| reason_name(*reason)).collect();
        assert_eq!(names.len(), REASONS.len());
        assert_eq!(reason_name(REASONS[3]), "timeout");
        assert_eq!(reason_name(REASONS[11]), "no_skill_match");
    }
}
