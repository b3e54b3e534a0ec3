//! What must be seen, compared with what was seen.

use super::{
    log::{Board, Departure, Fact, Log, Name, outcome_name, reason_name},
    text::{Amount, Range, words},
};
use centro_kernel::contact::{LeftReason, OfferEnd, Outcome};
use std::{collections::BTreeMap, time::Duration};

/// The other party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Other {
    /// This one.
    One(Name),
    /// Whoever it is.
    Anybody,
    /// None.
    Nobody,
}

impl Other {
    fn is(&self, others: &[&Name]) -> bool {
        match self {
            Self::One(name) => others.contains(&name),
            Self::Anybody => !others.is_empty(),
            Self::Nobody => others.is_empty(),
        }
    }

    fn words(&self) -> &str {
        match self {
            Self::One(name) => name,
            Self::Anybody => "anybody",
            Self::Nobody => "nobody",
        }
    }
}

/// How a caller must have left; what is not said does not matter.
#[derive(Debug, Clone, Default)]
pub struct Exit {
    /// Why.
    pub reason: Option<LeftReason>,
    /// With which outcome.
    pub outcome: Option<Outcome>,
    /// After how long.
    pub wait: Option<Range>,
    /// Which queue.
    pub queue: Option<Name>,
}

impl Exit {
    fn is(&self, left: &Departure) -> bool {
        self.reason.is_none_or(|reason| reason == left.reason)
            && self
                .outcome
                .is_none_or(|outcome| outcome == left.reason.outcome())
            && self.wait.is_none_or(|wait| wait.has(left.wait))
            && self.queue.as_ref().is_none_or(|queue| *queue == left.queue)
    }

    fn words(&self) -> String {
        let parts = [
            self.reason.map(|reason| reason_name(reason).to_owned()),
            self.outcome
                .map(|outcome| format!("outcome {}", outcome_name(outcome))),
            self.wait.map(|wait| format!("after {}", wait.words())),
            self.queue.as_ref().map(|queue| format!("from {queue}")),
        ];
        let said: Vec<_> = parts.into_iter().flatten().collect();
        if said.is_empty() {
            "left".to_owned()
        } else {
            said.join(", ")
        }
    }
}

/// One thing that must be so.
#[derive(Debug, Clone)]
pub enum Claim {
    /// An agent's phone rings for a caller.
    Rings(Name, Other),
    /// A caller talks with an agent.
    Connected(Name, Other),
    /// A caller was offered to an agent.
    Offered(Name, Other),
    /// A queue's line.
    Waiting(Name, Vec<Name>),
    /// How long a queue's line is.
    WaitingCount(Name, Amount),
    /// A caller left.
    Left(Name, Exit),
    /// What an agent does.
    State(Name, String),
    /// Where an agent is logged in, in order of name.
    Queues(Name, Vec<Name>),
    /// How many agents do something.
    Agents(String, Amount),
    /// How often something happened to an agent.
    Count(Counted, Name, Amount),
    /// How many callers left for a reason.
    LeftCount(LeftReason, Amount),
}

/// What can be counted of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Offers.
    Offers,
    /// Offers that nobody answered.
    Missed,
    /// Talks.
    Talks,
    /// Changes of state.
    Changes,
}

/// A queue's line as supervisors see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The first of those who wait, in order.
    pub first: Vec<Name>,
    /// How many wait.
    pub waiting: usize,
}

/// The lines of the queues.
pub type Lines = BTreeMap<Name, Line>;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What was seen until now.
    pub log: &'a Log,
    /// Who waits, where a claim asks.
    pub lines: &'a Lines,
    /// From where on is counted.
    pub from: Duration,
    /// No moment was named: once is enough.
    pub ever: bool,
}

/// A claim that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// About what.
    pub about: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub seen: String,
}

impl Claim {
    /// What it is about.
    pub fn about(&self) -> String {
        match self {
            Self::Rings(agent, _) => format!("for whom {agent}'s phone rings"),
            Self::Connected(caller, _) => format!("with whom {caller} talks"),
            Self::Offered(agent, _) => format!("who was offered to {agent}"),
            Self::Waiting(queue, _) => format!("who waits in {queue}"),
            Self::WaitingCount(queue, _) => format!("how many wait in {queue}"),
            Self::Left(caller, _) => format!("how {caller} left"),
            Self::State(agent, _) => format!("the state of {agent}"),
            Self::Queues(agent, _) => format!("the queues {agent} is logged in to"),
            Self::Agents(state, _) => format!("how many agents are {state}"),
            Self::Count(Counted::Offers, agent, _) => format!("how many offers {agent} got"),
            Self::Count(Counted::Missed, agent, _) => format!("how many offers {agent} missed"),
            Self::Count(Counted::Talks, agent, _) => format!("how many talks {agent} had"),
            Self::Count(Counted::Changes, agent, _) => {
                format!("how often the state of {agent} changed")
            }
            Self::LeftCount(reason, _) => format!("how many left: {}", reason_name(*reason)),
        }
    }

    /// What should be.
    pub fn expected(&self) -> String {
        match self {
            Self::Rings(_, other) | Self::Connected(_, other) | Self::Offered(_, other) => {
                other.words().to_owned()
            }
            Self::Waiting(_, line) | Self::Queues(_, line) => list(line),
            Self::Left(_, exit) => exit.words(),
            Self::State(_, state) => state.clone(),
            Self::WaitingCount(_, n)
            | Self::Agents(_, n)
            | Self::Count(_, _, n)
            | Self::LeftCount(_, n) => n.words(),
        }
    }

    /// Whether the line of a queue is needed to judge it.
    pub const fn asks_for_lines(&self) -> bool {
        matches!(self, Self::Waiting(..) | Self::WaitingCount(..))
    }

    /// Whether it is so, and what is seen.
    pub fn judge(&self, scene: Scene<'_>) -> (bool, String) {
        let board = &scene.log.board;
        match self {
            Self::Rings(agent, other) => party(other, &rings(scene, agent)),
            Self::Connected(caller, other) => party(other, &talks(scene, caller)),
            Self::Offered(agent, other) => {
                let mine = board.offered.iter().filter(|(a, _)| a == agent);
                party(other, &mine.map(|(_, caller)| caller).collect::<Vec<_>>())
            }
            Self::Waiting(queue, line) => {
                let seen = scene.lines.get(queue).map_or(&[][..], |line| &line.first);
                (seen == line, list(seen))
            }
            Self::WaitingCount(queue, n) => {
                let seen = scene.lines.get(queue).map_or(0, |line| line.waiting);
                (n.has(seen), seen.to_string())
            }
            Self::Left(caller, exit) => match board.left.get(caller) {
                Some(left) => (exit.is(left), departure(left)),
                None => (false, format!("{caller} has not left")),
            },
            Self::State(agent, state) => {
                let seen = board.state(agent);
                (is_state(seen, state), seen.to_owned())
            }
            Self::Queues(agent, queues) => {
                let standing = board.agents.get(agent);
                let seen = standing.map_or(&[][..], |standing| &standing.queues);
                (seen == queues, list(seen))
            }
            Self::Agents(state, n) => {
                let doing = |board: &Board| {
                    let all = board.agents.values();
                    all.filter(|standing| is_state(&standing.state, state))
                        .count()
                };
                let seen = doing(board);
                (n.has(seen), seen.to_string())
            }
            Self::Count(what, agent, n) => {
                let seen = count(scene, *what, agent);
                (n.has(seen), seen.to_string())
            }
            Self::LeftCount(reason, n) => {
                let seen = scene.log.facts.iter().filter(|(at, fact)| {
                    *at >= scene.from && matches!(fact, Fact::Left { reason: r, .. } if r == reason)
                });
                let seen = seen.count();
                (n.has(seen), seen.to_string())
            }
        }
    }

    /// What is wrong with it now.
    pub fn difference(&self, scene: Scene<'_>) -> Option<Difference> {
        let (so, seen) = self.judge(scene);
        (!so).then(|| Difference {
            about: self.about(),
            expected: self.expected(),
            seen,
        })
    }
}

/// The first moment from the end of `from` to the end of `until` at which the claim was so; `log` is replayed.
pub fn first_seen(claim: &Claim, log: &Log, from: Duration, until: Duration) -> Option<Duration> {
    let lines = Lines::new();
    let mut replayed = Log::default();
    let so = |replayed: &Log| {
        let scene = Scene {
            log: replayed,
            lines: &lines,
            from,
            ever: false,
        };
        claim.judge(scene).0
    };
    // What happens at the first moment has happened.
    let mut begun = false;
    for (at, fact) in &log.facts {
        if *at > until {
            break;
        }
        if *at > from && !begun {
            begun = true;
            if so(&replayed) {
                return Some(from);
            }
        }
        replayed.board.take(fact);
        if begun && so(&replayed) {
            return Some(*at);
        }
    }
    (!begun && so(&replayed)).then_some(from)
}

fn rings<'a>(scene: Scene<'a>, agent: &Name) -> Vec<&'a Name> {
    if scene.ever {
        let facts = scene.log.facts.iter();
        return facts
            .filter_map(|(_, fact)| match fact {
                Fact::Rings {
                    agent: a, caller, ..
                } if a == agent => Some(caller),
                _ => None,
            })
            .collect();
    }
    let now = scene.log.board.rings.iter().filter(|(a, _)| a == agent);
    now.map(|(_, caller)| caller).collect()
}

fn talks<'a>(scene: Scene<'a>, caller: &Name) -> Vec<&'a Name> {
    if scene.ever {
        let facts = scene.log.facts.iter();
        return facts
            .filter_map(|(_, fact)| match fact {
                Fact::Talks {
                    caller: c, agent, ..
                } if c == caller => Some(agent),
                _ => None,
            })
            .collect();
    }
    scene.log.board.talks.get(caller).into_iter().collect()
}

fn count(scene: Scene<'_>, what: Counted, agent: &Name) -> usize {
    let counts = |fact: &Fact| match (what, fact) {
        (Counted::Offers, Fact::Offered { agent: a, .. })
        | (Counted::Talks, Fact::Talks { agent: a, .. })
        | (Counted::Changes, Fact::State { agent: a, .. }) => a == agent,
        (Counted::Missed, Fact::OfferEnded { agent: a, why, .. }) => {
            a == agent && *why == OfferEnd::NoAnswer
        }
        _ => false,
    };
    let facts = scene.log.facts.iter();
    facts
        .filter(|(at, fact)| *at >= scene.from && counts(fact))
        .count()
}

fn party(expected: &Other, seen: &[&Name]) -> (bool, String) {
    let text = if seen.is_empty() {
        "nobody".to_owned()
    } else {
        list(seen)
    };
    (expected.is(seen), text)
}

/// `paused` is any pause, `paused(Lunch)` is that one.
fn is_state(seen: &str, expected: &str) -> bool {
    seen == expected || (expected == "paused" && seen.starts_with("paused("))
}

fn departure(left: &Departure) -> String {
    format!(
        "{}, outcome {}, after {}, from {}",
        reason_name(left.reason),
        outcome_name(left.reason.outcome()),
        words(left.wait),
        left.queue
    )
}

fn list<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    format!("[{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        let mut log = Log::default();
        let (agent, caller): (Name, Name) = ("bruno".into(), "anna".into());
        let rings = Fact::Rings {
            agent: agent.clone(),
            caller: caller.clone(),
            chat: false,
        };
        let why = OfferEnd::NoAnswer;
        log.saw(Duration::from_secs(5), rings);
        let silent = Fact::Silent { agent, caller, why };
        log.saw(Duration::from_secs(20), silent);
        log
    }

    #[test]
    fn what_was_is_no_longer_but_it_was_once() {
        let log = log();
        let claim = Claim::Rings("bruno".into(), Other::One("anna".into()));
        let lines = Lines::new();
        let scene = |ever| Scene {
            log: &log,
            lines: &lines,
            from: Duration::ZERO,
            ever,
        };
        let difference = claim.difference(scene(false)).unwrap();
        assert_eq!(
            (difference.expected.as_str(), difference.seen.as_str()),
            ("anna", "nobody")
        );
        assert_eq!(claim.difference(scene(true)), None);
    }

    #[test]
    fn what_may_never_be_is_found_when_it_began_before_the_window() {
        let log = log();
        let claim = Claim::Rings("bruno".into(), Other::Anybody);
        let seen = |from, until| {
            let (from, until) = (Duration::from_secs(from), Duration::from_secs(until));
            first_seen(&claim, &log, from, until).map(|at| at.as_secs())
        };
        assert_eq!(seen(0, 4), None);
        assert_eq!(seen(0, 9), Some(5));
        assert_eq!(seen(10, 15), Some(10));
        assert_eq!(seen(10, 30), Some(10));
        assert_eq!(seen(20, 30), None);
    }
}
