//! The proof of the routing protocol, on the product's own rules: `centro_routing_core` and `centro_edge`.
//!
//! [`World`] is a small centre: the product's deciders, a store that fences by epoch exactly as the product's actors do,
//! owners that crash, freeze and come back as zombies, and the rules of `centro_routing_core::invariants` checked after
//! each step. It has no network and no time of its own. Two checkers drive it:
//!
//! - [`model`]: every interleaving of small worlds, with a budget of surprises and faults;
//! - [`sim`]: long days of a whole centre by seeds, with virtual time, bad networks and dying machines.
//!
//! Deliberate bugs ([`Mutant`]) prove that the checkers see; the shortest trace of each is a scenario under `scenarios/`
//! that is replayed as a test. How it is used: docs/protocol.md, "How it is proved".

mod ids;
mod kept;
mod letter;
pub mod model;
mod mutant;
pub mod scenario;
mod shape;
mod shard;
pub mod sim;
mod world;

pub use ids::{agent_id, contact_id, queue_id};
pub use letter::{Actor, EdgeTimer, Letter, Mail, Timer};
pub use mutant::Mutant;
pub use shape::{AgentShape, ContactShape, QueueShape, Shape};
pub use shard::{Instance, Shard, Who};
pub use world::{Contact, Outcome, Step, World};
