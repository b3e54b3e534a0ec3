//! The words of the protos, as the core has them and back.

use crate::core::stay::Party;
use centro_kernel::{
    Timestamp,
    contact::{LeftReason, OfferEnd, Outcome},
};
use centro_proto::types as pb;
use prost_types::Timestamp as PbTimestamp;

pub(crate) fn left_reason(reason: i32) -> Option<LeftReason> {
    Some(match pb::LeftReason::try_from(reason).ok()? {
        pb::LeftReason::Answered => LeftReason::Answered,
        pb::LeftReason::Abandoned => LeftReason::Abandoned,
        pb::LeftReason::DtmfExit => LeftReason::DtmfExit,
        pb::LeftReason::Timeout => LeftReason::Timeout,
        pb::LeftReason::LeftEmpty => LeftReason::LeftEmpty,
        pb::LeftReason::JoinedEmpty => LeftReason::JoinedEmpty,
        pb::LeftReason::QueueFull => LeftReason::QueueFull,
        pb::LeftReason::TransferredByUser => LeftReason::TransferredByUser,
        pb::LeftReason::QueueClosed => LeftReason::QueueClosed,
        pb::LeftReason::SystemFailure => LeftReason::SystemFailure,
        pb::LeftReason::CallbackRequested => LeftReason::CallbackRequested,
        pb::LeftReason::CallbackCancelledByUser => LeftReason::CallbackCancelledByUser,
        pb::LeftReason::CallbackExpired => LeftReason::CallbackExpired,
        pb::LeftReason::NoSkillMatch => LeftReason::NoSkillMatch,
        pb::LeftReason::Unspecified => return None,
    })
}

pub(crate) fn left_reason_out(reason: LeftReason) -> pb::LeftReason {
    match reason {
        LeftReason::Answered => pb::LeftReason::Answered,
        LeftReason::Abandoned => pb::LeftReason::Abandoned,
        LeftReason::DtmfExit => pb::LeftReason::DtmfExit,
        LeftReason::Timeout => pb::LeftReason::Timeout,
        LeftReason::LeftEmpty => pb::LeftReason::LeftEmpty,
        LeftReason::JoinedEmpty => pb::LeftReason::JoinedEmpty,
        LeftReason::QueueFull => pb::LeftReason::QueueFull,
        LeftReason::TransferredByUser => pb::LeftReason::TransferredByUser,
        LeftReason::CallbackRequested => pb::LeftReason::CallbackRequested,
        LeftReason::CallbackCancelledByUser => pb::LeftReason::CallbackCancelledByUser,
        LeftReason::CallbackExpired => pb::LeftReason::CallbackExpired,
        LeftReason::NoSkillMatch => pb::LeftReason::NoSkillMatch,
        LeftReason::QueueClosed => pb::LeftReason::QueueClosed,
        LeftReason::SystemFailure => pb::LeftReason::SystemFailure,
    }
}

pub(crate) fn outcome_out(outcome: Outcome) -> pb::Outcome {
    match outcome {
        Outcome::Handled => pb::Outcome::Handled,
        Outcome::Abandoned => pb::Outcome::Abandoned,
        Outcome::Pending => pb::Outcome::Pending,
        Outcome::EvictedCustomer => pb::Outcome::EvictedCustomer,
        Outcome::EvictedSystem => pb::Outcome::EvictedSystem,
        Outcome::EvictedUser => pb::Outcome::EvictedUser,
    }
}

pub(crate) fn offer_end(why: i32) -> Option<OfferEnd> {
    Some(match pb::OfferEnd::try_from(why).ok()? {
        pb::OfferEnd::Unspecified => return None,
        pb::OfferEnd::Answered => OfferEnd::Answered,
        pb::OfferEnd::NeverRang => OfferEnd::NeverRang,
        pb::OfferEnd::NoAnswer => OfferEnd::NoAnswer,
        pb::OfferEnd::Rejected => OfferEnd::Rejected,
        pb::OfferEnd::CallerGone => OfferEnd::CallerGone,
        pb::OfferEnd::Cut => OfferEnd::Cut,
        pb::OfferEnd::Elsewhere => OfferEnd::Elsewhere,
        pb::OfferEnd::Revoked => OfferEnd::Revoked,
        pb::OfferEnd::CommitFailed => OfferEnd::CommitFailed,
        pb::OfferEnd::DeviceFailed => OfferEnd::DeviceFailed,
        pb::OfferEnd::Busy => OfferEnd::Busy,
    })
}

pub(crate) fn ended_by(by: i32) -> Option<Party> {
    match pb::EndedBy::try_from(by).ok()? {
        pb::EndedBy::Unspecified => None,
        pb::EndedBy::Caller => Some(Party::Caller),
        pb::EndedBy::Agent => Some(Party::Agent),
        pb::EndedBy::System => Some(Party::System),
    }
}

pub(crate) fn ended_by_out(by: Party) -> pb::EndedBy {
    match by {
        Party::Caller => pb::EndedBy::Caller,
        Party::Agent => pb::EndedBy::Agent,
        Party::System => pb::EndedBy::System,
    }
}

/// Rounded down to the millisecond.
pub(crate) fn time(time: &PbTimestamp) -> Timestamp {
    let millis = time
        .seconds
        .saturating_mul(1000)
        .saturating_add(i64::from(time.nanos / 1_000_000));
    Timestamp::from_millis(millis)
}

pub(crate) fn time_out(time: Timestamp) -> PbTimestamp {
    let (seconds, millis) = (
        time.as_millis().div_euclid(1000),
        time.as_millis().rem_euclid(1000),
    );
    PbTimestamp {
        seconds,
        nanos: i32::try_from(millis).unwrap_or(0) * 1_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_reason_and_end_of_an_offer_is_understood() {
        for number in 1..=14 {
            let reason = left_reason(number).unwrap();
            assert_eq!(left_reason_out(reason) as i32, number);
        }
        assert_eq!(left_reason(0), None);
        for number in 1..=11 {
            assert!(offer_end(number).is_some(), "{number}");
        }
    }
}
