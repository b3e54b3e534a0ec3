//! Facts in a database: stays, intervals of agents, why contacts were offered to whom, what queues promise, and how far the facts reach.

mod decisions;
mod entity;
mod facts;
mod journal;
mod migration;
mod reports;
mod rows;

pub(crate) use decisions::{Bids, Decided, Offer, Reservation};
pub(crate) use facts::{AgentChange, AtHand, Heard, Said};
pub(crate) use journal::{KEPT, Kept, PAGE, Read};
pub(crate) use reports::{Filter, IntervalKey, IntervalRow, StayKey};

use crate::{core::Targets, settings::Settings};
use centro_kernel::{Clock, Fault, QueueId, TenantId, Timestamp};
use centro_store::{fault, inbox};
use entity::{queue_targets, watermark};
use sea_orm::{DatabaseConnection, EntityTrait, Set, sea_query::OnConflict};
use std::{path::Path, sync::Arc, time::Duration};

/// The database of this service.
#[derive(Clone)]
pub(crate) struct Store {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    clock: Arc<dyn Clock>,
}

/// What a queue promises, and by which version of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promise {
    pub version: u64,
    pub targets: Targets,
}

impl Store {
    pub(crate) async fn open(
        settings: &Settings,
        data: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let url = match settings.database.as_str() {
            "" => centro_store::sqlite(data, "analytics"),
            url => url.to_owned(),
        };
        let writer = centro_store::open(&url).await?;
        centro_store::migrate::<migration::Migrator>(&writer).await?;
        let readers = centro_store::readers(&url).await?;
        let store = Self {
            writer,
            readers,
            clock,
        };
        store.begin_journal(store.clock.now()).await?;
        Ok(store)
    }

    /// What every queue promised last, deleted ones included.
    pub(crate) async fn promises(&self) -> Result<Vec<(QueueId, Promise)>, Fault> {
        let rows = queue_targets::Entity::find()
            .all(&self.readers)
            .await
            .map_err(fault)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.queue_id.parse().ok()?, row.promise())))
            .collect())
    }

    /// Keeps what a queue promises. The caller knows that it is newer.
    pub(crate) async fn keep_promise(
        &self,
        tenant: TenantId,
        queue: QueueId,
        promise: Promise,
    ) -> Result<(), Fault> {
        use queue_targets::Column;
        let row = queue_targets::ActiveModel {
            queue_id: Set(queue.to_string()),
            tenant: Set(tenant.to_string()),
            version: Set(i64::try_from(promise.version).unwrap_or(i64::MAX)),
            within_ms: Set(millis(promise.targets.within)),
            short_abandon_ms: Set(millis(promise.targets.short_abandon)),
        };
        let replace = OnConflict::column(Column::QueueId)
            .update_columns([Column::Version, Column::WithinMs, Column::ShortAbandonMs])
            .to_owned();
        queue_targets::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.writer)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Says that the process was alive at `now`; what is open when it dies is closed with that moment.
    pub(crate) async fn mark(&self, now: Timestamp) -> Result<(), Fault> {
        let row = watermark::ActiveModel {
            id: Set(1),
            at_ms: Set(now.as_millis()),
        };
        let replace = OnConflict::column(watermark::Column::Id)
            .update_column(watermark::Column::AtMs)
            .to_owned();
        watermark::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.writer)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Forgets which events were first counted before `before`.
    pub(crate) async fn forget_events(&self, before: Timestamp) -> Result<u64, Fault> {
        inbox::forget_before(&self.writer, before).await
    }
}

impl queue_targets::Model {
    fn promise(&self) -> Promise {
        let targets = Targets {
            within: duration(self.within_ms),
            short_abandon: duration(self.short_abandon_ms),
        };
        Promise {
            version: u64::try_from(self.version).unwrap_or(0),
            targets,
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
