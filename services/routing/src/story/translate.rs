//! A queue's settings, from the words of stories to those of the configuration.

use super::text::{
    EmptyRule, RonaAction, RonaScope, Rules, SkillMatch, Span, State, Strategy, WrapUpMode,
};
use crate::wire;
use centro_kernel::QueueId;
use centro_proto::{
    configuration::{self as pb, CallQueue},
    types,
};

/// The queue as the configuration would bring it.
pub fn queue(id: QueueId, name: &str, rules: &Rules) -> CallQueue {
    let span = |span: Option<Span>| span.map(|span| wire::span(span.0));
    let rona = rules.rona.clone();
    let action = rona.as_ref().and_then(|rona| rona.action.clone());
    let available = rules.available_states.iter().flatten();
    CallQueue {
        id: id.to_string(),
        display_name: name.to_owned(),
        ring_strategy: strategy(rules.ring_strategy).into(),
        agent_ring_timeout: span(rules.agent_ring_timeout),
        wrap_up: span(rules.wrap_up.and_then(|wrap_up| wrap_up.seconds)),
        wrap_up_mode: wrap_up_mode(rules.wrap_up.and_then(|wrap_up| wrap_up.mode)).into(),
        agent_may_end_wrap_up: rules.agent_may_end_wrap_up.unwrap_or(false),
        max_callers: rules.max_callers,
        weight: rules.weight.filter(|weight| *weight > 0),
        missed_offers: rona.as_ref().and_then(|rona| rona.count),
        reject_delay: span(rules.reject_delay),
        busy_delay: span(rules.busy_delay),
        no_answer_delay: span(rules.no_answer_delay),
        retry_delay: span(rules.retry_delay),
        connect_delay: span(rules.connect_delay),
        join_empty: empty_rule(rules.join_empty).into(),
        leave_empty: empty_rule(rules.leave_empty).into(),
        leave_empty_grace: span(rules.leave_empty_grace),
        available_states: available.map(|state| agent_state(*state).into()).collect(),
        rona_pause_reason: match &action {
            Some(RonaAction::Pause(reason)) => reason.clone(),
            _ => String::new(),
        },
        rona_action: rona_action(action.as_ref()).into(),
        rona_scope: match rona.and_then(|rona| rona.scope) {
            None => pb::RonaScope::Unspecified,
            Some(RonaScope::AllQueues) => pb::RonaScope::AllQueues,
            Some(RonaScope::ThisQueue) => pb::RonaScope::ThisQueue,
        }
        .into(),
        aging: rules.aging.map(|aging| pb::Aging {
            points_per_minute: aging.points_per_minute,
            max_overtakes: aging.max_overtakes,
            max_wait_guarantee: span(aging.max_wait_guarantee),
        }),
        skill_match: match rules.skill_match {
            None => pb::SkillMatch::Unspecified,
            Some(SkillMatch::AllRequired) => pb::SkillMatch::AllRequired,
            Some(SkillMatch::BestMatch) => pb::SkillMatch::BestMatch,
            Some(SkillMatch::None) => pb::SkillMatch::None,
        }
        .into(),
        move_on_when_no_agent_matches: rules.move_on_when_no_agent_matches.unwrap_or(false),
        ..CallQueue::default()
    }
}

/// The strategies of chat are not among those of the configuration.
const fn strategy(of: Option<Strategy>) -> types::RingStrategy {
    match of {
        None | Some(Strategy::Balanced | Strategy::FillFirst | Strategy::ManualPick) => {
            types::RingStrategy::Unspecified
        }
        Some(Strategy::RingAll) => types::RingStrategy::RingAll,
        Some(Strategy::RoundRobin) => types::RingStrategy::RoundRobin,
        Some(Strategy::LeastRecent) => types::RingStrategy::LeastRecent,
        Some(Strategy::LongestIdle) => types::RingStrategy::LongestIdle,
        Some(Strategy::FewestCalls) => types::RingStrategy::FewestCalls,
        Some(Strategy::LeastTalkTime) => types::RingStrategy::LeastTalkTime,
        Some(Strategy::Random) => types::RingStrategy::Random,
        Some(Strategy::Linear) => types::RingStrategy::Linear,
        Some(Strategy::SkillsBest) => types::RingStrategy::SkillsBest,
    }
}

const fn wrap_up_mode(of: Option<WrapUpMode>) -> pb::WrapUpMode {
    match of {
        None => pb::WrapUpMode::Unspecified,
        Some(WrapUpMode::None) => pb::WrapUpMode::None,
        Some(WrapUpMode::Timed) => pb::WrapUpMode::Timed,
        Some(WrapUpMode::TimedExtendable) => pb::WrapUpMode::TimedExtendable,
        Some(WrapUpMode::UntilDone) => pb::WrapUpMode::UntilDone,
        Some(WrapUpMode::FixedNoEarlyExit) => pb::WrapUpMode::FixedNoEarlyExit,
    }
}

const fn empty_rule(of: Option<EmptyRule>) -> pb::EmptyRule {
    match of {
        None => pb::EmptyRule::Unspecified,
        Some(EmptyRule::Allow) => pb::EmptyRule::Allow,
        Some(EmptyRule::DenyIfNoneLoggedIn) => pb::EmptyRule::DenyIfNoneLoggedIn,
        Some(EmptyRule::DenyIfNoneAvailable) => pb::EmptyRule::DenyIfNoneAvailable,
    }
}

const fn rona_action(of: Option<&RonaAction>) -> pb::RonaAction {
    match of {
        None => pb::RonaAction::Unspecified,
        Some(RonaAction::NotResponding) => pb::RonaAction::NotResponding,
        Some(RonaAction::Pause(_)) => pb::RonaAction::Pause,
        Some(RonaAction::LogOut) => pb::RonaAction::LogOut,
        Some(RonaAction::None) => pb::RonaAction::None,
    }
}

const fn agent_state(of: State) -> types::AgentState {
    match of {
        State::LoggedOut => types::AgentState::LoggedOut,
        State::Ready => types::AgentState::Ready,
        State::Reserved => types::AgentState::Reserved,
        State::Alerting => types::AgentState::Alerting,
        State::Connected => types::AgentState::Connected,
        State::WrapUp => types::AgentState::WrapUp,
        State::Paused => types::AgentState::Paused,
        State::NotResponding => types::AgentState::NotResponding,
    }
}
