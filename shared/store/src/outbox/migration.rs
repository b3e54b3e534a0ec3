//! The migration that makes the outbox's tables.

use super::entity::{outbox, sequence};
use sea_orm_migration::{prelude::*, schema};

/// Makes the outbox; part of a service's own migrator.
pub struct CreateOutbox;

impl MigrationName for CreateOutbox {
    fn name(&self) -> &str {
        "outbox_1_create"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateOutbox {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let events = Table::create()
            .table(outbox::Entity)
            .col(schema::big_pk_auto(outbox::Column::Id))
            .col(schema::text(outbox::Column::EventId))
            .col(schema::text_null(outbox::Column::Tenant))
            .col(schema::text(outbox::Column::Kind))
            .col(schema::text(outbox::Column::Subject))
            .col(schema::big_integer(outbox::Column::TimeMs))
            .col(schema::big_integer(outbox::Column::Sequence))
            .col(schema::text_null(outbox::Column::Traceparent))
            .col(schema::text(outbox::Column::DataType))
            .col(schema::blob(outbox::Column::Data))
            .to_owned();
        manager.create_table(events).await?;
        let numbers = Table::create()
            .table(sequence::Entity)
            .col(
                ColumnDef::new(sequence::Column::Tenant)
                    .text()
                    .not_null()
                    .primary_key(),
            )
            .col(schema::big_integer(sequence::Column::Last))
            .to_owned();
        manager.create_table(numbers).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(outbox::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(sequence::Entity).to_owned())
            .await
    }
}
