//! Hot state of a single process. It outlives an actor that panicked, not the process: after a restart nobody waits (the
//! calls died with it) and agents log in again.

use super::{Active, Changes, Commit, HotStore, StoreError, Told, is_active};
use crate::{
    by_id::ById,
    metrics::{self, EVENTS_LOST},
};
use centro_bus::{Event, EventBus};
use centro_cluster::{Ownership, SHARDS, Shard};
use centro_kernel::{QueueId, TenantId, UserId};
use centro_routing_core::{AgentRecord, QueueChange, QueueRecord};
use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Events taken from the outbox in one go.
const AT_ONCE: usize = 256;

/// How long the relay lets events gather before it looks again.
pub const GATHER: Duration = Duration::from_millis(1);

#[derive(Default)]
struct Records {
    queues: ById<QueueId, (TenantId, QueueRecord)>,
    agents: ById<UserId, (TenantId, AgentRecord)>,
}

/// Records in memory, events in a bounded channel to [`relay`].
pub struct MemoryStore {
    ownership: Arc<dyn Ownership>,
    shards: Vec<Mutex<Records>>,
    outbox: mpsc::Sender<Told>,
}

impl MemoryStore {
    /// An empty store, and the events that are to be relayed.
    pub fn new(ownership: Arc<dyn Ownership>, outbox: usize) -> (Self, mpsc::Receiver<Told>) {
        let (sender, events) = mpsc::channel(outbox);
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        (
            Self {
                ownership,
                shards,
                outbox: sender,
            },
            events,
        )
    }

    fn write(&self, commit: Commit) -> Result<(), StoreError> {
        let shard = commit.changes.shard();
        let mut records = self.shards[shard.index()].lock();
        if self.ownership.epoch(shard) != Some(commit.epoch) {
            return Err(StoreError::Fenced);
        }
        match commit.changes {
            Changes::Queue(_, changes) if changes.is_empty() => {}
            Changes::Queue(id, changes) => {
                let new = || (commit.tenant, QueueRecord::default());
                let (_, record) = records.queues.entry(id).or_insert_with(new);
                for change in changes {
                    match change {
                        QueueChange::Put(entry, _) => {
                            record.entries.insert(entry.contact, entry);
                        }
                        QueueChange::Remove(contact) => {
                            record.entries.remove(&contact);
                        }
                        QueueChange::Bury(contact, grave) => {
                            record.left.insert(contact, grave);
                        }
                        QueueChange::Forget(contact) => {
                            record.left.remove(&contact);
                        }
                    }
                }
            }
            Changes::Agent(id, Some(record)) => {
                records.agents.insert(id, (commit.tenant, *record));
            }
            Changes::Agent(_, None) => {}
        }
        for event in commit.events {
            if self.outbox.try_send(event).is_err() {
                metrics::count(&EVENTS_LOST);
                tracing::error!("the outbox is full, an event is lost");
            }
        }
        Ok(())
    }
}

impl HotStore for MemoryStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'static, Result<(), StoreError>> {
        futures::future::ready(self.write(commit)).boxed()
    }

    fn load_queue(&self, queue: QueueId) -> BoxFuture<'static, Result<QueueRecord, StoreError>> {
        let shard = centro_cluster::Shard::of(queue.as_u128());
        let record = self.shards[shard.index()]
            .lock()
            .queues
            .get(&queue)
            .map(|(_, record)| record.clone());
        futures::future::ready(Ok(record.unwrap_or_default())).boxed()
    }

    fn load_agent(
        &self,
        agent: UserId,
    ) -> BoxFuture<'static, Result<Option<AgentRecord>, StoreError>> {
        let shard = centro_cluster::Shard::of(agent.as_u128());
        let record = self.shards[shard.index()]
            .lock()
            .agents
            .get(&agent)
            .map(|(_, record)| record.clone());
        futures::future::ready(Ok(record)).boxed()
    }

    fn active(&self, shard: Shard) -> BoxFuture<'static, Result<Vec<Active>, StoreError>> {
        let records = self.shards[shard.index()].lock();
        let queues = records
            .queues
            .iter()
            .filter(|(_, (_, r))| !r.entries.is_empty());
        let agents = records.agents.iter().filter(|(_, (_, r))| is_active(r));
        let queues = queues.map(|(id, (tenant, _))| Active::Queue(*tenant, *id));
        let agents = agents.map(|(id, (tenant, _))| Active::Agent(*tenant, *id));
        futures::future::ready(Ok(queues.chain(agents).collect())).boxed()
    }
}

/// Publishes committed events in order, each until the bus has taken it. `first` is the number of the first. After each look
/// events `gather`, unless that is no time at all. Ends when it is `quiet` and everything is published.
pub async fn relay(
    mut events: mpsc::Receiver<Told>,
    bus: Arc<dyn EventBus>,
    first: u64,
    gather: Duration,
    quiet: impl Future<Output = ()>,
) {
    let mut sequence = first;
    let mut quiet = std::pin::pin!(quiet);
    let mut over = false;
    let mut heard = Vec::with_capacity(AT_ONCE);
    loop {
        let count = tokio::select! {
            biased;
            count = events.recv_many(&mut heard, AT_ONCE) => count,
            () = &mut quiet, if !over => {
                over = true;
                events.close();
                continue;
            }
        };
        if count == 0 {
            return;
        }
        let numbered: Vec<_> = heard
            .drain(..)
            .filter_map(Told::made)
            .map(|mut event| {
                event.sequence = sequence;
                sequence += 1;
                Arc::new(event)
            })
            .collect();
        publish(&*bus, &numbered).await;
        // A step that tells something finds the relay asleep and has to wake it. In a busy minute the steps of this
        // moment pay for that once.
        if count < AT_ONCE && !over && !gather.is_zero() {
            tokio::time::sleep(gather).await;
        }
    }
}

/// Publishes all of them, however long it takes.
async fn publish(bus: &dyn EventBus, mut events: &[Arc<Event>]) {
    let mut pause = Duration::from_millis(20);
    while let Err((taken, error)) = bus.publish_all(events).await {
        if taken > 0 {
            pause = Duration::from_millis(20);
        }
        events = events.get(taken..).unwrap_or_default();
        let kind = events.first().map(|event| event.kind.as_str());
        tracing::warn!(%error, kind, "an event waits for the bus");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
