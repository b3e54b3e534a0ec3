//! One process owns everything.

use crate::{Epoch, Ownership, Shard};

/// Owns every shard, for as long as the process lives.
#[derive(Debug, Clone, Copy)]
pub struct LocalOwnership {
    epoch: Epoch,
}

impl LocalOwnership {
    /// `epoch` must be greater than that of the process before; its start time in milliseconds is.
    pub const fn new(epoch: Epoch) -> Self {
        Self { epoch }
    }
}

impl Ownership for LocalOwnership {
    fn epoch(&self, _: Shard) -> Option<Epoch> {
        Some(self.epoch)
    }
}
