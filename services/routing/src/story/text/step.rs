//! `when`: what happens.

use super::{Moment, Organisation, Phone, Range, Rules, Span};
use serde::Deserialize;

/// One thing that happens. Exactly one of `call`, `hang_up`, `press`, `agent`, `supervisor`, `configure`, `delete`, `assign`,
/// `unassign`, `skill`, `organisation` and `kill` is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When; at the same moment as the step before, when it is not said.
    pub at: Option<Moment>,
    /// A caller comes.
    pub call: Option<String>,
    /// Which queue.
    pub queue: Option<String>,
    /// Higher is served first.
    pub priority: Option<u32>,
    /// What the caller needs.
    pub needs: Option<Vec<String>>,
    /// Hangs up after waiting so long.
    pub patience: Option<Range>,
    /// The Queue node's time-out.
    pub timeout: Option<Span>,
    /// Hangs up after so long a talk.
    pub talks: Option<Range>,
    /// Many callers instead of one.
    pub repeat: Option<Repeat>,
    /// A caller hangs up.
    pub hang_up: Option<String>,
    /// A caller presses a key.
    pub press: Option<String>,
    /// Who presses it.
    pub caller: Option<String>,
    /// An agent does something.
    pub agent: Option<String>,
    /// What the agent does.
    pub does: Option<Does>,
    /// A supervisor does something.
    pub supervisor: Option<Supervises>,
    /// The code with which it must be refused.
    pub refused: Option<String>,
    /// Settings of a queue change.
    pub configure: Option<String>,
    /// To what.
    pub set: Option<Rules>,
    /// A queue is deleted.
    pub delete: Option<String>,
    /// An agent is assigned to a queue.
    pub assign: Option<Assignment>,
    /// An agent is no longer assigned to a queue.
    pub unassign: Option<Assignment>,
    /// An agent learns or forgets a skill.
    pub skill: Option<Learned>,
    /// Settings of the organisation change.
    pub organisation: Option<Organisation>,
    /// An actor dies. It comes back from what is stored.
    pub kill: Option<Kill>,
}

/// Many callers, named with a number behind: `anna-1`, `anna-2`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How many.
    pub count: u32,
    /// From one to the next; on the average, when `random`.
    pub every: Span,
    /// As callers really come: by lot, one independent of the other.
    #[serde(default)]
    pub random: bool,
}

/// What an agent does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Logs in, ready, to all queues.
    LogIn,
    /// Logs in in a certain way.
    LogInWith(LogIn),
    /// Logs out.
    LogOut,
    /// Becomes ready.
    Ready,
    /// Pauses for a reason.
    Pause(String),
    /// Pauses in one queue.
    PauseIn(PauseIn),
    /// Takes part in one queue again.
    ResumeIn(String),
    /// Ends the wrap-up.
    EndWrapUp,
    /// Prolongs the wrap-up by so much.
    Extend(Span),
    /// Answers the phone.
    Answer,
    /// Declines the call.
    Decline,
    /// Hangs up.
    HangUp,
    /// The phone registers.
    PhoneComes,
    /// The phone's registration ends.
    PhoneGoes,
    /// The phone behaves like this from now on.
    Phone(Phone),
    /// Closes the desktop on purpose.
    CloseDesktop,
    /// The desktop shows no sign of life any more.
    LoseDesktop,
    /// The desktop is back.
    OpenDesktop,
}

/// How somebody logs in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// To these queues; to all that the agent is assigned to, when none is named.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Paused instead of ready.
    #[serde(default)]
    pub paused: bool,
}

/// A pause in one queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseIn {
    /// Which.
    pub queue: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What a supervisor does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervises {
    /// Gives a waiting caller another priority.
    SetPriority {
        /// Who waits.
        caller: String,
        /// Higher is served first.
        priority: u32,
    },
    /// Moves a waiting caller to another queue.
    Move {
        /// Who waits.
        caller: String,
        /// Where to.
        to: String,
    },
    /// Takes a waiting caller out of the queue.
    TakeOut(String),
    /// Somebody picks up a waiting caller out of turn.
    PickUp {
        /// Who waits.
        caller: String,
        /// Whose phone rings.
        by: String,
    },
    /// Ends an agent's wrap-up.
    EndWrapUp(String),
    /// Prolongs an agent's wrap-up.
    Extend {
        /// Whose.
        agent: String,
        /// By how much.
        by: Span,
    },
    /// Logs an agent in.
    LogIn {
        /// Whom.
        agent: String,
        /// Where; everywhere, when nothing is said.
        #[serde(default)]
        queues: Vec<String>,
    },
    /// Logs an agent out.
    LogOut(String),
    /// Pauses an agent.
    Pause {
        /// Whom.
        agent: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// Makes an agent ready.
    Ready(String),
}

/// An agent and a queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// Who.
    pub agent: String,
    /// Where.
    pub queue: String,
}

/// A skill of an agent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Who.
    pub agent: String,
    /// Which skill.
    pub skill: String,
    /// 1 to 10; 0 takes it away.
    pub level: u8,
}

/// Whose actor dies.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kill {
    /// A queue's.
    Queue(String),
    /// An agent's.
    Agent(String),
}
