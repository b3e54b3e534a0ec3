//! Hot state: the records of queues and agents, written under the epoch of their shard together with their events.
//!
//! [`HotStore`] is the port. A write of an old epoch is refused and changes nothing; that, and not the sender's own
//! belief, is what makes a deposed owner harmless. [`MemoryStore`] serves a single process, [`RedisStore`] a cluster.

#[cfg(test)]
pub(crate) mod contract;
mod memory;
mod redis;
mod told;

pub use memory::{GATHER, MemoryStore, relay};
pub use redis::{RedisStore, Shared, relay_shards};
pub use told::{Said, Told};

use centro_cluster::{Epoch, Shard};
use centro_kernel::{QueueId, TenantId, UserId};
use centro_routing_core::{AgentRecord, Chosen, QueueChange, QueueRecord};
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
#[derive(Clone)]
pub struct Commit {
    /// The epoch under which the actor acts.
    pub epoch: Epoch,
    /// Whose queue or agent it is.
    pub tenant: TenantId,
    /// What changed; may be empty, which still checks the epoch.
    pub changes: Changes,
    /// What to tell the world, in this order, after everything committed before.
    pub events: Vec<Told>,
}

/// Who has work to do that nobody asks for: deadlines, and contacts whose edge may be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Active {
    /// A queue in which somebody waits.
    Queue(TenantId, QueueId),
    /// An agent who is logged in, or has a contact in hand.
    Agent(TenantId, UserId),
}

/// Whether an agent's actor has work of its own.
pub fn is_active(record: &AgentRecord) -> bool {
    !record.slots.is_empty() || record.chosen != Chosen::LoggedOut
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

    /// Who of a shard has work to do, so that a new owner wakes them. In no particular order.
    fn active(&self, shard: Shard) -> BoxFuture<'static, Result<Vec<Active>, StoreError>>;
}
