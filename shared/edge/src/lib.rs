//! The contact's half of the routing protocol: one sequential owner decides which agent a contact takes.
//!
//! An [`Edge`] holds one contact. It asks for a place in a queue, turns an offer into a ring only after the agent's record
//! agreed, and bridges only after the agent's record agreed again. Pure: commands in, effects out, time is passed in.
//! Voice uses it now; whatever else holds contacts (conversations, callbacks) uses the same machine.
//!
//! Requests are repeated until answered ([`Edge::next_due`] and [`Command::Tick`]), so every message may be lost or come
//! twice. `End` and `Left` outlive the contact: an edge is [`Edge::done`] when both are acknowledged.
//!
//! A call dies with its process. What outlives its process is stored after every step that changed it, under the epoch
//! of its owner and before its effects are carried out; a new owner goes on with [`Edge::take_over`].

mod edge;
mod message;
#[cfg(feature = "mutants")]
pub mod mutants;
#[cfg(not(feature = "mutants"))]
mod mutants;
mod offer;
mod owner;
mod state;
#[cfg(test)]
mod tests;

pub use edge::Edge;
pub use message::{Command, Effect};
pub use state::{Bonds, Exit, Leg, LegState, Phase, Timing};
