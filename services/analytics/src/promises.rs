//! What queues promise: read from the configuration, kept for queues that are deleted and for starts without it.

use crate::{
    core::Targets,
    store::{Promise, Store},
};
use centro_bus::{EventBus, Seen, Watch};
use centro_kernel::{Fault, QueueId, TenantId};
use centro_node::{Node, Role, health::Flag};
use centro_proto::{
    configuration::{
        CallQueue, Change, SnapshotRequest, change::Object,
        configuration_feed_client::ConfigurationFeedClient,
    },
    events::ConfigurationChanged,
};
use parking_lot::RwLock;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tonic::Status;

/// How long to wait before asking the configuration again: from the first, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// What every queue promises. Cheap to clone; clones are the same.
#[derive(Clone)]
pub(crate) struct Promises {
    store: Store,
    known: Arc<RwLock<HashMap<QueueId, Promise>>>,
}

impl Promises {
    pub(crate) async fn load(store: Store) -> Result<Self, Fault> {
        let known = store.promises().await?.into_iter().collect();
        Ok(Self {
            store,
            known: Arc::new(RwLock::new(known)),
        })
    }

    /// What the queue promises; the defaults when it was never heard of.
    pub(crate) fn of(&self, queue: QueueId) -> Targets {
        self.known
            .read()
            .get(&queue)
            .map(|promise| promise.targets)
            .unwrap_or_default()
    }

    /// Follows the configuration; `current` is raised when it was read once. Ends when the bus closes.
    pub(crate) async fn follow(self, node: Node, current: Flag) {
        let mut pause = RETRY.0;
        loop {
            match self.read_and_watch(&node, &current).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(%error, retry_in = ?pause, "the configuration cannot be read yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY.1);
                }
            }
        }
    }

    /// Watches first and reads then, so that no change falls between.
    async fn read_and_watch(&self, node: &Node, current: &Flag) -> Result<(), Status> {
        let mut watch = self.watch(node.bus().as_ref()).await?;
        self.snapshot(node).await?;
        current.raise();
        while let Some(seen) = watch.next().await {
            match seen {
                Seen::Event(event) => {
                    let changed = event.decode::<ConfigurationChanged>();
                    if let Some(change) = changed.and_then(|changed| changed.change) {
                        self.learn(&change).await?;
                    }
                }
                Seen::Lagged(_) => self.snapshot(node).await?,
            }
        }
        Ok(())
    }

    async fn watch(&self, bus: &dyn EventBus) -> Result<Box<dyn Watch>, Status> {
        let watch = bus.watch(&["*.configuration.object.changed"]).await;
        watch.map_err(|error| Status::unavailable(error.to_string()))
    }

    async fn snapshot(&self, node: &Node) -> Result<(), Status> {
        let mut client = ConfigurationFeedClient::new(node.conn(Role::Configuration));
        let mut page_token = String::new();
        loop {
            let page = client
                .snapshot(SnapshotRequest { page_token })
                .await?
                .into_inner();
            for change in &page.changes {
                self.learn(change).await?;
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Keeps a newer promise. A deleted queue keeps its last one: its callers stay in the reports.
    async fn learn(&self, change: &Change) -> Result<(), Status> {
        let Some(Object::CallQueue(queue)) = &change.object else {
            return Ok(());
        };
        let ids = (
            change.tenant_id.parse::<TenantId>(),
            queue.id.parse::<QueueId>(),
        );
        let ((Ok(tenant), Ok(id)), false) = (ids, change.deleted) else {
            return Ok(());
        };
        let known = self.known.read().get(&id).copied();
        if known.is_some_and(|known| known.version >= change.version) {
            return Ok(());
        }
        let promise = Promise {
            version: change.version,
            targets: targets(queue),
        };
        if known.map(|known| known.targets) != Some(promise.targets) {
            let kept = self.store.keep_promise(tenant, id, promise).await;
            kept.map_err(centro_contract::status::from_fault)?;
        }
        self.known.write().insert(id, promise);
        Ok(())
    }
}

fn targets(queue: &CallQueue) -> Targets {
    let default = Targets::default();
    let read = |duration: Option<prost_types::Duration>, default| {
        duration
            .and_then(|duration| Duration::try_from(duration).ok())
            .unwrap_or(default)
    };
    Targets {
        within: read(
            queue.service_level.as_ref().and_then(|level| level.within),
            default.within,
        ),
        short_abandon: read(queue.short_abandon, default.short_abandon),
    }
}
