//! Pure rules of the configuration: no clock, no I/O, no randomness that is not passed in.

pub mod address;
pub mod callback;
pub mod device;
pub mod extension;
pub mod number;
pub mod organization;
pub mod plan;
pub mod profile;
pub mod queue;

use centro_kernel::{Code, Fault};

/// A request that is wrong whatever the state.
pub(crate) fn invalid(reason: &'static str, message: impl std::fmt::Display, field: &str) -> Fault {
    Fault::new(Code::Invalid, reason, message).at(field)
}
