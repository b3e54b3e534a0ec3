//! A queue's configuration, translated into its rules. What is left out takes the default of spec §2.2.

use crate::wire;
use centro_kernel::QueueId;
use centro_proto::{
    configuration::{self as pb, CallQueue, QueueAgent},
    types,
};
use centro_routing_core::{
    Ageing, Briefing, Capacity, EmptyRule, Medium, QueueSettings, Rona, RonaAction, SkillMatch,
    Standing, Standings, Strategy, Terms, WrapUp, WrapUpMode,
};
use std::{sync::Arc, time::Duration};

/// The rules of a call queue.
pub fn of(id: QueueId, queue: &CallQueue) -> QueueSettings {
    QueueSettings {
        id,
        version: queue.version,
        weight: queue.weight,
        ageing: ageing(queue.aging.as_ref()),
        strategy: strategy(queue.ring_strategy()),
        skill_match: match queue.skill_match() {
            pb::SkillMatch::BestMatch => SkillMatch::BestMatch,
            pb::SkillMatch::None => SkillMatch::None,
            pb::SkillMatch::Unspecified | pb::SkillMatch::AllRequired => SkillMatch::AllRequired,
        },
        move_on_when_no_agent_matches: queue.move_on_when_no_agent_matches,
        retry_delay: or(queue.retry_delay.as_ref(), 5),
        max_callers: queue.max_callers.unwrap_or(0),
        join_empty: empty_rule(queue.join_empty()),
        leave_empty: empty_rule(queue.leave_empty()),
        leave_grace: or(queue.leave_empty_grace.as_ref(), 5),
        counts_as_available: available(queue),
        terms: Arc::new(terms(queue)),
        briefing: Arc::new(Briefing {
            connect_delay: or(queue.connect_delay.as_ref(), 0),
            announcement: Arc::from(queue.agent_announcement.as_str()),
            tell_wait: queue.report_wait_to_agent,
        }),
    }
}

/// How much a person can do at once.
pub fn capacity(profile: &pb::RoutingProfile) -> Capacity {
    let default = Capacity::default();
    let chats = profile.chat_capacity.and_then(|n| u8::try_from(n).ok());
    Capacity {
        chats: chats.unwrap_or(default.chats),
        voice_interrupts_chat: profile
            .voice_interrupts_chat
            .unwrap_or(default.voice_interrupts_chat),
    }
}

/// An agent's place in a linear queue: those who were given one, then the others as they were assigned.
pub fn order(assignment: &QueueAgent) -> u64 {
    let last = u64::from(assignment.order == 0) << 63;
    let given = u64::from(assignment.order.min(10_000)) << 48;
    let assigned = assignment.create_time.as_ref().map(wire::instant);
    let assigned = assigned.map_or(0, |at| u64::try_from(at.as_millis()).unwrap_or(0));
    last | given | assigned.min((1 << 48) - 1)
}

fn or(duration: Option<&prost_types::Duration>, default: u64) -> Duration {
    duration.map_or(Duration::from_secs(default), wire::duration)
}

fn terms(queue: &CallQueue) -> Terms {
    Terms {
        medium: Medium::Voice,
        ring: or(queue.agent_ring_timeout.as_ref(), 15),
        wrap_up: WrapUp {
            mode: match queue.wrap_up_mode() {
                pb::WrapUpMode::None => WrapUpMode::None,
                pb::WrapUpMode::TimedExtendable => WrapUpMode::TimedExtendable,
                pb::WrapUpMode::UntilDone => WrapUpMode::UntilDone,
                pb::WrapUpMode::FixedNoEarlyExit => WrapUpMode::FixedNoEarlyExit,
                pb::WrapUpMode::Unspecified | pb::WrapUpMode::Timed => WrapUpMode::Timed,
            },
            time: or(queue.wrap_up.as_ref(), 10),
            agent_may_end: queue.agent_may_end_wrap_up,
        },
        rona: Rona {
            count: queue.missed_offers.unwrap_or(1),
            action: match queue.rona_action() {
                pb::RonaAction::Pause => {
                    RonaAction::Pause(Arc::from(queue.rona_pause_reason.as_str()))
                }
                pb::RonaAction::LogOut => RonaAction::LogOut,
                pb::RonaAction::None => RonaAction::None,
                pb::RonaAction::Unspecified | pb::RonaAction::NotResponding => {
                    RonaAction::NotResponding
                }
            },
            this_queue_only: queue.rona_scope() == pb::RonaScope::ThisQueue,
        },
        reject_delay: or(queue.reject_delay.as_ref(), 10),
        busy_delay: or(queue.busy_delay.as_ref(), 60),
        no_answer_delay: or(queue.no_answer_delay.as_ref(), 0),
    }
}

fn ageing(of: Option<&pb::Aging>) -> Ageing {
    of.map_or_else(Ageing::default, |ageing| Ageing {
        points_per_minute: ageing.points_per_minute,
        max_overtakes: ageing.max_overtakes,
        max_wait: ageing.max_wait_guarantee.as_ref().map(wire::duration),
    })
}

const fn strategy(of: types::RingStrategy) -> Strategy {
    match of {
        types::RingStrategy::RingAll => Strategy::RingAll,
        types::RingStrategy::RoundRobin => Strategy::RoundRobin,
        types::RingStrategy::LeastRecent => Strategy::LeastRecent,
        types::RingStrategy::FewestCalls => Strategy::FewestCalls,
        types::RingStrategy::LeastTalkTime => Strategy::LeastTalkTime,
        types::RingStrategy::Random => Strategy::Random,
        types::RingStrategy::Linear => Strategy::Linear,
        types::RingStrategy::SkillsBest => Strategy::SkillsBest,
        types::RingStrategy::Unspecified | types::RingStrategy::LongestIdle => {
            Strategy::LongestIdle
        }
    }
}

const fn empty_rule(of: pb::EmptyRule) -> EmptyRule {
    match of {
        pb::EmptyRule::Unspecified | pb::EmptyRule::Allow => EmptyRule::Allow,
        pb::EmptyRule::DenyIfNoneLoggedIn => EmptyRule::NoneLoggedIn,
        pb::EmptyRule::DenyIfNoneAvailable => EmptyRule::NoneAvailable,
    }
}

/// From the offer to the end of the talk a queue hears nothing new of an agent, so ringing and talking are one.
fn available(queue: &CallQueue) -> Standings {
    if queue.available_states.is_empty() {
        return Standings::WORKING;
    }
    let standings = queue.available_states().filter_map(|state| {
        Some(match state {
            types::AgentState::Ready => Standing::Ready,
            types::AgentState::Reserved
            | types::AgentState::Alerting
            | types::AgentState::Connected => Standing::InContact,
            types::AgentState::WrapUp => Standing::WrapUp,
            types::AgentState::Paused => Standing::Paused,
            types::AgentState::NotResponding => Standing::NotResponding,
            types::AgentState::LoggedOut | types::AgentState::Unspecified => return None,
        })
    });
    Standings::of(&standings.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_of_which_nothing_is_said_has_the_documented_rules() {
        let id = QueueId::from_u128(5);
        assert_eq!(of(id, &CallQueue::default()), QueueSettings::new(id));
    }

    #[test]
    fn who_was_given_a_place_comes_before_who_was_only_assigned() {
        let at = |order, seconds| order_of(order, prost_types::Timestamp { seconds, nanos: 0 });
        let mut places = [at(0, 1), at(0, 2), at(1, 9), at(2, 3), at(2, 1)];
        places.sort_unstable();
        assert_eq!(places, [at(1, 9), at(2, 1), at(2, 3), at(0, 1), at(0, 2)]);
    }

    fn order_of(order: u32, assigned: prost_types::Timestamp) -> u64 {
        super::order(&QueueAgent {
            order,
            create_time: Some(assigned),
            ..QueueAgent::default()
        })
    }

    #[test]
    fn every_strategy_that_can_be_configured_is_one_of_the_rules() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 1..=9 {
            let configured = types::RingStrategy::try_from(number).unwrap();
            assert!(seen.insert(strategy(configured)), "{configured:?}");
        }
    }
}
