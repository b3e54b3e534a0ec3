//! Which events a consumer has dealt with, so that a repeat changes nothing.
//!
//! The id is written in the transaction that holds the event's effect: both happen or neither does.

use crate::fault;
use centro_kernel::{Clock, EventId, Fault, SystemClock, Timestamp};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, TryInsertResult};
use sea_orm_migration::prelude::*;
use std::collections::HashSet;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "inbox")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub event_id: String,
        pub arrived_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Whether this event comes for the first time, which is `now`; from now on it does not. To be called in the transaction that carries
/// out its effect.
///
/// # Errors
/// Those of the database, as [`fault`] makes them.
pub async fn first_time(
    txn: &impl ConnectionTrait,
    id: EventId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let row = entity::ActiveModel {
        event_id: Set(id.to_string()),
        arrived_ms: Set(now.as_millis()),
    };
    let done = entity::Entity::insert(row)
        .on_conflict_do_nothing()
        .exec_without_returning(txn)
        .await
        .map_err(fault)?;
    Ok(matches!(done, TryInsertResult::Inserted(1)))
}

/// Those of the events that come for the first time, in one statement; from now on they do not. To be called in the
/// transaction that carries out their effect.
///
/// # Errors
/// Those of the database, as [`fault`] makes them.
pub async fn first_times(
    txn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = EventId>,
    now: Timestamp,
) -> Result<HashSet<EventId>, Fault> {
    let rows = ids.into_iter().map(|id| entity::ActiveModel {
        event_id: Set(id.to_string()),
        arrived_ms: Set(now.as_millis()),
    });
    let done = entity::Entity::insert_many(rows)
        .on_conflict_do_nothing()
        .exec_with_returning_keys(txn)
        .await
        .map_err(fault)?;
    match done {
        TryInsertResult::Inserted(keys) => {
            Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
        }
        TryInsertResult::Empty | TryInsertResult::Conflicted => Ok(HashSet::new()),
    }
}

/// Forgets ids that came first before `before`, to keep the table small: events are not delivered again so long after they
/// were delivered first, however late that was.
/// Returns how many were forgotten.
///
/// # Errors
/// Those of the database, as [`fault`] makes them.
pub async fn forget_before(db: &impl ConnectionTrait, before: Timestamp) -> Result<u64, Fault> {
    let done = entity::Entity::delete_many()
        .filter(entity::Column::ArrivedMs.lt(before.as_millis()))
        .exec(db)
        .await
        .map_err(fault)?;
    Ok(done.rows_affected)
}

/// The migration that makes the table; part of a service's own migrator, and [`AddArrival`] after it.
pub struct CreateInbox;

impl MigrationName for CreateInbox {
    fn name(&self) -> &str {
        "inbox_1_create"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateInbox {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(entity::Entity)
            .col(
                ColumnDef::new(entity::Column::EventId)
                    .text()
                    .not_null()
                    .primary_key(),
            )
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(entity::Entity).to_owned())
            .await
    }
}

/// The migration that adds when each event came first.
pub struct AddArrival;

impl MigrationName for AddArrival {
    fn name(&self) -> &str {
        "inbox_2_arrival"
    }
}

const BY_ARRIVAL: &str = "inbox_by_arrival";

#[async_trait::async_trait]
impl MigrationTrait for AddArrival {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // When the events that are there came is not known: not after this moment.
        let now = SystemClock.now().as_millis();
        let column = ColumnDef::new(entity::Column::ArrivedMs)
            .big_integer()
            .not_null()
            .default(now)
            .to_owned();
        let table = Table::alter()
            .table(entity::Entity)
            .add_column(column)
            .to_owned();
        manager.alter_table(table).await?;
        let index = Index::create()
            .name(BY_ARRIVAL)
            .table(entity::Entity)
            .col(entity::Column::ArrivedMs)
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name(BY_ARRIVAL)
            .table(entity::Entity)
            .to_owned();
        manager.drop_index(index).await?;
        let table = Table::alter()
            .table(entity::Entity)
            .drop_column(entity::Column::ArrivedMs)
            .to_owned();
        manager.alter_table(table).await
    }
}
