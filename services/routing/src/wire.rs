//! The words of `proto/` and those of the rules, one into the other.

mod figures;

pub use figures::{agent_today_out, expected_wait_out, mean_wait_out, queue_today_out};

use centro_kernel::{
    Code, ContactId, Fault, IdError, Timestamp,
    contact::{LeftReason, OfferEnd, Outcome, Reservation},
};
use centro_proto::{routing as pb, types};
use centro_routing_core::{
    Caller, Chosen, Comparison, ContactKind, Desktop, Membership, Need, Needs, Part, Rest,
    SlotPhase, State, Step, View, figures::AgentToday, skills::MOST_STEPS,
};
use std::{str::FromStr, time::Duration};

/// Needs that one step may have.
const MOST_NEEDS: usize = 20;

/// An id from a request.
///
/// # Errors
/// `id_invalid`, at `pointer`.
pub fn id<T: FromStr<Err = IdError>>(text: &str, pointer: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|e: IdError| Fault::new(Code::Invalid, "id_invalid", e).at(pointer))
}

/// An instant, for the wire.
pub fn time(at: Timestamp) -> prost_types::Timestamp {
    let millis = at.as_millis();
    prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0),
    }
}

/// An instant from the wire, to the millisecond.
pub fn instant(time: &prost_types::Timestamp) -> Timestamp {
    let seconds = time.seconds.clamp(-62_135_596_800, 253_402_300_799);
    Timestamp::from_millis(seconds * 1000 + i64::from(time.nanos.clamp(0, 999_999_999)) / 1_000_000)
}

/// A duration from the wire; a negative one is none at all.
pub fn duration(duration: &prost_types::Duration) -> Duration {
    let seconds = u64::try_from(duration.seconds).unwrap_or(0);
    let nanos = u32::try_from(duration.nanos).unwrap_or(0).min(999_999_999);
    Duration::new(seconds, if duration.seconds < 0 { 0 } else { nanos })
}

/// A duration, for the wire.
pub fn span(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

/// A reservation from a request.
///
/// # Errors
/// `id_invalid` when it is missing or names no agent.
pub fn reservation(from: Option<&pb::Reservation>) -> Result<Reservation, Fault> {
    let missing =
        || Fault::new(Code::Invalid, "id_invalid", "a reservation is needed").at("/reservation");
    let from = from.ok_or_else(missing)?;
    Ok(Reservation {
        agent: id(&from.agent_id, "/reservation/agentId")?,
        number: from.number,
    })
}

/// A reservation, for the wire.
pub fn reservation_out(from: Reservation) -> pb::Reservation {
    pb::Reservation {
        agent_id: from.agent.to_string(),
        number: from.number,
    }
}

/// The customer's side.
pub fn caller(party: Option<&types::Party>, dialled: &str) -> Caller {
    let party = party.cloned().unwrap_or_default();
    Caller {
        number: party.number,
        display_name: party.display_name,
        dialled: dialled.to_owned(),
    }
}

/// The customer's side, for the wire.
pub fn party(caller: &Caller) -> Option<types::Party> {
    let known = !caller.number.is_empty() || !caller.display_name.is_empty();
    known.then(|| types::Party {
        number: caller.number.clone(),
        display_name: caller.display_name.clone(),
    })
}

/// Why an offer ended.
pub const fn offer_end(why: types::OfferEnd) -> OfferEnd {
    match why {
        types::OfferEnd::Answered => OfferEnd::Answered,
        types::OfferEnd::NoAnswer => OfferEnd::NoAnswer,
        types::OfferEnd::Rejected => OfferEnd::Rejected,
        types::OfferEnd::CallerGone => OfferEnd::CallerGone,
        types::OfferEnd::Cut => OfferEnd::Cut,
        types::OfferEnd::Elsewhere => OfferEnd::Elsewhere,
        types::OfferEnd::Revoked => OfferEnd::Revoked,
        types::OfferEnd::CommitFailed => OfferEnd::CommitFailed,
        types::OfferEnd::DeviceFailed => OfferEnd::DeviceFailed,
        types::OfferEnd::Busy => OfferEnd::Busy,
        types::OfferEnd::NeverRang | types::OfferEnd::Unspecified => OfferEnd::NeverRang,
    }
}

/// Why an offer ended, for the wire.
pub const fn offer_end_out(why: OfferEnd) -> types::OfferEnd {
    match why {
        OfferEnd::Answered => types::OfferEnd::Answered,
        OfferEnd::NeverRang => types::OfferEnd::NeverRang,
        OfferEnd::NoAnswer => types::OfferEnd::NoAnswer,
        OfferEnd::Rejected => types::OfferEnd::Rejected,
        OfferEnd::CallerGone => types::OfferEnd::CallerGone,
        OfferEnd::Cut => types::OfferEnd::Cut,
        OfferEnd::Elsewhere => types::OfferEnd::Elsewhere,
        OfferEnd::Revoked => types::OfferEnd::Revoked,
        OfferEnd::CommitFailed => types::OfferEnd::CommitFailed,
        OfferEnd::DeviceFailed => types::OfferEnd::DeviceFailed,
        OfferEnd::Busy => types::OfferEnd::Busy,
    }
}

/// Why a contact left; `None` for reasons that no contact of ours can have yet.
pub const fn left_reason(reason: types::LeftReason) -> Option<LeftReason> {
    Some(match reason {
        types::LeftReason::Answered => LeftReason::Answered,
        types::LeftReason::Abandoned => LeftReason::Abandoned,
        types::LeftReason::DtmfExit => LeftReason::DtmfExit,
        types::LeftReason::Timeout => LeftReason::Timeout,
        types::LeftReason::LeftEmpty => LeftReason::LeftEmpty,
        types::LeftReason::JoinedEmpty => LeftReason::JoinedEmpty,
        types::LeftReason::QueueFull => LeftReason::QueueFull,
        types::LeftReason::TransferredByUser => LeftReason::TransferredByUser,
        types::LeftReason::CallbackRequested => LeftReason::CallbackRequested,
        types::LeftReason::CallbackCancelledByUser => LeftReason::CallbackCancelledByUser,
        types::LeftReason::CallbackExpired => LeftReason::CallbackExpired,
        types::LeftReason::NoSkillMatch => LeftReason::NoSkillMatch,
        types::LeftReason::QueueClosed => LeftReason::QueueClosed,
        types::LeftReason::SystemFailure => LeftReason::SystemFailure,
        _ => return None,
    })
}

/// Why a contact left, for the wire.
pub const fn left_reason_out(reason: LeftReason) -> types::LeftReason {
    match reason {
        LeftReason::Answered => types::LeftReason::Answered,
        LeftReason::Abandoned => types::LeftReason::Abandoned,
        LeftReason::DtmfExit => types::LeftReason::DtmfExit,
        LeftReason::Timeout => types::LeftReason::Timeout,
        LeftReason::LeftEmpty => types::LeftReason::LeftEmpty,
        LeftReason::JoinedEmpty => types::LeftReason::JoinedEmpty,
        LeftReason::QueueFull => types::LeftReason::QueueFull,
        LeftReason::TransferredByUser => types::LeftReason::TransferredByUser,
        LeftReason::CallbackRequested => types::LeftReason::CallbackRequested,
        LeftReason::CallbackCancelledByUser => types::LeftReason::CallbackCancelledByUser,
        LeftReason::CallbackExpired => types::LeftReason::CallbackExpired,
        LeftReason::NoSkillMatch => types::LeftReason::NoSkillMatch,
        LeftReason::QueueClosed => types::LeftReason::QueueClosed,
        LeftReason::SystemFailure => types::LeftReason::SystemFailure,
    }
}

/// An outcome, for the wire.
pub const fn outcome_out(outcome: Outcome) -> types::Outcome {
    match outcome {
        Outcome::Handled => types::Outcome::Handled,
        Outcome::Abandoned => types::Outcome::Abandoned,
        Outcome::Pending => types::Outcome::Pending,
        Outcome::EvictedCustomer => types::Outcome::EvictedCustomer,
        Outcome::EvictedSystem => types::Outcome::EvictedSystem,
        Outcome::EvictedUser => types::Outcome::EvictedUser,
    }
}

/// What an agent does, for the wire.
pub const fn state_out(state: State) -> types::AgentState {
    match state {
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

/// What an agent chose, for the wire: the state and the reason for a pause.
pub fn chosen_out(chosen: &Chosen) -> (types::AgentState, String) {
    match chosen {
        Chosen::LoggedOut => (types::AgentState::LoggedOut, String::new()),
        Chosen::Ready => (types::AgentState::Ready, String::new()),
        Chosen::Paused(reason) => (types::AgentState::Paused, reason.clone()),
    }
}

/// An agent's status, for the wire.
pub fn status_out(view: &View, today: Option<AgentToday>) -> pb::AgentStatus {
    let (chosen, pause_reason) = chosen_out(&view.chosen);
    pb::AgentStatus {
        agent_id: view.agent.to_string(),
        state: state_out(view.state).into(),
        since: Some(time(view.since)),
        chosen: chosen.into(),
        pause_reason,
        device_id: view.device.map(|d| d.to_string()).unwrap_or_default(),
        device_online: view.device_online,
        queue_ids: view.queues().map(|q| q.to_string()).collect(),
        contact_id: view.contact.map(|c| c.to_string()).unwrap_or_default(),
        contact_queue_id: view
            .contact_queue
            .map(|q| q.to_string())
            .unwrap_or_default(),
        caller: party(&view.caller),
        wrap_up_until: view.wrap_up_until.map(time),
        memberships: view.memberships.iter().map(membership_out).collect(),
        rest_until: view.rest.map(|(until, _)| time(until)),
        rest: rest_out(view.rest.map(|(_, why)| why)).into(),
        desktop: match view.desktop {
            Desktop::None => pb::Desktop::None,
            Desktop::Open => pb::Desktop::Open,
            Desktop::Gone => pb::Desktop::Gone,
        }
        .into(),
        contacts: view.in_hand.iter().map(in_hand_out).collect(),
        today: today.map(agent_today_out),
    }
}

/// Why an agent is left alone, for the wire.
pub const fn rest_out(rest: Option<Rest>) -> pb::Rest {
    match rest {
        None => pb::Rest::Unspecified,
        Some(Rest::Unreachable) => pb::Rest::Unreachable,
        Some(Rest::Rejected) => pb::Rest::Rejected,
        Some(Rest::Busy) => pb::Rest::Busy,
        Some(Rest::NoAnswer) => pb::Rest::NoAnswer,
    }
}

fn membership_out(membership: &Membership) -> pb::QueueMembership {
    let (paused, pause_reason) = match &membership.part {
        Part::Paused(reason) => (true, reason.to_string()),
        Part::Taken | Part::NotResponding => (false, String::new()),
    };
    pb::QueueMembership {
        queue_id: membership.queue.to_string(),
        temporary: membership.temporary,
        paused,
        pause_reason,
        not_responding: membership.part == Part::NotResponding,
    }
}

fn in_hand_out((contact, phase): &(ContactId, SlotPhase)) -> pb::ContactInHand {
    let state = match phase {
        SlotPhase::Reserved | SlotPhase::Revoked => types::AgentState::Reserved,
        SlotPhase::Alerting => types::AgentState::Alerting,
        SlotPhase::Connected => types::AgentState::Connected,
        SlotPhase::WrapUp => types::AgentState::WrapUp,
    };
    pb::ContactInHand {
        contact_id: contact.to_string(),
        state: state.into(),
    }
}

/// What a contact needs.
///
/// # Errors
/// `id_invalid` for a skill that is none, `needs_invalid` for levels and steps out of range.
pub fn needs(from: Option<&types::SkillNeeds>) -> Result<Needs, Fault> {
    let wrong = |text: &str| Fault::new(Code::Invalid, "needs_invalid", text).at("/attach/needs");
    let Some(from) = from else {
        return Ok(Needs::default());
    };
    if from.steps.len() > MOST_STEPS {
        return Err(wrong("needs have at most 10 steps"));
    }
    let steps = from.steps.iter().map(|step| {
        if step.needs.len() > MOST_NEEDS {
            return Err(wrong("a step has at most 20 needs"));
        }
        let needs = step.needs.iter().map(|need| {
            let level = u8::try_from(need.level).unwrap_or(0);
            if !(1..=10).contains(&level) {
                return Err(wrong("levels go from 1 to 10"));
            }
            Ok(Need {
                skill: id(&need.skill_id, "/attach/needs")?,
                comparison: match need.op() {
                    types::SkillOp::Unspecified | types::SkillOp::AtLeast => Comparison::AtLeast,
                    types::SkillOp::AtMost => Comparison::AtMost,
                    types::SkillOp::Equal => Comparison::Equal,
                    types::SkillOp::MoreThan => Comparison::MoreThan,
                    types::SkillOp::LessThan => Comparison::LessThan,
                },
                level,
            })
        });
        Ok(Step {
            needs: needs.collect::<Result<_, Fault>>()?,
            lasts: step.lasts.as_ref().map(duration),
        })
    });
    let steps = steps.collect::<Result<_, Fault>>()?;
    Ok(Needs { steps })
}

/// How a contact came about; who does not say it is a call.
pub const fn kind(from: types::ContactKind) -> ContactKind {
    match from {
        types::ContactKind::Unspecified | types::ContactKind::Call => ContactKind::Call,
        types::ContactKind::Chat => ContactKind::Chat,
        types::ContactKind::Callback => ContactKind::Callback,
        types::ContactKind::Outbound => ContactKind::Outbound,
    }
}

/// How a contact came about, for the wire.
pub const fn kind_out(kind: ContactKind) -> types::ContactKind {
    match kind {
        ContactKind::Call => types::ContactKind::Call,
        ContactKind::Chat => types::ContactKind::Chat,
        ContactKind::Callback => types::ContactKind::Callback,
        ContactKind::Outbound => types::ContactKind::Outbound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_durations_survive_the_wire() {
        for millis in [-1, 0, 1_999, 1_700_000_000_123] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(instant(&time(at)), at);
        }
        let d = Duration::from_millis(15_250);
        assert_eq!(duration(&span(d)), d);
        assert_eq!(
            duration(&prost_types::Duration {
                seconds: -3,
                nanos: 5
            }),
            Duration::ZERO
        );
    }
}
