//! Why: the table behind every offer (spec U1), and the answers to "why does this contact still wait" and "why does this
//! agent get no contact" (spec U2). Only facts; sentences are made of them where people read.

use crate::{
    agent::{AgentRecord, Chosen, Desktop, Part, Rest},
    message::Medium,
    queue::Wish,
    settings::Standing,
    skills::{Need, SkillMatch},
    strategy::Strategy,
};
use centro_kernel::{ContactId, QueueId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Agents that one table lists; how many more there were is said beside it.
pub const MOST_CANDIDATES: usize = 16;

/// The rule by which an agent was chosen, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// The contact was offered to this agent.
    Chosen,
    /// Free and able, but later in turn.
    LaterInTurn,
    /// Free and able, but declined this contact before.
    Declined,
    /// Just asked for another contact.
    AskedForAnother,
    /// Rings for this contact already.
    RingsForIt,
    /// Not to be offered this contact before this.
    Excluded(Timestamp),
    /// Does not meet these needs.
    Unskilled(Arc<[Need]>),
    /// Does something else.
    Busy(Standing),
    /// Ready, but left alone after an offer that came to nothing, or in as many contacts as allowed.
    NoRoom,
}

/// A verdict without its details, to count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)] // as in `Verdict`
pub enum VerdictKind {
    Chosen,
    LaterInTurn,
    Declined,
    AskedForAnother,
    RingsForIt,
    Excluded,
    Unskilled,
    InContact,
    WrapUp,
    Paused,
    NotResponding,
    Unreachable,
    NoRoom,
}

/// One agent's line in the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub agent: UserId,
    /// Which rule decided.
    pub verdict: Verdict,
    /// How well the agent's skills answer the needs; it counts only where the queue goes by it.
    pub score: u32,
    /// The strategy's own key, e.g. contacts since log-in or the draw; the lower comes first.
    pub key: u64,
    /// Of equal keys the one idle longer comes first.
    pub idle_since: Timestamp,
}

/// Why a contact was offered to this agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decision {
    /// Version of the queue's configuration.
    pub version: u64,
    /// How agents take turns.
    pub strategy: Strategy,
    /// How needs are used.
    pub skill_match: SkillMatch,
    /// What the contact needs now.
    pub needs: Vec<Need>,
    /// A person took the contact out of turn; there was no choice.
    pub picked_up: bool,
    /// The chosen agent, then the others in turn, then those who could not be chosen; at most [`MOST_CANDIDATES`].
    pub candidates: Vec<Candidate>,
    /// Agents of the queue that are not listed.
    pub others: u32,
}

/// Why a contact still waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyWaiting {
    /// Its place in line, from 1.
    pub position: u32,
    /// What it needs now.
    pub needs: Vec<Need>,
    /// The step of its needs, from 0.
    pub step: u8,
    /// When the next step holds.
    pub relaxes_at: Option<Timestamp>,
    /// It is offered to nobody before this: an offer was not answered.
    pub retries_at: Option<Timestamp>,
    /// Its stream is broken and expected back.
    pub detached: bool,
    /// The queue has just changed its owner and waits for those it knows.
    pub holding: bool,
    /// A person wants it elsewhere.
    pub wish: Option<Wish>,
    /// Agents whose device rings for it.
    pub rings_at: Vec<UserId>,
    /// How many agents are logged in.
    pub logged_in: u32,
    /// How many of them fall under which rule.
    pub counts: BTreeMap<VerdictKind, u32>,
    /// The agents, at most [`MOST_CANDIDATES`].
    pub candidates: Vec<Candidate>,
}

/// Why an agent gets no contact, from the agent's own record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Hindrance {
    /// Serves no queue.
    LoggedOut,
    /// Paused, for this reason.
    Paused(String),
    /// Missed too many offers.
    NotResponding,
    /// Left alone until then.
    Rests(Timestamp, Rest),
    /// The phone is not registered.
    PhoneOffline,
    /// The desktop shows no sign of life.
    DesktopGone,
    /// In contact, or finishing one: no capacity is left.
    Full(Medium),
    /// Paused in this queue.
    PausedIn(QueueId, String),
    /// Missed too many offers of this queue.
    NotRespondingIn(QueueId),
}

/// Why an agent gets no contact of one queue, as the queue sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyIdle {
    /// How many wait.
    pub waiting: u32,
    /// The first contact the agent could be given; none when nobody waits whom the agent may serve.
    pub could_serve: Option<ContactId>,
    /// Of those who wait, how many need what the agent cannot do.
    pub unskilled: u32,
    /// Of those who wait, how many ring elsewhere or are not to be offered to anybody now.
    pub not_open: u32,
    /// Of those who wait, how many are not to be offered to this agent for now.
    pub excluded: u32,
    /// The queue has just changed its owner and waits for those it knows.
    pub holding: bool,
    /// Nobody is chosen here: agents pick.
    pub manual: bool,
}

impl AgentRecord {
    /// What keeps this agent from contacts, whatever waits. Empty: nothing does.
    pub fn hindrances(&self) -> Vec<Hindrance> {
        let mut all = Vec::new();
        match &self.chosen {
            Chosen::LoggedOut => {
                all.push(Hindrance::LoggedOut);
                return all;
            }
            Chosen::Paused(reason) => all.push(Hindrance::Paused(reason.clone())),
            Chosen::Ready => {}
        }
        if self.not_responding {
            all.push(Hindrance::NotResponding);
        }
        if let Some((until, why)) = self.rest {
            all.push(Hindrance::Rests(until, why));
        }
        if self.desktop == Desktop::Gone {
            all.push(Hindrance::DesktopGone);
        }
        let has = |medium| self.memberships.iter().any(|m| m.medium == medium);
        if has(Medium::Voice) && !self.device_online {
            all.push(Hindrance::PhoneOffline);
        }
        for medium in [Medium::Voice, Medium::Chat] {
            if has(medium) && !self.has_capacity(medium) {
                all.push(Hindrance::Full(medium));
            }
        }
        for membership in self.memberships.iter() {
            match &membership.part {
                Part::Taken => {}
                Part::Paused(reason) => {
                    all.push(Hindrance::PausedIn(membership.queue, reason.to_string()));
                }
                Part::NotResponding => all.push(Hindrance::NotRespondingIn(membership.queue)),
            }
        }
        all
    }
}

impl Verdict {
    /// Which one it is, without details.
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Chosen => VerdictKind::Chosen,
            Self::LaterInTurn => VerdictKind::LaterInTurn,
            Self::Declined => VerdictKind::Declined,
            Self::AskedForAnother => VerdictKind::AskedForAnother,
            Self::RingsForIt => VerdictKind::RingsForIt,
            Self::Excluded(_) => VerdictKind::Excluded,
            Self::Unskilled(_) => VerdictKind::Unskilled,
            Self::Busy(Standing::InContact) => VerdictKind::InContact,
            Self::Busy(Standing::WrapUp) => VerdictKind::WrapUp,
            Self::Busy(Standing::Paused) => VerdictKind::Paused,
            Self::Busy(Standing::NotResponding) => VerdictKind::NotResponding,
            Self::Busy(Standing::Unreachable) => VerdictKind::Unreachable,
            Self::Busy(Standing::Ready) | Self::NoRoom => VerdictKind::NoRoom,
        }
    }
}
