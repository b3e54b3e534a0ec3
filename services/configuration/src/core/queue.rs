//! Call queues: what is set when nothing is said, and which values fit (spec D1–D24). Ranges that need no word of their own
//! stand in the proto.

use super::{callback, extension, invalid, plan};
use centro_kernel::{Fault, name};
use centro_proto::{
    configuration::{
        CallQueue, EmptyRule, RonaAction, RonaScope, ServiceLevel, SkillMatch, WrapUpMode,
    },
    types::{AgentState, RingStrategy},
};
use prost_types::Duration;

const fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

/// Whose agents are there when nothing is said (spec D8).
const THERE: [AgentState; 4] = [
    AgentState::Ready,
    AgentState::Alerting,
    AgentState::Connected,
    AgentState::WrapUp,
];

/// Fills in what was left out.
pub fn with_defaults(mut queue: CallQueue) -> CallQueue {
    if queue.ring_strategy == RingStrategy::Unspecified as i32 {
        queue.ring_strategy = RingStrategy::LongestIdle as i32;
    }
    queue.agent_ring_timeout.get_or_insert(seconds(15));
    queue.wrap_up.get_or_insert(seconds(10));
    queue.max_callers.get_or_insert(0);
    queue.missed_offers.get_or_insert(1);
    queue.announce_position_every.get_or_insert(seconds(0));
    let level = queue.service_level.get_or_insert_default();
    if level.target_percent == 0 {
        level.target_percent = 80;
    }
    level.within.get_or_insert(seconds(20));
    queue.short_abandon.get_or_insert(seconds(5));
    queue.record.get_or_insert(true);
    queue.reject_delay.get_or_insert(seconds(10));
    queue.busy_delay.get_or_insert(seconds(60));
    queue.no_answer_delay.get_or_insert(seconds(0));
    queue.retry_delay.get_or_insert(seconds(5));
    queue.connect_delay.get_or_insert(seconds(0));
    queue.leave_empty_grace.get_or_insert(seconds(5));
    or(&mut queue.wrap_up_mode, WrapUpMode::Timed as i32);
    or(&mut queue.join_empty, EmptyRule::Allow as i32);
    or(&mut queue.leave_empty, EmptyRule::Allow as i32);
    or(&mut queue.rona_action, RonaAction::NotResponding as i32);
    or(&mut queue.rona_scope, RonaScope::AllQueues as i32);
    or(&mut queue.skill_match, SkillMatch::AllRequired as i32);
    if queue.available_states.is_empty() {
        queue.available_states = THERE.map(|state| state as i32).to_vec();
    }
    callback::fill(queue.callback.get_or_insert_default());
    queue
}

/// An enum that says nothing takes its default.
const fn or(value: &mut i32, default: i32) {
    if *value == 0 {
        *value = default;
    }
}

/// Checks a queue and trims its name. An empty extension is not looked at: it is given later.
///
/// # Errors
/// Those of names and extensions, `duration_out_of_range`, `number_out_of_range`, `value_unknown`, `states_inseparable`,
/// `clip_unknown`, `rona_reason_missing`, `threshold_missing`, `threshold_not_positive`.
pub fn check(queue: &mut CallQueue) -> Result<(), Fault> {
    queue.display_name = name::check(&queue.display_name)?;
    if !queue.extension.is_empty() {
        extension::check(&queue.extension)?;
    }
    if RingStrategy::try_from(queue.ring_strategy).is_err() {
        return Err(invalid(
            "value_unknown",
            "there is no such ring strategy",
            "/ringStrategy",
        ));
    }
    if !matches!(queue.language.as_str(), "" | "en" | "it") {
        return Err(invalid(
            "value_unknown",
            "prompts exist in en and it",
            "/language",
        ));
    }
    duration(
        queue.agent_ring_timeout.as_ref(),
        5,
        900,
        "/agentRingTimeout",
    )?;
    duration(queue.wrap_up.as_ref(), 0, 900, "/wrapUp")?;
    duration(
        queue.announce_position_every.as_ref(),
        0,
        3600,
        "/announcePositionEvery",
    )?;
    duration(queue.short_abandon.as_ref(), 0, 60, "/shortAbandon")?;
    duration(queue.reject_delay.as_ref(), 0, 600, "/rejectDelay")?;
    number(queue.max_callers, 0, 10_000, "/maxCallers")?;
    number(queue.weight, 1, 1000, "/weight")?;
    number(queue.missed_offers, 1, 10, "/missedOffers")?;
    if let Some(ServiceLevel {
        target_percent,
        within,
    }) = &queue.service_level
    {
        number(Some(*target_percent), 1, 100, "/serviceLevel/targetPercent")?;
        duration(within.as_ref(), 1, 3600, "/serviceLevel/within")?;
    }
    announcement(&queue.agent_announcement)?;
    available_states(&queue.available_states)?;
    rona(queue)?;
    queue.callback.as_ref().map_or(Ok(()), callback::check)
}

fn announcement(clip: &str) -> Result<(), Fault> {
    if clip.is_empty() || plan::clip_exists(clip) {
        return Ok(());
    }
    let known = plan::known_clips();
    let message = format_args!("there is no clip {clip} to announce; there are {known}");
    Err(invalid("clip_unknown", message, "/agentAnnouncement").with("known", known))
}

fn available_states(states: &[i32]) -> Result<(), Fault> {
    for (index, state) in states.iter().enumerate() {
        let known = AgentState::try_from(*state);
        if matches!(known, Ok(AgentState::Unspecified | AgentState::LoggedOut)) {
            let message = "an agent who is logged out is not there; leave this state out";
            let field = format!("/availableStates/{index}");
            return Err(invalid("value_unknown", message, &field));
        }
    }
    let has = |state: AgentState| states.contains(&state.into());
    let (alerting, connected) = (has(AgentState::Alerting), has(AgentState::Connected));
    if alerting != connected || (has(AgentState::Reserved) && !alerting) {
        // A queue hears nothing of an agent between the grant and the end of the talk.
        let message = "reserved, alerting and connected agents count alike: name alerting and connected, or none of them";
        return Err(invalid("states_inseparable", message, "/availableStates"));
    }
    Ok(())
}

/// Trims the pause reason, which a pause needs.
fn rona(queue: &mut CallQueue) -> Result<(), Fault> {
    const REASON: &str = "/ronaPauseReason";
    if !queue.rona_pause_reason.trim().is_empty() {
        let reason = name::check(&queue.rona_pause_reason).map_err(|fault| fault.at(REASON))?;
        queue.rona_pause_reason = reason;
    } else if queue.rona_action() == RonaAction::Pause {
        let message = "say for which reason agents who miss contacts are paused";
        return Err(invalid("rona_reason_missing", message, REASON));
    } else {
        queue.rona_pause_reason.clear();
    }
    Ok(())
}

/// Checks that a duration lies between two numbers of seconds, both included. An absent one is fine.
pub(super) fn duration(
    value: Option<&Duration>,
    min: i64,
    max: i64,
    field: &str,
) -> Result<(), Fault> {
    let Some(value) = value else { return Ok(()) };
    let millis = value
        .seconds
        .saturating_mul(1000)
        .saturating_add(i64::from(value.nanos) / 1_000_000);
    if value.nanos < 0 || millis < min * 1000 || millis > max * 1000 {
        let message = format_args!("give {min} to {max} seconds");
        return Err(invalid("duration_out_of_range", message, field)
            .with("min", min)
            .with("max", max));
    }
    Ok(())
}

fn number(value: Option<u32>, min: u32, max: u32, field: &str) -> Result<(), Fault> {
    if value.is_some_and(|value| value < min || value > max) {
        let message = format_args!("give {min} to {max}");
        return Err(invalid("number_out_of_range", message, field)
            .with("min", min)
            .with("max", max));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sales() -> CallQueue {
        with_defaults(CallQueue {
            display_name: "Sales".to_owned(),
            ..CallQueue::default()
        })
    }

    #[test]
    fn what_is_left_out_gets_the_published_default() {
        let queue = sales();
        assert_eq!(queue.ring_strategy(), RingStrategy::LongestIdle);
        assert_eq!(queue.agent_ring_timeout, Some(seconds(15)));
        assert_eq!(
            queue.service_level,
            Some(ServiceLevel {
                target_percent: 80,
                within: Some(seconds(20))
            })
        );
        assert_eq!(
            (queue.record, queue.missed_offers, queue.weight),
            (Some(true), Some(1), None)
        );
    }

    #[test]
    fn values_out_of_range_name_their_field() {
        assert_eq!(check(&mut sales()), Ok(()));
        let wrong = |change: fn(&mut CallQueue)| {
            let mut queue = sales();
            change(&mut queue);
            let fault = check(&mut queue).unwrap_err();
            (fault.reason, fault.field)
        };
        assert_eq!(
            wrong(|q| q.wrap_up = Some(seconds(901))),
            ("duration_out_of_range", "/wrapUp".to_owned())
        );
        assert_eq!(
            wrong(|q| q.agent_ring_timeout = Some(seconds(4))).1,
            "/agentRingTimeout"
        );
        assert_eq!(
            wrong(|q| q.weight = Some(0)),
            ("number_out_of_range", "/weight".to_owned())
        );
        assert_eq!(wrong(|q| q.ring_strategy = 99).0, "value_unknown");
        assert_eq!(
            wrong(|q| q.extension = "12".to_owned()).0,
            "extension_bad_format"
        );
        assert_eq!(wrong(|q| q.display_name = " ".to_owned()).0, "name_empty");
        assert_eq!(
            wrong(|q| q.agent_announcement = "tada".to_owned()),
            ("clip_unknown", "/agentAnnouncement".to_owned())
        );
        assert_eq!(
            wrong(|q| q.available_states.push(AgentState::LoggedOut.into())),
            ("value_unknown", "/availableStates/4".to_owned())
        );
        for apart in [
            |q: &mut CallQueue| q.available_states = vec![AgentState::Connected.into()],
            |q: &mut CallQueue| q.available_states = vec![AgentState::Alerting.into()],
            |q: &mut CallQueue| q.available_states = vec![AgentState::Reserved.into()],
        ] {
            let field = "/availableStates".to_owned();
            assert_eq!(wrong(apart), ("states_inseparable", field));
        }
    }

    #[test]
    fn a_new_queue_behaves_as_the_guide_says() {
        let queue = sales();
        assert_eq!(queue.wrap_up_mode(), WrapUpMode::Timed);
        assert_eq!(
            (queue.join_empty(), queue.leave_empty()),
            (EmptyRule::Allow, EmptyRule::Allow)
        );
        assert_eq!(queue.rona_action(), RonaAction::NotResponding);
        assert_eq!(queue.rona_scope(), RonaScope::AllQueues);
        assert_eq!(queue.skill_match(), SkillMatch::AllRequired);
        assert_eq!(
            queue.available_states().collect::<Vec<_>>(),
            THERE,
            "a paused agent is not there"
        );
        assert_eq!(queue.aging, None, "weights are strict");
        let delays = [
            queue.busy_delay,
            queue.no_answer_delay,
            queue.retry_delay,
            queue.connect_delay,
            queue.leave_empty_grace,
        ];
        assert_eq!(delays, [60, 0, 5, 0, 5].map(|s| Some(seconds(s))));
        assert_eq!(with_defaults(queue.clone()), queue, "filling again is idle");
    }

    #[test]
    fn whoever_pauses_agents_for_missed_contacts_says_why() {
        let mut queue = sales();
        queue.rona_action = RonaAction::Pause.into();
        queue.rona_pause_reason = "  ".to_owned();
        let fault = check(&mut queue).unwrap_err();
        assert_eq!(
            (fault.reason, fault.field.as_str()),
            ("rona_reason_missing", "/ronaPauseReason")
        );
        queue.rona_pause_reason = " Missed calls ".to_owned();
        assert_eq!(check(&mut queue), Ok(()));
        assert_eq!(queue.rona_pause_reason, "Missed calls");
        queue.rona_pause_reason = "a\u{7}".to_owned();
        assert_eq!(check(&mut queue).unwrap_err().field, "/ronaPauseReason");
    }
}
