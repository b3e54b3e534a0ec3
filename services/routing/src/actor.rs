//! The actors: one per queue, one per agent, each on the arbiter of its shard.
//!
//! Order of work: decide, commit under the epoch, then effects and the answer. An actor whose commit is refused stops and
//! answers nothing; the next message activates it again from what is stored, and so does the router when work is left
//! in it. Nothing is polled: each actor has one
//! wake-up, for its earliest deadline.

mod agent;
mod edges;
mod faults;
mod pick_ups;
mod queue;
mod wakeup;

pub use agent::{AgentActor, Ask, AskAgent, LookAtAgent, TellAgent};
pub use edges::{EdgeStream, Released};
pub use faults::Crash;
#[cfg(test)]
pub use faults::{Die, Fail, Stall};
pub use pick_ups::{AskPickUp, Outcome};
pub use queue::{
    AskQueue, CheckEdges, FromEdge, LetGo, LookAtQueue, QueueActor, Reconcile, TellQueue,
};
