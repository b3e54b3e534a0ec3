//! Every interleaving of small worlds.
//!
//! There is no time: messages are handled at instant zero, and the checker chooses when a deadline fires. A deadline that
//! only repeats, or that real time puts after all messages, fires when nothing is on its way; others cost a budget. The
//! network is a bag: any letter may be next, and with a budget be lost or read twice. The owner of a shard may die between
//! storing and sending, or freeze and come back as a zombie that reads and writes.
//!
//! Safety is checked in every state. Liveness is checked from sampled states: without further faults everything must come
//! to rest within [`small::STEPS_TO_REST`] steps, and nobody may time out beside a free agent.

mod act;
mod budget;
mod check;
mod net;
mod people;
mod rest;
mod shapes;
mod small;
#[cfg(test)]
mod tests;
pub(crate) mod worlds;

pub use act::Act;
pub use budget::Budget;
pub use check::{Found, Verdict, check, habit, write_scenarios};
pub use small::{Small, State};
pub use worlds::{find, hunts, quick, rest_of_paper};
