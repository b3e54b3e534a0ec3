//! What a dial plan does next. Pure: the call asks with what happened and is told the next step.

use centro_kernel::{QueueId, contact::LeftReason};
use centro_proto::configuration::{DialPlan, dial_plan_node::Kind};
use std::time::Duration;

/// Most nodes a call may pass without the caller doing anything: a plan that leads in circles ends.
const MAX_STEPS: u32 = 200;

/// What the call does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Play a clip, then say [`Outcome::Done`].
    Play {
        /// Name of the clip.
        clip: String,
        /// `en` or `it`.
        language: String,
    },
    /// Wait in a queue.
    Queue {
        /// Which one.
        queue: QueueId,
        /// How long at most.
        timeout: Option<Duration>,
    },
    /// Ring the device with this extension.
    Dial {
        /// The extension.
        extension: String,
        /// How long it may ring.
        timeout: Duration,
    },
    /// End the call.
    HangUp,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The clip was played.
    Done,
    /// The wait took too long.
    TimedOut,
    /// The caller pressed `*`.
    Star,
    /// The queue was full, closed or gone.
    Full,
    /// The queue had no agents, or has none any more.
    Empty,
    /// No agent has the skills that are needed.
    NoMatch,
    /// Nobody answered.
    NoAnswer,
}

impl Outcome {
    /// The outcome of a Queue node for a call that left the queue; `None` when the call is over, too. A callback is a contact
    /// of its own, so the call it was asked for in is over.
    pub const fn after_queue(reason: LeftReason) -> Option<Self> {
        Some(match reason {
            // Taken out by a person: as if the caller had left by choice.
            LeftReason::DtmfExit | LeftReason::TransferredByUser => Self::Star,
            LeftReason::Timeout => Self::TimedOut,
            LeftReason::JoinedEmpty | LeftReason::LeftEmpty => Self::Empty,
            LeftReason::NoSkillMatch => Self::NoMatch,
            LeftReason::QueueFull | LeftReason::QueueClosed | LeftReason::SystemFailure => {
                Self::Full
            }
            LeftReason::Answered
            | LeftReason::Abandoned
            | LeftReason::CallbackRequested
            | LeftReason::CallbackCancelledByUser
            | LeftReason::CallbackExpired => return None,
        })
    }
}

/// A call's place in a dial plan.
#[derive(Debug, Clone)]
pub struct Walk {
    at: String,
    steps: u32,
}

/// How long a device rings when the node does not say.
pub const RING_DEFAULT: Duration = Duration::from_secs(30);

impl Walk {
    /// Enters the plan.
    pub fn enter(plan: &DialPlan) -> (Self, Step) {
        let mut walk = Self {
            at: String::new(),
            steps: 0,
        };
        let step = walk.go(plan, &plan.entry);
        (walk, step)
    }

    /// Follows the exit of the present node. An exit that leads nowhere ends the call.
    pub fn next(&mut self, plan: &DialPlan, outcome: Outcome) -> Step {
        let node = plan.nodes.iter().find(|node| node.id == self.at);
        let exit = match (node.and_then(|n| n.kind.as_ref()), outcome) {
            (Some(Kind::PlayClip(n)), Outcome::Done) => &n.on_done,
            (Some(Kind::Queue(n)), Outcome::TimedOut) => &n.on_timeout,
            (Some(Kind::Queue(n)), Outcome::Star) => &n.on_exit,
            (Some(Kind::Queue(n)), Outcome::Full) => &n.on_full,
            (Some(Kind::Queue(n)), Outcome::Empty) => &n.on_empty,
            (Some(Kind::Queue(n)), Outcome::NoMatch) => &n.on_no_match,
            (Some(Kind::SimpleDial(n)), Outcome::NoAnswer) => &n.on_no_answer,
            _ => return Step::HangUp,
        };
        let exit = exit.clone();
        self.go(plan, &exit)
    }

    fn go(&mut self, plan: &DialPlan, to: &str) -> Step {
        self.steps += 1;
        let node = plan
            .nodes
            .iter()
            .find(|node| node.id == to && !to.is_empty());
        let Some(kind) = node
            .and_then(|node| node.kind.as_ref())
            .filter(|_| self.steps <= MAX_STEPS)
        else {
            return Step::HangUp;
        };
        self.at = to.to_owned();
        match kind {
            Kind::PlayClip(n) => Step::Play {
                clip: n.clip.clone(),
                language: if n.language.is_empty() {
                    "en".to_owned()
                } else {
                    n.language.clone()
                },
            },
            Kind::Queue(n) => match n.queue_id.parse() {
                Ok(queue) => Step::Queue {
                    queue,
                    timeout: n.timeout.as_ref().and_then(duration),
                },
                Err(_) => Step::HangUp,
            },
            Kind::SimpleDial(n) => Step::Dial {
                extension: n.extension.clone(),
                timeout: n
                    .timeout
                    .as_ref()
                    .and_then(duration)
                    .unwrap_or(RING_DEFAULT),
            },
            Kind::HangUp(_) => Step::HangUp,
        }
    }
}

/// A protobuf duration; `None` when it is not positive.
pub fn duration(proto: &prost_types::Duration) -> Option<Duration> {
    let seconds = u64::try_from(proto.seconds).ok()?;
    let nanos = u32::try_from(proto.nanos).ok()?;
    Some(Duration::new(seconds, nanos.min(999_999_999))).filter(|d| !d.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_proto::configuration::{
        DialPlanNode, HangUpNode, PlayClipNode, QueueNode, SimpleDialNode,
    };

    const QUEUE: QueueId = QueueId::from_u128(9);

    fn node(id: &str, kind: Kind) -> DialPlanNode {
        DialPlanNode {
            id: id.to_owned(),
            kind: Some(kind),
        }
    }

    fn plan() -> DialPlan {
        let play = PlayClipNode {
            clip: "welcome".into(),
            language: "it".into(),
            on_done: "wait".into(),
        };
        let queue = QueueNode {
            queue_id: QUEUE.to_string(),
            timeout: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
            on_timeout: "dial".into(),
            on_exit: "end".into(),
            on_full: "nowhere".into(),
            on_empty: "dial".into(),
            on_no_match: "hello".into(),
        };
        let dial = SimpleDialNode {
            extension: "201".into(),
            timeout: None,
            on_no_answer: "hello".into(),
        };
        DialPlan {
            entry: "hello".into(),
            nodes: vec![
                node("hello", Kind::PlayClip(play)),
                node("wait", Kind::Queue(queue)),
                node("dial", Kind::SimpleDial(dial)),
                node("end", Kind::HangUp(HangUpNode {})),
            ],
            ..DialPlan::default()
        }
    }

    #[test]
    fn a_call_follows_the_exits() {
        let plan = plan();
        let (mut walk, step) = Walk::enter(&plan);
        assert_eq!(
            step,
            Step::Play {
                clip: "welcome".into(),
                language: "it".into()
            }
        );
        let wait = Step::Queue {
            queue: QUEUE,
            timeout: Some(Duration::from_secs(60)),
        };
        assert_eq!(walk.next(&plan, Outcome::Done), wait);
        let dial = Step::Dial {
            extension: "201".into(),
            timeout: RING_DEFAULT,
        };
        assert_eq!(walk.clone().next(&plan, Outcome::TimedOut), dial);
        assert_eq!(walk.clone().next(&plan, Outcome::Empty), dial);
        let hello = walk.clone().next(&plan, Outcome::NoMatch);
        assert_eq!(hello, Walk::enter(&plan).1);
        assert_eq!(walk.clone().next(&plan, Outcome::Star), Step::HangUp);
    }

    #[test]
    fn callers_of_an_empty_queue_and_of_one_without_the_skill_take_exits_of_their_own() {
        let taken = |reason| Outcome::after_queue(reason);
        assert_eq!(taken(LeftReason::JoinedEmpty), Some(Outcome::Empty));
        assert_eq!(taken(LeftReason::LeftEmpty), Some(Outcome::Empty));
        assert_eq!(taken(LeftReason::NoSkillMatch), Some(Outcome::NoMatch));
        assert_eq!(taken(LeftReason::QueueFull), Some(Outcome::Full));
        assert_eq!(taken(LeftReason::TransferredByUser), Some(Outcome::Star));
        assert_eq!(taken(LeftReason::Abandoned), None);
        let mut plan = plan();
        let Some(Kind::Queue(queue)) = &mut plan.nodes[1].kind else {
            panic!("the second node is the queue")
        };
        queue.on_empty.clear();
        let (mut walk, _) = Walk::enter(&plan);
        walk.next(&plan, Outcome::Done);
        let step = walk.next(&plan, Outcome::Empty);
        assert_eq!(step, Step::HangUp, "an unconnected exit ends the call");
    }

    #[test]
    fn an_exit_that_leads_nowhere_ends_the_call() {
        let plan = plan();
        let (mut walk, _) = Walk::enter(&plan);
        walk.next(&plan, Outcome::Done);
        assert_eq!(walk.next(&plan, Outcome::Full), Step::HangUp);
        let empty = DialPlan::default();
        assert_eq!(Walk::enter(&empty).1, Step::HangUp);
    }

    #[test]
    fn a_plan_that_leads_in_circles_ends() {
        let mut plan = plan();
        plan.nodes = vec![node(
            "hello",
            Kind::PlayClip(PlayClipNode {
                clip: "a".into(),
                language: String::new(),
                on_done: "hello".into(),
            }),
        )];
        let (mut walk, mut step) = Walk::enter(&plan);
        let mut steps = 0;
        while step != Step::HangUp {
            step = walk.next(&plan, Outcome::Done);
            steps += 1;
        }
        assert_eq!(steps, MAX_STEPS);
    }
}
