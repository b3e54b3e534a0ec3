//! Which process owns which shard, with which epoch, and who is there at all.
//!
//! Queue and agent actors live in shards. A shard's owner holds a growing epoch; every write that others can see carries
//! it, so that an owner that was deposed without noticing can change nothing. [`Ownership`] is the port, `tests/contract.rs`
//! what each adapter keeps. [`LocalOwnership`] serves processes that share nothing but memory, which is one alone, or
//! several nodes in a test; [`redis::RedisOwnership`], a lease table in Redis, serves a cluster.
//! [`Members`] says who is there and where it is reached.

pub mod lease;
mod local;
mod members;
pub mod redis;

pub use local::{LocalCluster, LocalOwnership};
pub use members::{Member, Members};

use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError};

/// Number of shards of an installation; fixed when it is set up.
pub const SHARDS: u16 = 256;

/// A shard of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u16);

impl Shard {
    /// The shard of an id's value (`as_u128`). The low bits of a UUID v7 are random, so shards fill evenly.
    pub const fn of(id: u128) -> Self {
        Self((id % SHARDS as u128) as u16)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SHARDS).map(Self)
    }

    /// 0 to [`SHARDS`] − 1.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Proof of ownership; grows with every change of owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// Where a shard is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This process has it.
    Here(Epoch),
    /// Another one has it.
    There {
        /// Its name.
        node: Arc<str>,
        /// Under which epoch.
        epoch: Epoch,
    },
}

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This process now owns the shard.
    Gained {
        /// Which shard.
        shard: Shard,
        /// Under which epoch.
        epoch: Epoch,
    },
    /// This process owned the shard until now: its lease was lost, or given up.
    Lost {
        /// Which shard.
        shard: Shard,
        /// The epoch that ended.
        epoch: Epoch,
    },
    /// Another process now owns the shard.
    Moved {
        /// Which shard.
        shard: Shard,
        /// The new owner.
        node: Arc<str>,
        /// Its epoch.
        epoch: Epoch,
    },
    /// A process is dead for good: whatever comes back is another one.
    NodeDead {
        /// Its name.
        node: Arc<str>,
    },
}

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A change.
    Change(Change),
    /// Changes were missed: compare everything with [`Ownership::owner`] and [`Ownership::is_dead`].
    Lagged,
}

/// The changes from the moment it was asked for.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

impl Changes {
    /// The next one; `None` when there will be no more.
    pub async fn next(&mut self) -> Option<Seen> {
        match self.0.recv().await {
            Ok(change) => Some(Seen::Change(change)),
            Err(RecvError::Lagged(_)) => Some(Seen::Lagged),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Says who owns what. Look-ups are answered from memory at once.
pub trait Ownership: Send + Sync + 'static {
    /// The epoch under which this process owns the shard; `None` when it does not, and from the moment on at which it
    /// can no longer be sure.
    fn epoch(&self, shard: Shard) -> Option<Epoch> {
        match self.owner(shard) {
            Some(Owner::Here(epoch)) => Some(epoch),
            Some(Owner::There { .. }) | None => None,
        }
    }

    /// Who owns the shard, as far as this process knows; `None` while nobody does.
    fn owner(&self, shard: Shard) -> Option<Owner>;

    /// Whether no process of this name lives. Not to be asked about oneself.
    fn is_dead(&self, node: &str) -> bool;

    /// What changes from now on. The state at this moment is asked for after it.
    fn changes(&self) -> Changes;
}
