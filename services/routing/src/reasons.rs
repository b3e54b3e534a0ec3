//! Decisions and what keeps contacts and agents waiting, for the wire.

mod sentence;
pub use sentence::Language;

use crate::{
    directory::Directory,
    wire::{self, time},
};
use centro_kernel::{QueueId, SkillId, Timestamp};
use centro_proto::{routing, types as pb};
use centro_routing_core::{
    Comparison, Need, Rank, Strategy,
    reason::{Candidate, Decision, Hindrance, Verdict, VerdictKind, WhyIdle, WhyWaiting},
};

/// Why a contact was offered to this agent.
pub fn decision_out(decision: &Decision, directory: &Directory) -> pb::Decision {
    let names = |skill: SkillId| directory.skill_name(skill);
    pb::Decision {
        sentence_en: Language::English.decision(decision, &names),
        sentence_it: Language::Italian.decision(decision, &names),
        queue_version: decision.version,
        strategy: strategy_out(decision.strategy).into(),
        needs: decision.needs.iter().map(need_out).collect(),
        picked_up: decision.picked_up,
        candidates: decision.candidates.iter().map(candidate_out).collect(),
        others: decision.others,
    }
}

/// One agent's line.
pub fn candidate_out(candidate: &Candidate) -> pb::Candidate {
    let (excluded_until, unmet) = match &candidate.verdict {
        Verdict::Excluded(until) => (Some(time(*until)), Vec::new()),
        Verdict::Unskilled(unmet) => (None, unmet.iter().map(need_out).collect()),
        _ => (None, Vec::new()),
    };
    pb::Candidate {
        agent_id: candidate.agent.to_string(),
        verdict: verdict_out(candidate.verdict.kind()).into(),
        score: candidate.score,
        key: candidate.key,
        idle_since: Some(time(candidate.idle_since)),
        excluded_until,
        unmet,
    }
}

const fn verdict_out(verdict: VerdictKind) -> pb::Verdict {
    match verdict {
        VerdictKind::Chosen => pb::Verdict::Chosen,
        VerdictKind::LaterInTurn => pb::Verdict::LaterInTurn,
        VerdictKind::Declined => pb::Verdict::Declined,
        VerdictKind::AskedForAnother => pb::Verdict::AskedForAnother,
        VerdictKind::RingsForIt => pb::Verdict::RingsForIt,
        VerdictKind::Excluded => pb::Verdict::Excluded,
        VerdictKind::Unskilled => pb::Verdict::Unskilled,
        VerdictKind::InContact => pb::Verdict::InContact,
        VerdictKind::WrapUp => pb::Verdict::WrapUp,
        VerdictKind::Paused => pb::Verdict::Paused,
        VerdictKind::NotResponding => pb::Verdict::NotResponding,
        VerdictKind::Unreachable => pb::Verdict::Unreachable,
        VerdictKind::NoRoom => pb::Verdict::NoRoom,
    }
}

/// Why a contact still waits.
pub fn waiting_out(
    why: &WhyWaiting,
    now: Timestamp,
    directory: &Directory,
) -> routing::WaitingReasons {
    let names = |skill: SkillId| directory.skill_name(skill);
    let counts = why
        .counts
        .iter()
        .map(|(verdict, agents)| routing::VerdictCount {
            verdict: verdict_out(*verdict).into(),
            agents: *agents,
        });
    routing::WaitingReasons {
        sentence_en: Language::English.waiting(why, now, &names),
        sentence_it: Language::Italian.waiting(why, now, &names),
        position: why.position,
        needs: why.needs.iter().map(need_out).collect(),
        step: why.step.into(),
        relax_time: why.relaxes_at.map(time),
        retry_time: why.retries_at.map(time),
        rings_at: why.rings_at.iter().map(ToString::to_string).collect(),
        agents_logged_in: why.logged_in,
        counts: counts.collect(),
        candidates: why.candidates.iter().map(candidate_out).collect(),
        as_of: Some(time(now)),
    }
}

/// Why an agent gets no contact.
pub fn agent_out(
    hindrances: &[Hindrance],
    queues: &[(QueueId, WhyIdle)],
    now: Timestamp,
) -> routing::AgentReasons {
    let seen: Vec<_> = queues.iter().map(|(_, why)| why.clone()).collect();
    routing::AgentReasons {
        sentence_en: Language::English.idle(hindrances, &seen, now),
        sentence_it: Language::Italian.idle(hindrances, &seen, now),
        hindrances: hindrances.iter().map(hindrance_out).collect(),
        queues: queues.iter().map(queue_out).collect(),
        as_of: Some(time(now)),
    }
}

fn hindrance_out(hindrance: &Hindrance) -> routing::Hindrance {
    use routing::hindrance::Kind;
    let mut out = routing::Hindrance::default();
    let kind = match hindrance {
        Hindrance::LoggedOut => Kind::LoggedOut,
        Hindrance::Paused(reason) => {
            out.pause_reason.clone_from(reason);
            Kind::Paused
        }
        Hindrance::NotResponding => Kind::NotResponding,
        Hindrance::Rests(until, why) => {
            out.until = Some(time(*until));
            out.rest = wire::rest_out(Some(*why)).into();
            Kind::Rests
        }
        Hindrance::PhoneOffline => Kind::PhoneOffline,
        Hindrance::DesktopGone => Kind::DesktopGone,
        Hindrance::Full(_) => Kind::Full,
        Hindrance::PausedIn(queue, reason) => {
            out.queue_id = queue.to_string();
            out.pause_reason.clone_from(reason);
            Kind::PausedInQueue
        }
        Hindrance::NotRespondingIn(queue) => {
            out.queue_id = queue.to_string();
            Kind::NotRespondingInQueue
        }
    };
    out.kind = kind.into();
    out
}

fn queue_out((queue, why): &(QueueId, WhyIdle)) -> routing::QueueReasons {
    routing::QueueReasons {
        queue_id: queue.to_string(),
        waiting: why.waiting,
        could_serve: why.could_serve.map(|c| c.to_string()).unwrap_or_default(),
        unskilled: why.unskilled,
        not_open: why.not_open,
        excluded: why.excluded,
    }
}

/// A need, for the wire.
pub fn need_out(need: &Need) -> pb::SkillNeed {
    let op = match need.comparison {
        Comparison::AtLeast => pb::SkillOp::AtLeast,
        Comparison::AtMost => pb::SkillOp::AtMost,
        Comparison::Equal => pb::SkillOp::Equal,
        Comparison::MoreThan => pb::SkillOp::MoreThan,
        Comparison::LessThan => pb::SkillOp::LessThan,
    };
    pb::SkillNeed {
        skill_id: need.skill.to_string(),
        op: op.into(),
        level: need.level.into(),
    }
}

/// The strategies of conversations have no name on the wire yet: nothing can be configured to use them.
const fn strategy_out(strategy: Strategy) -> pb::RingStrategy {
    match strategy {
        Strategy::RingAll => pb::RingStrategy::RingAll,
        Strategy::RoundRobin => pb::RingStrategy::RoundRobin,
        Strategy::LeastRecent => pb::RingStrategy::LeastRecent,
        Strategy::LongestIdle => pb::RingStrategy::LongestIdle,
        Strategy::FewestCalls => pb::RingStrategy::FewestCalls,
        Strategy::LeastTalkTime => pb::RingStrategy::LeastTalkTime,
        Strategy::Random => pb::RingStrategy::Random,
        Strategy::Linear => pb::RingStrategy::Linear,
        Strategy::SkillsBest => pb::RingStrategy::SkillsBest,
        Strategy::Balanced | Strategy::FillFirst | Strategy::ManualPick => {
            pb::RingStrategy::Unspecified
        }
    }
}

/// What a queue bid.
pub fn bid_out((queue, rank, draw): &(QueueId, Rank, u64)) -> pb::BidCompared {
    pb::BidCompared {
        queue_id: queue.to_string(),
        weight: rank.weight,
        waiting_since: Some(wire::time(rank.enqueued_at)),
        draw: *draw,
    }
}
