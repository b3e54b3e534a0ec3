//! A story whose words are understood: names are known, moments are counted from its start, what is out of range or says
//! two things at once was refused with its line.

mod checks;
mod given;
mod needs;
mod steps;

use super::{
    check::Claim,
    log::Name,
    text::{self, Moment, Phone, Range, Rules},
};
use centro_kernel::{ContactId, QueueId, SkillId, UserId};
use centro_routing_core::{Capacity, Needs};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How long the agents have to log in before a story begins.
pub const PRELUDE: Duration = Duration::from_secs(10);
/// People, queues and callers that one story may have.
const MOST: usize = 100_000;

/// Why a file is no story.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Wrong {
    /// Where, when that is known.
    pub line: Option<u64>,
    /// What is wrong, and what to write instead.
    pub text: String,
}

/// Everything about a story.
#[derive(Debug)]
pub struct Plan {
    /// What it tells.
    pub title: String,
    /// The time of day at which it begins.
    pub clock: Duration,
    /// What is drawn by lot is drawn from it.
    pub seed: u64,
    /// How long it lasts.
    pub lasts: Duration,
    /// Who is in it.
    pub cast: Cast,
    /// People may be logged in to queues to which they are not assigned.
    pub log_in_to_any_queue: bool,
    /// The queues, with their settings.
    pub queues: Vec<(QueueId, Rules)>,
    /// The agents.
    pub agents: Vec<Agent>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What must be seen.
    pub checks: Vec<Check>,
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Who.
    pub id: UserId,
    /// By name.
    pub name: Name,
    /// Assigned to.
    pub queues: Vec<QueueId>,
    /// What the agent can do.
    pub skills: Vec<(SkillId, u8)>,
    /// How much at once.
    pub capacity: Capacity,
    /// What the phone does.
    pub phone: Phone,
    /// Logged in from the start, and ready.
    pub logged_in: Option<bool>,
    /// How often the desktop shows a sign of life.
    pub desktop: Option<Duration>,
    /// Place in a linear queue.
    pub order: u32,
}

/// A caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub id: ContactId,
    /// By name.
    pub name: Name,
    /// Where to.
    pub queue: QueueId,
    /// Higher is served first.
    pub priority: u32,
    /// What the caller needs.
    pub needs: Arc<Needs>,
    /// Hangs up after waiting so long.
    pub patience: Option<Duration>,
    /// The Queue node's time-out.
    pub timeout: Option<Duration>,
    /// Hangs up after so long a talk.
    pub talks: Option<Duration>,
}

/// One thing that happens.
#[derive(Debug)]
pub struct Step {
    /// When, since the start.
    pub at: Duration,
    /// Where it is written.
    pub line: u64,
    /// In plain words.
    pub words: String,
    /// What.
    pub action: Action,
    /// The code with which it must be refused.
    pub refused: Option<String>,
}

/// What happens.
#[derive(Debug)]
pub enum Action {
    /// A caller comes.
    Call(Box<Caller>),
    /// A caller hangs up.
    HangUp(ContactId),
    /// A caller presses `*`.
    Star(ContactId),
    /// A person asks for something: for oneself, or as a supervisor for another.
    Ask {
        /// Who asks: an agent, or nobody in particular with a supervisor's rights.
        by: Option<UserId>,
        /// For what.
        request: Request,
    },
    /// A phone is touched.
    Phone(UserId, Touch),
    /// A desktop shows signs of life again, or no longer.
    Desktop(UserId, bool),
    /// A queue's settings change.
    Configure(QueueId, Box<Rules>),
    /// A queue is deleted.
    Delete(QueueId),
    /// An agent is assigned to a queue, or no longer.
    Assign(UserId, QueueId, bool),
    /// An agent has a skill at this level; at level 0 no longer.
    Teach(UserId, SkillId, u8),
    /// People may be logged in to queues to which they are not assigned, or no longer.
    LogInToAnyQueue(bool),
    /// A queue's actor dies.
    KillQueue(QueueId),
    /// An agent's actor dies.
    KillAgent(UserId),
}

/// What people ask for.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the requests of routing's public doors
pub enum Request {
    LogIn {
        agent: UserId,
        queues: Vec<QueueId>,
        ready: bool,
        desktop: bool,
    },
    LogOut(UserId),
    Ready(UserId),
    Pause(UserId, String),
    PauseIn(UserId, QueueId, String),
    ResumeIn(UserId, QueueId),
    EndWrapUp(UserId),
    Extend(UserId, Duration),
    CloseDesktop(UserId),
    SetPriority(ContactId, u32),
    Move(ContactId, QueueId),
    TakeOut(ContactId),
    PickUp(ContactId),
}

/// What is done to a phone.
#[derive(Debug, Clone, Copy)]
pub enum Touch {
    /// It is answered.
    Answer,
    /// The call is declined.
    Decline,
    /// The receiver is put down.
    HangUp,
    /// It registers, or its registration ends.
    Register(bool),
    /// It behaves like this from now on.
    Behave(Phone),
}

/// Something that must be seen.
#[derive(Debug)]
pub struct Check {
    /// Where it is written.
    pub line: u64,
    /// When; at some moment, or at the end, when it is not said.
    pub at: Option<Duration>,
    /// So much later is still good.
    pub within: Duration,
    /// Counts and `never` begin here.
    pub from: Duration,
    /// `never` ends here.
    pub until: Option<Duration>,
    /// What must be so.
    pub claims: Vec<Claim>,
    /// What must not be so.
    pub never: Vec<Claim>,
}

/// Who is in a story: names and ids, both ways.
#[derive(Debug, Default)]
pub struct Cast {
    queues: Names<QueueId>,
    agents: Names<UserId>,
    callers: Names<ContactId>,
    skills: Names<SkillId>,
}

#[derive(Debug)]
struct Names<I> {
    ids: BTreeMap<Name, I>,
    names: BTreeMap<I, Name>,
}

/// What has an id.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Queue = 1,
    Agent,
    Caller,
    Skill,
}

impl<I> Default for Names<I> {
    fn default() -> Self {
        let (ids, names) = (BTreeMap::new(), BTreeMap::new());
        Self { ids, names }
    }
}

impl<I: Copy + Ord> Names<I> {
    /// The ids of a kind are in the order in which its members are named, and no two kinds have the same; another seed is
    /// another draw between them.
    fn add(&mut self, name: &str, seed: u64, kind: Kind, id: fn(u128) -> I) -> Option<(I, Name)> {
        let number = self.ids.len() as u128 + 1;
        let number = u128::from(seed) << 64 | u128::from(kind as u8) << 56 | number;
        let (id, name) = (id(number), Name::from(name));
        if self.ids.contains_key(&name) {
            return None;
        }
        self.ids.insert(name.clone(), id);
        self.names.insert(id, name.clone());
        Some((id, name))
    }

    fn name(&self, id: I) -> Name {
        self.names.get(&id).cloned().unwrap_or_else(|| "?".into())
    }
}

impl Cast {
    /// A queue's name.
    pub fn queue(&self, id: QueueId) -> Name {
        self.queues.name(id)
    }

    /// An agent's name.
    pub fn agent(&self, id: UserId) -> Name {
        self.agents.name(id)
    }

    /// A caller's name.
    pub fn caller(&self, id: ContactId) -> Name {
        self.callers.name(id)
    }

    /// The queue or agent of this name.
    #[cfg(test)]
    pub fn actor(&self, name: &str) -> crate::router::Actor {
        use crate::router::Actor;
        let queue = self.queues.ids.get(name).copied().map(Actor::Queue);
        let agent = self.agents.ids.get(name).copied().map(Actor::Agent);
        queue
            .or(agent)
            .unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// Every queue.
    pub fn queues(&self) -> impl Iterator<Item = (&Name, QueueId)> {
        self.queues.ids.iter().map(|(name, id)| (name, *id))
    }
}

/// What is needed to understand an entry.
struct Reader {
    cast: Cast,
    seed: u64,
    clock: Duration,
    /// Who has a desktop.
    desktops: BTreeSet<UserId>,
    /// The queues of conversations in writing.
    in_writing: BTreeSet<QueueId>,
    /// The moment of the entry before.
    last: Duration,
    /// Where the entry is.
    line: Option<u64>,
}

type Read<T> = Result<T, Wrong>;

impl Reader {
    fn wrong<T>(&self, text: impl Into<String>) -> Read<T> {
        Err(Wrong {
            line: self.line,
            text: text.into(),
        })
    }

    fn find<I: Copy>(&self, kind: &str, all: &BTreeMap<Name, I>, name: &str) -> Read<I> {
        match all.get(name) {
            Some(id) => Ok(*id),
            None => {
                let known: Vec<_> = all.keys().take(12).map(AsRef::as_ref).collect();
                let known = match known.as_slice() {
                    [] => "there is none".to_owned(),
                    names => format!("there is {}", names.join(", ")),
                };
                self.wrong(format!("there is no {kind} `{name}`: {known}"))
            }
        }
    }

    fn queue(&self, name: &str) -> Read<QueueId> {
        self.find("queue", &self.cast.queues.ids, name)
    }

    fn agent(&self, name: &str) -> Read<UserId> {
        self.find("agent", &self.cast.agents.ids, name)
    }

    fn caller(&self, name: &str) -> Read<ContactId> {
        self.find("caller", &self.cast.callers.ids, name)
    }

    fn skill(&self, name: &str) -> Read<SkillId> {
        self.find("skill", &self.cast.skills.ids, name)
    }

    fn only_queue(&self) -> Read<QueueId> {
        let mut all = self.cast.queues.ids.values();
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(*only),
            _ => self.wrong("there are several queues: say which"),
        }
    }

    fn moment(&mut self, moment: Option<Moment>) -> Read<Duration> {
        let at = match moment {
            None => self.last,
            Some(Moment::FromStart(at)) => at,
            Some(Moment::Later(by)) => self.last + by,
            Some(Moment::OfDay(at)) => match at.checked_sub(self.clock) {
                Some(at) => at,
                None => return self.wrong("this is before the story begins"),
            },
        };
        self.last = at;
        Ok(at)
    }

    /// A number drawn by lot for the nth thing of a kind.
    fn lot(&self, kind: u64, n: usize) -> u64 {
        drawn(self.seed, &[kind, n as u64])
    }
}

/// A number that looks drawn by lot, and is always the same for the same seed and the same things (splitmix64).
pub fn drawn(seed: u64, about: &[u64]) -> u64 {
    about.iter().fold(seed, |state, thing| {
        let mut z = state
            .wrapping_add(*thing)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Understands a story.
///
/// # Errors
/// The first thing that makes no sense.
pub fn read(yaml: &str) -> Read<Plan> {
    let options = serde_saphyr::options! { with_snippet: false };
    let story = serde_saphyr::from_str_with_options(yaml, options);
    let story: text::Story = story.map_err(|error| Wrong {
        line: error.location().map(|location| location.line()),
        text: error.to_string(),
    })?;
    let given = story.given;
    let mut reader = Reader {
        cast: Cast::default(),
        seed: given.seed,
        clock: given.clock.map_or(Duration::from_secs(9 * 3600), |c| c.0),
        desktops: BTreeSet::new(),
        in_writing: BTreeSet::new(),
        last: Duration::ZERO,
        line: None,
    };
    let queues = reader.queues(given.queues)?;
    for skill in &given.skills {
        if reader
            .cast
            .skills
            .add(skill, 0, Kind::Skill, SkillId::from_u128)
            .is_none()
        {
            return reader.wrong(format!("the skill `{skill}` is named twice"));
        }
    }
    let agents = reader.agents(given.agents)?;
    let steps = reader.steps(story.when, &given.callers)?;
    let last_step = steps.last().map_or(Duration::ZERO, |step| step.at);
    reader.last = Duration::ZERO;
    let checks = reader.checks(story.then)?;
    if checks.is_empty() {
        reader.line = None;
        return reader.wrong("a story without anything under `then` proves nothing");
    }
    let moments = checks.iter().filter_map(|check| {
        let at = check.at.map(|at| at + check.within);
        at.max(check.until)
    });
    let named = moments.max().unwrap_or(Duration::ZERO).max(last_step);
    reader.line = None;
    let lasts = match story.ends {
        Some(ends) => reader.moment(Some(ends))?,
        None => named + Duration::from_secs(1),
    };
    if lasts < named {
        return reader.wrong("`ends` is before the last moment that is named");
    }
    Ok(Plan {
        title: story.story,
        clock: reader.clock,
        seed: reader.seed,
        lasts,
        cast: reader.cast,
        log_in_to_any_queue: given.organisation.log_in_to_any_queue,
        queues,
        agents,
        steps,
        checks,
    })
}

/// One of a range's lengths, drawn by lot.
fn pick(range: Option<Range>, lot: u64) -> Option<Duration> {
    range.map(|range| range.pick(lot))
}
