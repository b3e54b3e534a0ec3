//! From the outbox to the bus.

use super::entity::outbox::{Column, Entity, Model};
use crate::fault;
use centro_bus::EventBus;
use centro_kernel::Fault;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Events read, published and deleted together.
const BATCH: u64 = 256;
/// How long the relay waits after a failure: from the first, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Tells the relay that something was committed. Cheap to clone; one relay per wake.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Has the relay look into the outbox. To be called after the commit; never waits.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// Publishes what is in the outbox, in order, and what comes, whenever `wake` is nudged. Never ends: give it to
/// `Node::spawn_when_open`, so that nothing is published before whom it concerns has subscribed. While the bus or the database is down it tries again and nothing is lost or overtaken. One relay may
/// run per outbox: two would deliver twice and out of order.
pub async fn relay(db: DatabaseConnection, bus: Arc<dyn EventBus>, wake: Wake) {
    let mut pause = RETRY.0;
    loop {
        match drain(&db, bus.as_ref()).await {
            Ok(()) => {
                pause = RETRY.0;
                wake.0.notified().await;
            }
            Err(reason) => {
                tracing::warn!(%reason, retry_in = ?pause, "events wait in the outbox");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
        }
    }
}

/// Publishes until the outbox is empty.
async fn drain(db: &DatabaseConnection, bus: &dyn EventBus) -> Result<(), String> {
    loop {
        let rows = read(db).await.map_err(|fault| fault.to_string())?;
        if rows.is_empty() {
            return Ok(());
        }
        let last_batch = (rows.len() as u64) < BATCH;
        let (published, failure) = publish(bus, rows).await;
        forget(db, published)
            .await
            .map_err(|fault| fault.to_string())?;
        match failure {
            Some(reason) => return Err(reason),
            None if last_batch => return Ok(()),
            None => {}
        }
    }
}

async fn read(db: &DatabaseConnection) -> Result<Vec<Model>, Fault> {
    Entity::find()
        .order_by_asc(Column::Id)
        .limit(BATCH)
        .all(db)
        .await
        .map_err(fault)
}

/// The rows that are done with, and why the rest was not published.
async fn publish(bus: &dyn EventBus, rows: Vec<Model>) -> (Vec<i64>, Option<String>) {
    let mut done = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        if let Some(event) = row.into_event() {
            if let Err(error) = bus.publish(event).await {
                return (done, Some(error.to_string()));
            }
        } else {
            // It can never be published, and would hold up all that follow.
            tracing::error!(
                row = id,
                "dropped an event with malformed ids from the outbox"
            );
        }
        done.push(id);
    }
    (done, None)
}

async fn forget(db: &DatabaseConnection, ids: Vec<i64>) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    Entity::delete_many()
        .filter(Column::Id.is_in(ids))
        .exec(db)
        .await
        .map_err(fault)?;
    Ok(())
}
