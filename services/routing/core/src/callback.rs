//! Whether a waiting caller is offered a call back (spec S25-S31, D18-D22), and how often: once per stay.
//!
//! [`Rule`] is what the queue is set to, [`CallerId`] what is known of the caller's number, [`Invitation`] belongs to the
//! stay. [`judge`] decides, and says everything that speaks against an offer with the numbers it saw, so that "why was
//! nobody offered a call back?" has an answer (spec U19). Numbers are parsed outside: the core knows no metadata of them.

mod caller_id;
mod invitation;
mod offer;
mod rule;
#[cfg(test)]
mod tests;

pub use caller_id::{CallerId, InvalidCallerId, NumberType, Presentation};
pub use invitation::{Invitation, Pressed};
pub use offer::{Against, Candidate, Situation, Verdict, eligible_available, judge};
pub use rule::{Rule, Unit, threshold};
