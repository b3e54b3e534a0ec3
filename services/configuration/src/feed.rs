//! Bus in: a person who is gone serves no queue and has no skills and phones; the phones of one who may not sign in may not either.

use crate::store::Store;
use centro_bus::{Event, Subscription};
use centro_kernel::{Clock, Fault};
use centro_proto::{
    configuration::{Device, QueueAgent, RoutingProfile, UserSkill},
    events::UserChanged,
};
use std::{sync::Arc, time::Duration};

/// The durable group; one member per installation.
pub const GROUP: &str = "configuration";
/// What is followed.
pub const PATTERNS: &[&str] = &["*.identity.user.deleted", "*.identity.user.changed"];
const DELETED: &str = "identity.user.deleted";
/// How often old event ids are forgotten, and how long each is known: no bus delivers an event again so late.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
const REMEMBER: Duration = Duration::from_secs(24 * 3600);
/// Pause before trying again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows identity until the bus is closed.
pub async fn follow(mut events: Box<dyn Subscription>, store: Store, clock: Arc<dyn Clock>) {
    while let Some(delivery) = events.next().await {
        match take(&store, clock.as_ref(), delivery.event()).await {
            Ok(()) => delivery.ack().await,
            Err(fault) => {
                tracing::warn!(%fault, "a change of a person is not carried out yet; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Forgets ids of events that cannot come again, for as long as the process lives.
pub async fn keep_house(store: Store, clock: Arc<dyn Clock>) {
    let mut tick = tokio::time::interval(FORGET_EVERY);
    loop {
        tick.tick().await;
        if let Err(fault) = store.forget_events(clock.now() - REMEMBER).await {
            tracing::warn!(%fault, "old event ids are still kept");
        }
    }
}

async fn take(store: &Store, clock: &dyn Clock, event: &Event) -> Result<(), Fault> {
    let (Some(tenant), Some(user)) = (event.tenant, event.decode::<UserChanged>()) else {
        tracing::error!(event = %event.id, "an event of identity cannot be read; it is skipped");
        return Ok(());
    };
    let mut write = store.write(tenant, clock.now()).await?;
    if !write.first_time(event.id, clock.now()).await? {
        return Ok(());
    }
    if event.kind == DELETED {
        write.remove_of_user::<QueueAgent>(&user.user_id).await?;
        write.remove_of_user::<UserSkill>(&user.user_id).await?;
        write
            .remove_of_user::<RoutingProfile>(&user.user_id)
            .await?;
        write.remove_of_user::<Device>(&user.user_id).await?;
    } else {
        write.suspend(&user.user_id, user.disabled).await?;
    }
    write.commit().await
}
