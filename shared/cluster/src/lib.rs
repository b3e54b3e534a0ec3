//! Which process owns which shard, with which epoch.
//!
//! Queue and agent actors live in shards. A shard's owner holds a growing epoch; every write that others can see carries
//! it, so that an owner that was deposed without noticing can change nothing. [`LocalOwnership`] owns every shard of a
//! single process; a lease table serves a cluster.

mod local;

pub use local::LocalOwnership;

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

    /// 0 to [`SHARDS`] − 1.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Proof of ownership; grows with every change of owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// Says which shards are ours.
pub trait Ownership: Send + Sync + 'static {
    /// The epoch under which this process owns the shard; `None` when it does not.
    fn epoch(&self, shard: Shard) -> Option<Epoch>;
}
