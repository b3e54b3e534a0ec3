//! The decision, with everything that speaks against it.

use super::{CallerId, InvalidCallerId, Invitation, NumberType, Rule};
use crate::{agent::State, figures::MeanWait};
use serde::{Deserialize, Serialize};

/// An agent, as far as it matters for a caller who may be offered a call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What the agent does.
    pub state: State,
    /// Logged in to this queue.
    pub logged_in: bool,
    /// The phone can be rung.
    pub reachable: bool,
    /// Has room for a contact of this medium.
    pub room: bool,
    /// Has the skills that this caller needs now, and is not excluded for this caller.
    pub fits: bool,
}

impl Candidate {
    /// Could be offered this caller at once (spec D21, 5.2).
    pub fn is_available(&self) -> bool {
        self.state == State::Ready && self.logged_in && self.reachable && self.room && self.fits
    }
}

/// How many of them could be offered the caller at once.
pub fn eligible_available(candidates: impl IntoIterator<Item = Candidate>) -> u32 {
    let available = candidates.into_iter().filter(Candidate::is_available);
    u32::try_from(available.count()).unwrap_or(u32::MAX)
}

/// What is known of a caller at the moment of judgement.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The caller's number.
    pub caller_id: &'a CallerId,
    /// Mean wait of those who left in the rule's window, the caller's own stays left out.
    pub mean_wait: MeanWait,
    /// Agents who could be offered the caller at once.
    pub available: u32,
    /// What was offered in this stay.
    pub invitation: Invitation,
}

/// Something that speaks against an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The queue does not offer call backs.
    Disabled,
    /// The tenant's plan has none.
    NotEntitled,
    /// The threshold or the window is out of range.
    RuleInvalid,
    /// It was offered in this stay already.
    AlreadyOffered,
    /// Nobody can be called at the caller's number.
    CallerId(InvalidCallerId),
    /// The queue may not call numbers of this type.
    NumberType(NumberType),
    /// Nobody left the queue in the window, so there is no mean.
    NoSample,
    /// The mean wait is not above the threshold.
    MeanNotAbove,
    /// Agents are available.
    AgentsAvailable,
}

/// A decision that explains itself: what was decided, why not, and on which numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The prompt is to be played.
    pub offered: bool,
    /// All that speaks against it; empty exactly when it is offered.
    pub against: Vec<Against>,
    /// The mean wait that was seen.
    pub mean_wait: MeanWait,
    /// The threshold it was compared with, in milliseconds.
    pub threshold_ms: u64,
    /// Agents who could be offered the caller at once.
    pub available: u32,
    /// The caller's number, as it was classified.
    pub caller_id: CallerId,
}

/// Decides whether the caller is offered a call back now (spec S25, S30, S31). Judged at entry and at every announcement
/// until offered (spec D20); the caller of this function plays the prompt and tells [`Invitation::offer`].
pub fn judge(rule: &Rule, situation: &Situation<'_>) -> Verdict {
    let Situation {
        caller_id,
        mean_wait,
        available,
        invitation,
    } = *situation;
    let mean = mean_wait.mean;
    let number = match caller_id {
        CallerId::Invalid(why) => Some(Against::CallerId(*why)),
        CallerId::Valid { number_type, .. } if !rule.number_types.contains(number_type) => {
            Some(Against::NumberType(*number_type))
        }
        CallerId::Valid { .. } => None,
    };
    let wait = if mean.count == 0 {
        Some(Against::NoSample)
    } else {
        (!mean.exceeds(rule.threshold)).then_some(Against::MeanNotAbove)
    };
    let against = [
        (!rule.enabled).then_some(Against::Disabled),
        (!rule.entitled).then_some(Against::NotEntitled),
        rule.validate().is_err().then_some(Against::RuleInvalid),
        invitation.is_offered().then_some(Against::AlreadyOffered),
        number,
        wait,
        (available > 0).then_some(Against::AgentsAvailable),
    ];
    let against: Vec<_> = against.into_iter().flatten().collect();
    Verdict {
        offered: against.is_empty(),
        against,
        mean_wait,
        threshold_ms: u64::try_from(rule.threshold.as_millis()).unwrap_or(u64::MAX),
        available,
        caller_id: caller_id.clone(),
    }
}
