//! One shard: what the store holds of it, its owner, and perhaps an old owner that does not know it yet.

/// Which of a shard's owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// The owner.
    Live,
    /// The old owner, frozen when it lost the shard and now back.
    Zombie,
}

/// An actor in the memory of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance<A> {
    /// The epoch under which it stores.
    pub epoch: u64,
    /// The product's decider.
    pub actor: A,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shard<A, R> {
    /// The epoch that may store.
    pub epoch: u64,
    /// What is stored.
    pub stored: R,
    /// The owner; none between its death and the takeover.
    pub live: Option<Instance<A>>,
    /// The old owner.
    pub zombie: Option<Instance<A>>,
}

impl<A, R> Shard<A, R> {
    pub(crate) fn new(stored: R, actor: A) -> Self {
        Self {
            epoch: 1,
            stored,
            live: Some(Instance { epoch: 1, actor }),
            zombie: None,
        }
    }

    /// One of its owners.
    pub const fn instance(&self, who: Who) -> Option<&Instance<A>> {
        match who {
            Who::Live => self.live.as_ref(),
            Who::Zombie => self.zombie.as_ref(),
        }
    }

    pub(crate) const fn slot(&mut self, who: Who) -> &mut Option<Instance<A>> {
        match who {
            Who::Live => &mut self.live,
            Who::Zombie => &mut self.zombie,
        }
    }

    /// The owner dies, or freezes and does not know that it loses the shard.
    pub(crate) fn stop(&mut self, freezes: bool) {
        let old = self.live.take();
        if freezes {
            self.zombie = old;
        }
    }

    /// A new owner.
    pub(crate) fn own(&mut self, actor: A) {
        let epoch = self.epoch;
        self.live = Some(Instance { epoch, actor });
    }
}
