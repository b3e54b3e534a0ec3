//! How a process that cannot run ends, so that whoever started it knows whether starting it again may help (sysexits.h).

use centro_bus::{BusError, RabbitError};
use centro_cluster::redis;
use centro_kernel::Code;
use centro_store::Refused;
use std::{fmt, process::ExitCode};

/// The command line or a setting is wrong, or does not fit what the engines hold: a person has to change something.
pub const USAGE: u8 = 64;
/// An engine is not there: starting again may help.
const UNAVAILABLE: u8 = 69;
/// Everything else.
const FAILURE: u8 = 1;

/// Something that a setting of this process names cannot be used.
#[derive(Debug)]
pub struct Unusable(pub anyhow::Error);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for Unusable {}

/// The exit code of what stopped a process.
pub fn of(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(error.chain().find_map(known).unwrap_or(FAILURE))
}

fn known(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    let is_away = if let Some(error) = cause.downcast_ref::<RabbitError>() {
        error.is_away()
    } else if let Some(error) = cause.downcast_ref::<redis::Error>() {
        error.is_away()
    } else if cause.is::<BusError>() {
        true
    } else if let Some(refused) = cause.downcast_ref::<Refused>() {
        refused.is_away()
    } else if let Some(fault) = cause.downcast_ref::<centro_kernel::Fault>() {
        // Others than the storage are no engine of ours.
        return (fault.code == Code::Unavailable).then_some(UNAVAILABLE);
    } else {
        return cause.is::<Unusable>().then_some(USAGE);
    };
    Some(if is_away { UNAVAILABLE } else { USAGE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    fn code(error: impl Into<anyhow::Error>) -> ExitCode {
        let error: Result<(), _> = Err(error.into());
        of(&error.context("identity cannot start").unwrap_err())
    }

    #[test]
    fn what_a_person_has_to_change_is_told_from_what_may_pass() {
        let taken = redis::Error::NameTaken("routing-1".into());
        assert_eq!(code(taken), ExitCode::from(USAGE));
        let old = Refused::OldServer { found: 14 };
        assert_eq!(code(old), ExitCode::from(USAGE));
        let folder = Unusable(anyhow::anyhow!("node.data: cannot write"));
        assert_eq!(code(folder), ExitCode::from(USAGE));
        let away = RabbitError::Unreachable {
            address: "mq:5672".into(),
            reason: "refused".into(),
        };
        assert_eq!(code(away), ExitCode::from(UNAVAILABLE));
        assert_eq!(code(anyhow::anyhow!("gateway.bind")), ExitCode::FAILURE);
    }
}
