//! Hot state: the records of queues and agents, written under the epoch of their shard together with their events.
//!
//! [`HotStore`] is the port. A write of an old epoch is refused and changes nothing; that, and not the sender's own
//! belief, is what makes a deposed owner harmless. [`MemoryStore`] serves a single process.

#[cfg(test)]
mod contract;
mod memory;

pub use memory::{MemoryStore, relay};

use centro_bus::Event;
use centro_cluster::{Epoch, Shard};
use centro_kernel::{QueueId, UserId};
use centro_routing_core::{AgentRecord, QueueChange, QueueRecord};
use futures::future::BoxFuture;

/// Why a write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreError {
    /// The shard has a newer owner. Nothing was written; the actor must stop and answer nothing.
    Fenced,
    /// The store cannot be reached; whether the write happened is unknown. The actor stops and is activated again from
    /// what is stored.
    Unavailable,
}

/// What one step changed.
#[derive(Debug, Clone)]
pub enum Changes {
    /// Of a queue.
    Queue(QueueId, Vec<QueueChange>),
    /// Of an agent: the whole record, or nothing, to check the epoch only.
    Agent(UserId, Option<Box<AgentRecord>>),
}

impl Changes {
    /// The shard they belong to.
    pub const fn shard(&self) -> Shard {
        match self {
            Self::Queue(id, _) => Shard::of(id.as_u128()),
            Self::Agent(id, _) => Shard::of(id.as_u128()),
        }
    }
}

/// One step's write: all of it or nothing.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The epoch under which the actor acts.
    pub epoch: Epoch,
    /// What changed; may be empty, which still checks the epoch.
    pub changes: Changes,
    /// What to tell the world, in this order, after everything committed before.
    pub events: Vec<Event>,
}

/// Keeps hot state. Futures that are ready at once cost nothing; slow ones hold up their own actor only.
pub trait HotStore: Send + Sync + 'static {
    /// Writes changes and events if the epoch is the shard's present one.
    fn commit(&self, commit: Commit) -> BoxFuture<'static, Result<(), StoreError>>;

    /// What is stored of a queue; empty for a new one.
    fn load_queue(&self, queue: QueueId) -> BoxFuture<'static, Result<QueueRecord, StoreError>>;

    /// What is stored of an agent.
    fn load_agent(
        &self,
        agent: UserId,
    ) -> BoxFuture<'static, Result<Option<AgentRecord>, StoreError>>;
}
