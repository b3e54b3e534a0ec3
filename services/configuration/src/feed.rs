//! Bus in: a person who is gone serves no queue, and the person's phones register no more.

use crate::store::Store;
use centro_bus::{Event, EventBus};
use centro_kernel::{Clock, Fault};
use centro_proto::{
    configuration::{Device, QueueAgent},
    events::UserChanged,
};
use std::{sync::Arc, time::Duration};

const GROUP: &str = "configuration";
const PATTERNS: &[&str] = &["*.identity.user.deleted"];
/// Pause before trying again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows identity for ever; joins again when the bus had to be left.
pub async fn follow(bus: Arc<dyn EventBus>, store: Store, clock: Arc<dyn Clock>) {
    loop {
        match bus.subscribe(GROUP, PATTERNS).await {
            Ok(mut events) => {
                while let Some(delivery) = events.next().await {
                    match forget_user(&store, clock.as_ref(), delivery.event()).await {
                        Ok(()) => delivery.ack().await,
                        Err(fault) => {
                            tracing::warn!(%fault, "a deleted person is not forgotten yet; trying again");
                            tokio::time::sleep(PAUSE).await;
                        }
                    }
                }
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot follow identity yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn forget_user(store: &Store, clock: &dyn Clock, event: &Event) -> Result<(), Fault> {
    let (Some(tenant), Some(user)) = (event.tenant, event.decode::<UserChanged>()) else {
        tracing::error!(event = %event.id, "an event of identity cannot be read; it is skipped");
        return Ok(());
    };
    let mut write = store.write(tenant, clock.now()).await?;
    if !write.first_time(event.id, clock.now()).await? {
        return Ok(());
    }
    write.remove_of_user::<QueueAgent>(&user.user_id).await?;
    write.remove_of_user::<Device>(&user.user_id).await?;
    write.commit().await
}
