//! Wakes the actors of a shard that came to this process: those with work that nobody asks for.

use crate::{router::Router, store::Active};
use centro_cluster::{Epoch, Shard};
use std::{sync::Arc, time::Duration};

/// How soon it is tried again: from the first, doubling up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Wakes them as soon as the queues are known and the store answers, while the shard is ours under this epoch.
pub async fn take_over(router: Arc<Router>, shard: Shard, epoch: Epoch) {
    let mut pause = AGAIN.0;
    while router.node.ownership().epoch(shard) == Some(epoch) {
        if router.directory.is_loaded()
            && let Ok(active) = router.store.active(shard).await
        {
            for active in active {
                match active {
                    Active::Queue(tenant, queue) => router.wake_queue(tenant, queue),
                    Active::Agent(tenant, agent) => router.wake_agent(tenant, agent),
                }
            }
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(AGAIN.1);
    }
}
