//! Figures, for the wire. Sums become means and shares here, and nowhere before.

use super::time;
use centro_kernel::contact::{LeftReason, Outcome};
use centro_proto::{
    routing::{self as pb, expected_wait::Method as PbMethod},
    types,
};
use centro_routing_core::figures::{AgentToday, ExpectedWait, MeanWait, Method, QueueToday, Rules};
use std::collections::BTreeMap;

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn reason_name(reason: LeftReason) -> String {
    let name: types::LeftReason = super::left_reason_out(reason);
    name.as_str_name().to_owned()
}

fn outcomes(outcomes: &BTreeMap<Outcome, u64>) -> pb::OutcomeCounts {
    let mut counts = pb::OutcomeCounts::default();
    for (outcome, number) in outcomes {
        let field = match super::outcome_out(*outcome) {
            types::Outcome::Unspecified => continue,
            types::Outcome::Handled => &mut counts.handled,
            types::Outcome::Abandoned => &mut counts.abandoned,
            types::Outcome::Pending => &mut counts.pending,
            types::Outcome::EvictedCustomer => &mut counts.evicted_customer,
            types::Outcome::EvictedSystem => &mut counts.evicted_system,
            types::Outcome::EvictedUser => &mut counts.evicted_user,
        };
        *field = count(*number);
    }
    counts
}

/// The mean wait; `None` when nobody left.
pub fn mean_wait_out(wait: &MeanWait) -> Option<pb::MeanWait> {
    Some(pb::MeanWait {
        mean_ms: wait.mean.millis()?,
        sample: count(wait.mean.count),
        window_ms: wait.window_ms,
        complete: wait.complete,
    })
}

/// The expected wait; `None` when it cannot be told.
pub fn expected_wait_out(wait: ExpectedWait) -> Option<pb::ExpectedWait> {
    match wait {
        ExpectedWait::Yes {
            wait_ms,
            method,
            sample,
        } => {
            let method = match method {
                Method::AgentFree => PbMethod::AgentFree,
                Method::HandleTime => PbMethod::HandleTime,
            };
            Some(pb::ExpectedWait {
                wait_ms,
                method: method.into(),
                sample: count(sample),
            })
        }
        ExpectedWait::No { .. } => None,
    }
}

/// A queue's day.
pub fn queue_today_out(today: &QueueToday, rules: &Rules) -> pb::QueueToday {
    let by_reason = today
        .reasons
        .iter()
        .map(|(reason, number)| (reason_name(*reason), count(*number)));
    let level = today.service_level;
    pb::QueueToday {
        since: Some(time(today.day_start)),
        carried_over: count(today.carried_over),
        offered: count(today.offered),
        outcomes: Some(outcomes(&today.outcomes)),
        short_abandons: count(today.short_abandons),
        by_reason: by_reason.collect(),
        service_level: Some(pb::CurrentServiceLevel {
            basis_points: level.basis_points(),
            answered_within: count(level.part),
            base: count(level.base),
            target_percent: rules.service_level.target_percent.into(),
            within_seconds: rules.service_level.within_seconds.into(),
        }),
        average_speed_of_answer_ms: today.speed_of_answer.millis(),
        average_time_to_abandon_ms: today.time_to_abandon.millis(),
        max_wait_ms: today.max_wait_ms,
        abandon_rate_basis_points: today.abandon_rate.basis_points(),
        average_handle_time_ms: today.handle_time().millis(),
        handle_time_sample: count(today.handle_time().count),
        missed_offers: count(today.missed),
        rejected_offers: count(today.rejected),
    }
}

/// An agent's day.
pub fn agent_today_out(today: AgentToday) -> pb::AgentToday {
    pb::AgentToday {
        since: Some(time(today.day_start)),
        handled: count(today.handled),
        missed: count(today.missed),
        rejected: count(today.rejected),
        login_ms: today.login_ms,
        ready_ms: today.ready_ms,
        unreachable_ms: today.unreachable_ms,
        reserved_ms: today.reserved_ms,
        alerting_ms: today.alerting_ms,
        connected_ms: today.connected_ms,
        wrap_up_ms: today.wrap_up_ms,
        paused_ms: today.paused_ms,
        not_responding_ms: today.not_responding_ms,
        paused_by_reason_ms: today.paused_by_reason.into_iter().collect(),
        answer_rate_basis_points: today.answer_rate.basis_points(),
        occupancy_basis_points: today.occupancy.basis_points(),
    }
}
