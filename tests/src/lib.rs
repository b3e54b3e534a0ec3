//! What the end-to-end tests share: a centre that leaves evidence when a test fails, telephones of agents and callers, and
//! questions about the floor. The tests themselves are in `tests/`, the telephones' scenarios in `sip/`.

pub mod clips;
pub mod floor;
pub mod metrics;
pub mod phones;
pub mod stage;

/// What callers say.
pub const CALLER_HZ: f64 = 600.0;

/// What agents say.
pub const AGENT_HZ: f64 = 1000.0;

/// Long enough for anything that needs no timer, on a busy machine.
pub const SOON: std::time::Duration = std::time::Duration::from_secs(10);
