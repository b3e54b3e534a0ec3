//! Pure rules of identity: no clock, no I/O, no randomness.

pub mod person;
pub mod roles;
pub mod throttle;
