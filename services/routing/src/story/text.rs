//! A story as it is written: the YAML and nothing else. What is said twice, left out or misspelt is an error with its
//! line; what the words mean is `plan`'s business.

mod check;
mod named;
mod rules;
mod step;
mod time;

pub use check::{Amount, Check, Left, Lines, Never};
pub use named::Named;
pub use rules::{
    EmptyRule, Medium, RonaAction, RonaScope, Rules, SkillMatch, State, Strategy, WrapUpMode,
};
pub use step::{Assignment, Does, Kill, Learned, Repeat, Step, Supervises};
pub use time::{Moment, Range, Span, TimeOfDay, words};

use serde::Deserialize;
use serde_saphyr::Spanned;

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What it tells, in one sentence.
    pub story: String,
    /// How things stand when it begins.
    pub given: Given,
    /// What happens.
    #[serde(default)]
    pub when: Vec<Spanned<Step>>,
    /// What must be seen.
    pub then: Vec<Spanned<Check>>,
    /// When it ends; a second after the last entry when it is not said.
    pub ends: Option<Moment>,
}

/// How things stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The time of day at which the story begins.
    pub clock: Option<TimeOfDay>,
    /// What is drawn by lot is drawn from it: the same seed, the same story.
    #[serde(default)]
    pub seed: u64,
    /// What holds for everybody.
    #[serde(default)]
    pub organisation: Organisation,
    /// The queues and their settings.
    pub queues: Named<Spanned<Rules>>,
    /// Every skill there is.
    #[serde(default)]
    pub skills: Vec<String>,
    /// The agents.
    #[serde(default)]
    pub agents: Named<Spanned<Agent>>,
    /// What holds for every caller of whom nothing else is said.
    #[serde(default)]
    pub callers: Caller,
}

/// Settings of the organisation.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// People may be logged in to queues to which they are not assigned (spec S47).
    #[serde(default)]
    pub log_in_to_any_queue: bool,
}

/// An agent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The queues to which the agent is assigned.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Skills and their levels, 1 to 10.
    #[serde(default)]
    pub skills: Named<u8>,
    /// What the phone does by itself.
    #[serde(default)]
    pub phone: Phone,
    /// Whether the agent is logged in when the story begins; yes, when it is not said.
    pub logged_in: Option<bool>,
    /// Whether the agent is ready then; otherwise paused.
    pub ready: Option<bool>,
    /// How much at once.
    #[serde(default)]
    pub capacity: Capacity,
    /// The agent sits at a desktop that shows a sign of life so often.
    pub desktop: Option<Span>,
    /// Place in a linear queue; the lower comes first.
    pub order: Option<u32>,
    /// So many agents of this kind, named with a number behind: `night-1`, `night-2`.
    pub count: Option<u32>,
}

/// What a phone does by itself; nothing, when nothing is said: then it rings until the story says more.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// Answers after so long a ring.
    pub answers_after: Option<Range>,
    /// Declines after so long a ring.
    pub declines_after: Option<Range>,
    /// Hangs up after so long a talk.
    pub talks: Option<Range>,
    /// Says that it is busy.
    #[serde(default)]
    pub busy: bool,
    /// Is not there.
    #[serde(default)]
    pub unregistered: bool,
}

/// How much an agent can do at once (spec D25).
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Conversations at the same time, 1 to 30.
    pub chats: Option<u8>,
    /// Whether a call may reach somebody who is in conversations.
    #[serde(default)]
    pub voice_interrupts_chat: bool,
}

/// What a caller is like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Which queue; the only one, when there is one.
    pub queue: Option<String>,
    /// Higher is served first.
    pub priority: Option<u32>,
    /// Needs, step by step: `french >= 5 and sales >= 2 for 30s`.
    pub needs: Option<Vec<String>>,
    /// Hangs up after waiting so long.
    pub patience: Option<Range>,
    /// The Queue node's time-out.
    pub timeout: Option<Span>,
    /// Hangs up after so long a talk.
    pub talks: Option<Range>,
}
