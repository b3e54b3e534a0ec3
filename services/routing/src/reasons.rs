//! Decisions, for the wire.

use crate::wire::{self, time};
use centro_kernel::QueueId;
use centro_proto::types as pb;
use centro_routing_core::{
    Comparison, Need, Rank, Strategy,
    reason::{Candidate, Decision, Verdict},
    settings::Standing,
};

/// Why a contact was offered to this agent.
pub fn decision_out(decision: &Decision) -> pb::Decision {
    pb::Decision {
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
        verdict: verdict_out(&candidate.verdict).into(),
        score: candidate.score,
        key: candidate.key,
        idle_since: Some(time(candidate.idle_since)),
        excluded_until,
        unmet,
    }
}

const fn verdict_out(verdict: &Verdict) -> pb::Verdict {
    match verdict {
        Verdict::Chosen => pb::Verdict::Chosen,
        Verdict::LaterInTurn => pb::Verdict::LaterInTurn,
        Verdict::Declined => pb::Verdict::Declined,
        Verdict::AskedForAnother => pb::Verdict::AskedForAnother,
        Verdict::RingsForIt => pb::Verdict::RingsForIt,
        Verdict::Excluded(_) => pb::Verdict::Excluded,
        Verdict::Unskilled(_) => pb::Verdict::Unskilled,
        Verdict::Busy(Standing::InContact) => pb::Verdict::InContact,
        Verdict::Busy(Standing::WrapUp) => pb::Verdict::WrapUp,
        Verdict::Busy(Standing::Paused) => pb::Verdict::Paused,
        Verdict::Busy(Standing::NotResponding) => pb::Verdict::NotResponding,
        Verdict::Busy(Standing::Unreachable) => pb::Verdict::Unreachable,
        Verdict::Busy(Standing::Ready) | Verdict::NoRoom => pb::Verdict::NoRoom,
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
