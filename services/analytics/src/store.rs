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

use crate::core::Targets;
use centro_kernel::{Clock, Fault, QueueId, TenantId, Timestamp};
use centro_store::{Db, Records, Refused, fault, inbox};
use entity::{queue_targets, watermark};
use sea_orm::{
    ConnectionTrait, EntityTrait, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use std::{sync::Arc, time::Duration};

/// The watermark that counts the turns of writers.
const TURN: i32 = 3;

/// The database of this service.
#[derive(Clone)]
pub(crate) struct Store {
    writer: Db,
    readers: Db,
    clock: Arc<dyn Clock>,
}

/// What a queue promises, and by which version of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promise {
    pub version: u64,
    pub targets: Targets,
}

/// Looks whether this service could start on these records, and changes nothing.
///
/// # Errors
/// What [`centro_store::migrate`] would refuse.
pub async fn first_look(records: &Records) -> Result<(), Refused> {
    centro_store::first_look::<migration::Migrator>(records, "analytics").await
}

impl Store {
    pub(crate) async fn open(records: &Records, clock: Arc<dyn Clock>) -> Result<Self, Refused> {
        let writer = records.open("analytics").await?;
        centro_store::migrate::<migration::Migrator>(&writer).await?;
        let readers = records.readers("analytics").await?;
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
            .all(&self.readers.of_all())
            .await
            .map_err(fault)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.queue_id.parse().ok()?, row.promise())))
            .collect())
    }

    /// Keeps what a queue promises, unless another process has heard of a newer promise.
    pub(crate) async fn keep_promise(
        &self,
        tenant: TenantId,
        queue: QueueId,
        promise: Promise,
    ) -> Result<(), Fault> {
        use queue_targets::Column;
        let version = i64::try_from(promise.version).unwrap_or(i64::MAX);
        let row = queue_targets::ActiveModel {
            queue_id: Set(queue.to_string()),
            tenant: Set(tenant.to_string()),
            version: Set(version),
            within_ms: Set(millis(promise.targets.within)),
            short_abandon_ms: Set(millis(promise.targets.short_abandon)),
        };
        let replace = OnConflict::column(Column::QueueId)
            .update_columns([Column::Version, Column::WithinMs, Column::ShortAbandonMs])
            .action_and_where(Expr::col((queue_targets::Entity, Column::Version)).lt(version))
            .to_owned();
        queue_targets::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.writer.of(tenant))
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

    /// Takes a writer's turn: until the transaction ends no other process counts. Returns the number of the turn; between two
    /// that follow each other nobody else has written.
    async fn turn(&self, txn: &impl ConnectionTrait) -> Result<i64, Fault> {
        let row = watermark::ActiveModel {
            id: Set(TURN),
            at_ms: Set(1),
        };
        let next = Expr::col((watermark::Entity, watermark::Column::AtMs)).add(1);
        let next = OnConflict::column(watermark::Column::Id)
            .value(watermark::Column::AtMs, next)
            .to_owned();
        let row = watermark::Entity::insert(row)
            .on_conflict(next)
            .exec_with_returning(txn)
            .await
            .map_err(fault)?;
        Ok(row.at_ms)
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
