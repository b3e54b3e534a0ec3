//! Rows of the edge's table, as sentences.

mod briefing;
mod leaving;
mod offers;
mod owners;
mod properties;
mod ring_all;
mod wishes;

use crate::{Command, Edge, Effect, Leg, Phase, Timing};
use centro_kernel::{
    QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::time::Duration;

pub(super) const QUEUE: QueueId = QueueId::from_u128(1);
pub(super) const OTHER: QueueId = QueueId::from_u128(2);
pub(super) const RING: Duration = Duration::from_secs(15);

pub(super) const BRIEF: Duration = Duration::from_secs(8);

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn res(agent: u128, number: u64) -> Reservation {
    Reservation {
        agent: UserId::from_u128(agent),
        number,
    }
}

pub(super) fn offer(reservation: Reservation, attach_no: u32) -> Command {
    Command::Offer {
        queue: QUEUE,
        attach_no,
        reservation,
        ring_for: RING,
        brief_for: Duration::ZERO,
    }
}

/// The same in a queue that briefs its agents.
pub(super) fn briefed_offer(reservation: Reservation, attach_no: u32) -> Command {
    Command::Offer {
        queue: QUEUE,
        attach_no,
        reservation,
        ring_for: RING,
        brief_for: BRIEF,
    }
}

pub(super) fn move_to(to: QueueId, attach_no: u32) -> Command {
    Command::MoveTo {
        queue: QUEUE,
        attach_no,
        to,
    }
}

pub(super) fn taken_out(attach_no: u32) -> Command {
    Command::TakenOut {
        queue: QUEUE,
        attach_no,
    }
}

pub(super) fn ended(reservation: Reservation, was_connected: bool) -> Command {
    Command::Ended {
        reservation,
        was_connected,
    }
}

pub(super) fn end(reservation: Reservation, why: OfferEnd) -> Effect {
    Effect::End { reservation, why }
}

pub(super) fn stop(reservation: Reservation, why: OfferEnd) -> Effect {
    Effect::Stop { reservation, why }
}

pub(super) fn left(attach_no: u32, reason: LeftReason) -> Effect {
    Effect::Left {
        queue: QUEUE,
        attach_no,
        reason,
        agent: None,
    }
}

/// It left because this one answered.
pub(super) fn left_with(attach_no: u32, by: Reservation) -> Effect {
    Effect::Left {
        queue: QUEUE,
        attach_no,
        reason: LeftReason::Answered,
        agent: Some(by.agent),
    }
}

/// An edge that waits in `QUEUE`, attached.
pub(super) fn waiting() -> Edge {
    let mut edge = Edge::new(Timing::default());
    edge.handle(at(0), Command::Arrive(QUEUE));
    edge.handle(
        at(0),
        Command::Attached {
            queue: QUEUE,
            attach_no: 1,
            epoch: 7,
        },
    );
    edge
}

/// An edge whose offer of `reservation` got as far as `leg`.
pub(super) fn with(reservation: Reservation, leg: Leg) -> Edge {
    let mut edge = waiting();
    let offered = match leg {
        Leg::Briefing => briefed_offer(reservation, 1),
        _ => offer(reservation, 1),
    };
    edge.handle(at(0), offered);
    if leg != Leg::Asking {
        edge.handle(at(0), Command::AlertOk(reservation));
    }
    if matches!(leg, Leg::Briefing | Leg::Committing | Leg::Settling) {
        edge.handle(at(0), Command::Answered(reservation));
    }
    if leg == Leg::Settling {
        edge.handle(at(0), Command::AgentHungUp(reservation));
    }
    assert_eq!(edge.leg(reservation), Some(leg));
    edge
}

pub(super) fn connected(reservation: Reservation) -> Edge {
    let mut edge = with(reservation, Leg::Committing);
    edge.handle(at(0), Command::ConnectOk(reservation));
    edge.handle(
        at(0),
        Command::LeftOk {
            queue: QUEUE,
            attach_no: 1,
        },
    );
    edge
}
