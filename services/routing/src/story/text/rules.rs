//! The settings of queues, by their names in the product.

use super::Span;
use serde::Deserialize;

/// A queue's settings by their names in the product; what is left out has the default of the product.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // named in docs/stories.md and in the product's own forms
pub struct Rules {
    pub medium: Option<Medium>,
    pub ring_strategy: Option<Strategy>,
    pub agent_ring_timeout: Option<Span>,
    pub retry_delay: Option<Span>,
    pub wrap_up: Option<WrapUp>,
    pub agent_may_end_wrap_up: Option<bool>,
    pub max_callers: Option<u32>,
    pub join_empty: Option<EmptyRule>,
    pub leave_empty: Option<EmptyRule>,
    pub leave_empty_grace: Option<Span>,
    pub available_states: Option<Vec<State>>,
    /// 1 to 1000; 0 takes the score away.
    pub weight: Option<u32>,
    pub aging: Option<Aging>,
    pub skill_match: Option<SkillMatch>,
    pub move_on_when_no_agent_matches: Option<bool>,
    pub rona: Option<Rona>,
    pub reject_delay: Option<Span>,
    pub busy_delay: Option<Span>,
    pub no_answer_delay: Option<Span>,
    pub connect_delay: Option<Span>,
}

impl Rules {
    /// These settings, and those of `other` where it says something.
    pub fn or(self, other: Self) -> Self {
        Self {
            medium: self.medium.or(other.medium),
            ring_strategy: self.ring_strategy.or(other.ring_strategy),
            agent_ring_timeout: self.agent_ring_timeout.or(other.agent_ring_timeout),
            retry_delay: self.retry_delay.or(other.retry_delay),
            wrap_up: self.wrap_up.or(other.wrap_up),
            agent_may_end_wrap_up: self.agent_may_end_wrap_up.or(other.agent_may_end_wrap_up),
            max_callers: self.max_callers.or(other.max_callers),
            join_empty: self.join_empty.or(other.join_empty),
            leave_empty: self.leave_empty.or(other.leave_empty),
            leave_empty_grace: self.leave_empty_grace.or(other.leave_empty_grace),
            available_states: self.available_states.or(other.available_states),
            weight: self.weight.or(other.weight),
            aging: self.aging.or(other.aging),
            skill_match: self.skill_match.or(other.skill_match),
            move_on_when_no_agent_matches: self
                .move_on_when_no_agent_matches
                .or(other.move_on_when_no_agent_matches),
            rona: self.rona.or(other.rona),
            reject_delay: self.reject_delay.or(other.reject_delay),
            busy_delay: self.busy_delay.or(other.busy_delay),
            no_answer_delay: self.no_answer_delay.or(other.no_answer_delay),
            connect_delay: self.connect_delay.or(other.connect_delay),
        }
    }
}

/// How customer and agent speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Medium {
    Voice,
    Chat,
}

/// How agents take turns (spec D1; the last three in chat, D25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Strategy {
    RingAll,
    RoundRobin,
    LeastRecent,
    LongestIdle,
    FewestCalls,
    LeastTalkTime,
    Random,
    Linear,
    SkillsBest,
    Balanced,
    FillFirst,
    ManualPick,
}

/// The time after a contact (spec D5).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrapUp {
    /// What ends it.
    pub mode: Option<WrapUpMode>,
    /// How long it takes.
    pub seconds: Option<Span>,
}

/// What ends the time after a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum WrapUpMode {
    None,
    Timed,
    TimedExtendable,
    UntilDone,
    FixedNoEarlyExit,
}

/// When a queue counts as empty (spec D8, D9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum EmptyRule {
    Allow,
    DenyIfNoneLoggedIn,
    DenyIfNoneAvailable,
}

/// Help for those who wait long (spec D17).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Aging {
    #[serde(default)]
    pub points_per_minute: u32,
    pub max_overtakes: Option<u32>,
    pub max_wait_guarantee: Option<Span>,
}

/// How a queue uses needs (spec D24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SkillMatch {
    AllRequired,
    BestMatch,
    None,
}

/// What missed offers lead to (spec D11).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rona {
    /// Offers missed in a row, 1 to 10.
    pub count: Option<u32>,
    /// What happens then.
    pub action: Option<RonaAction>,
    /// Where.
    pub scope: Option<RonaScope>,
}

/// What becomes of an agent who missed too many offers. `pause: Away` pauses with that reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum RonaAction {
    NotResponding,
    Pause(String),
    LogOut,
    None,
}

/// Where it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum RonaScope {
    AllQueues,
    ThisQueue,
}

/// What an agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum State {
    LoggedOut,
    Ready,
    Reserved,
    Alerting,
    Connected,
    WrapUp,
    Paused,
    NotResponding,
}
