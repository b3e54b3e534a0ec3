//! A hot store that can be slow, away, or somebody else's.

use crate::store::{Active, Commit, HotStore, MemoryStore, StoreError};
use centro_cluster::Shard;
use centro_kernel::{QueueId, UserId};
use centro_routing_core::{AgentRecord, QueueRecord};
use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use std::time::Duration;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// Answers late.
    Slow(Duration),
    /// Another process owns the shard now.
    Fenced,
    /// Cannot be reached.
    Away,
}

pub struct FaultyStore {
    memory: MemoryStore,
    mood: Mutex<Mood>,
}

impl FaultyStore {
    pub fn new(memory: MemoryStore) -> Self {
        let mood = Mutex::new(Mood::Good);
        Self { memory, mood }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }
}

impl HotStore for FaultyStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'static, Result<(), StoreError>> {
        match *self.mood.lock() {
            Mood::Good => self.memory.commit(commit),
            Mood::Slow(by) => {
                let commit = self.memory.commit(commit);
                async move {
                    tokio::time::sleep(by).await;
                    commit.await
                }
                .boxed()
            }
            Mood::Fenced => futures::future::ready(Err(StoreError::Fenced)).boxed(),
            Mood::Away => futures::future::ready(Err(StoreError::Unavailable)).boxed(),
        }
    }

    fn load_queue(&self, queue: QueueId) -> BoxFuture<'static, Result<QueueRecord, StoreError>> {
        self.memory.load_queue(queue)
    }

    fn load_agent(
        &self,
        agent: UserId,
    ) -> BoxFuture<'static, Result<Option<AgentRecord>, StoreError>> {
        self.memory.load_agent(agent)
    }

    fn active(&self, shard: Shard) -> BoxFuture<'static, Result<Vec<Active>, StoreError>> {
        self.memory.active(shard)
    }
}
