//! Live figures of queues and agents: fed with each event after its step was stored, right at any moment.
//!
//! [`QueueFigures`] knows one queue, [`AgentFigures`] one agent. Both count in whole milliseconds and never round before
//! the last step, so a recount from the events gives the same numbers. Formulas: spec 5.3, docs/metrics-definitions.md.
//!
//! "Today" is the time since [`QueueFigures::begin_day`]; the caller knows the time zone, the core does not. What happened
//! longer ago than a window is forgotten, what happened before today too. Nothing here decides who serves whom.

mod agent;
mod day;
mod expected;
mod facts;
mod measure;
mod queue;
mod recent;
mod rules;
mod stay;
#[cfg(test)]
mod tests;
mod window;

pub use agent::{AgentFigures, AgentToday};
pub use expected::{ExpectedWait, Method, Serving, UnknownWait};
pub use facts::{Activity, Concerns, concerns};
pub use measure::{Mean, MeanWait, Ratio};
pub use queue::{QueueFigures, QueueToday};
pub(crate) use rules::check_window;
pub use rules::{Rules, ServiceLevel};
