//! The core's stays and intervals as rows, and back.

use super::{
    duration,
    entity::{agent_interval, stay},
    millis,
};
use crate::{
    core::{
        Doing, Interval, Stay,
        stay::{Caller, Left},
    },
    words,
};
use centro_kernel::{TenantId, Timestamp, UserId};

impl stay::Model {
    pub(super) fn of(tenant: &str, stay: &Stay) -> Self {
        Self {
            contact_id: stay.contact.to_string(),
            ordinal: stay.ordinal,
            tenant: tenant.to_owned(),
            queue_id: stay.queue.to_string(),
            caller_number: stay.caller.number.clone(),
            caller_name: stay.caller.display_name.clone(),
            dialled: stay.caller.dialled.clone(),
            enqueue_ms: stay.enqueued.map(Timestamp::as_millis),
            connect_ms: stay.connected.map(Timestamp::as_millis),
            leave_ms: stay.left.map(|left| left.at.as_millis()),
            left_reason: stay
                .left
                .map(|left| words::left_reason_out(left.reason).into()),
            wait_ms: stay.left.map(|left| millis(left.wait)),
            settled_ms: stay.settled().map(Timestamp::as_millis),
            end_ms: stay.ended.map(Timestamp::as_millis),
            ended_by: stay.ended_by.map(|by| words::ended_by_out(by).into()),
            agent_id: stay.agent.map(|agent| agent.to_string()),
            talk_ms: millis(stay.talk),
            hold_ms: millis(stay.hold),
            wrap_up_ms: millis(stay.wrap_up),
            ring_ms: millis(stay.ring),
            offers: i32::try_from(stay.offers).unwrap_or(i32::MAX),
            missed: i32::try_from(stay.missed).unwrap_or(i32::MAX),
            recording_id: stay.recording.map(|recording| recording.to_string()),
        }
    }

    /// The stay, unless somebody wrote ids by hand that are none.
    pub(super) fn into_stay(self) -> Option<Stay> {
        let left = match (self.leave_ms, self.left_reason, self.wait_ms) {
            (Some(at), Some(reason), Some(wait)) => Some(Left {
                at: Timestamp::from_millis(at),
                reason: words::left_reason(reason)?,
                wait: duration(wait),
            }),
            _ => None,
        };
        Some(Stay {
            contact: self.contact_id.parse().ok()?,
            ordinal: self.ordinal,
            queue: self.queue_id.parse().ok()?,
            caller: Caller {
                number: self.caller_number,
                display_name: self.caller_name,
                dialled: self.dialled,
            },
            enqueued: self.enqueue_ms.map(Timestamp::from_millis),
            connected: self.connect_ms.map(Timestamp::from_millis),
            left,
            ended: self.end_ms.map(Timestamp::from_millis),
            ended_by: self.ended_by.and_then(words::ended_by),
            agent: self.agent_id.and_then(|id| id.parse().ok()),
            talk: duration(self.talk_ms),
            hold: duration(self.hold_ms),
            wrap_up: duration(self.wrap_up_ms),
            ring: duration(self.ring_ms),
            offers: u32::try_from(self.offers).unwrap_or(0),
            missed: u32::try_from(self.missed).unwrap_or(0),
            recording: self.recording_id.and_then(|id| id.parse().ok()),
        })
    }
}

impl agent_interval::Model {
    pub(super) fn of(tenant: TenantId, agent: UserId, interval: &Interval) -> Self {
        Self {
            agent_id: agent.to_string(),
            start_ms: interval.start.as_millis(),
            tenant: tenant.to_string(),
            state: interval.doing.state,
            pause_reason: interval.doing.pause_reason.clone(),
            unreachable: interval.doing.unreachable,
            end_ms: interval.end.map(Timestamp::as_millis),
        }
    }

    pub(super) fn into_interval(self) -> Interval {
        Interval {
            doing: Doing {
                state: self.state,
                pause_reason: self.pause_reason,
                unreachable: self.unreachable,
            },
            start: Timestamp::from_millis(self.start_ms),
            end: self.end_ms.map(Timestamp::from_millis),
        }
    }
}
