//! Publishes what waits in the outboxes of the shards that this process owns.
//!
//! One task per shard publishes in order, each event until the bus has taken it, and deletes it then. Whoever owns the shard
//! next goes on where it was; what was published and not deleted is published again, under the same id.

use super::RedisStore;
use crate::metrics::{self, EVENTS_LOST};
use centro_bus::EventBus;
use centro_cluster::{Change, Ownership, Seen, Shard};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// Events read from an outbox in one go.
const AT_ONCE: usize = 256;

/// How soon something is tried again: from the first, doubling up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Publishes the events of all shards while they are ours. Ends when it is `quiet` and everything is published, or cannot be:
/// then whoever owns the shards next publishes it.
pub async fn relay_shards(
    store: RedisStore,
    ownership: Arc<dyn Ownership>,
    bus: Arc<dyn EventBus>,
    quiet: impl Future<Output = ()>,
) {
    let over = watch::Sender::new(false);
    let mut relays = Relays {
        store,
        bus,
        over: over.clone(),
        tasks: JoinSet::new(),
        running: HashMap::new(),
    };
    let mut changes = ownership.changes();
    relays.compare(&*ownership);
    let mut quiet = std::pin::pin!(quiet);
    loop {
        let seen = tokio::select! {
            seen = changes.next() => seen,
            Some(_) = relays.tasks.join_next() => continue,
            () = &mut quiet => break,
        };
        match seen {
            Some(Seen::Change(Change::Gained { shard, .. })) => relays.start(shard),
            Some(Seen::Change(Change::Lost { shard, .. })) => relays.stop(shard),
            Some(Seen::Change(Change::Moved { .. } | Change::NodeDead { .. })) => {}
            Some(Seen::Lagged) => relays.compare(&*ownership),
            None => {
                quiet.await;
                break;
            }
        }
    }
    let _ = over.send(true);
    while relays.tasks.join_next().await.is_some() {}
}

struct Relays {
    store: RedisStore,
    bus: Arc<dyn EventBus>,
    over: watch::Sender<bool>,
    tasks: JoinSet<()>,
    running: HashMap<Shard, AbortHandle>,
}

impl Relays {
    fn compare(&mut self, ownership: &dyn Ownership) {
        for shard in Shard::all() {
            match ownership.epoch(shard) {
                Some(_) if self.running.contains_key(&shard) => {}
                Some(_) => self.start(shard),
                None => self.stop(shard),
            }
        }
    }

    fn start(&mut self, shard: Shard) {
        self.stop(shard);
        let relay = of_shard(
            self.store.clone(),
            shard,
            self.bus.clone(),
            self.over.subscribe(),
        );
        self.running.insert(shard, self.tasks.spawn(relay));
    }

    fn stop(&mut self, shard: Shard) {
        if let Some(task) = self.running.remove(&shard) {
            task.abort();
        }
    }
}

async fn of_shard(
    store: RedisStore,
    shard: Shard,
    bus: Arc<dyn EventBus>,
    mut over: watch::Receiver<bool>,
) {
    let mut pause = AGAIN.0;
    loop {
        // Heard before the outbox is read: what comes meanwhile is read in the next round.
        let news = store.news(shard).notified();
        let waiting = match store.waiting(shard, AT_ONCE).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(%error, ?shard, "the outbox cannot be read");
                if *over.borrow() {
                    return;
                }
                back_off(&mut pause).await;
                continue;
            }
        };
        if waiting.is_empty() {
            if *over.borrow() {
                return;
            }
            tokio::select! {
                () = news => {}
                _ = over.changed() => {}
            }
            continue;
        }
        let mut published = Vec::with_capacity(waiting.len());
        for waiting in waiting {
            match waiting.event {
                Some(event) => {
                    while let Err(error) = bus.publish(event.clone()).await {
                        tracing::warn!(%error, kind = event.kind, "an event waits for the bus");
                        if *over.borrow() {
                            return;
                        }
                        back_off(&mut pause).await;
                    }
                }
                None => {
                    metrics::count(&EVENTS_LOST);
                    tracing::error!(id = waiting.id, "an event in the outbox cannot be read");
                }
            }
            published.push(waiting.id);
        }
        while let Err(error) = store.published(shard, published.clone()).await {
            tracing::warn!(%error, ?shard, "published events cannot be deleted");
            if *over.borrow() {
                return;
            }
            back_off(&mut pause).await;
        }
        pause = AGAIN.0;
    }
}

async fn back_off(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(AGAIN.1);
}
