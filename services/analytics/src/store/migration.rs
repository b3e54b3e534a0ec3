//! The migrations.

use super::entity::{agent_interval, decision, journal, queue_targets, stay, watermark};
use centro_store::{
    RaiseWall,
    inbox::{AddArrival, CreateInbox},
};
use sea_orm_migration::{prelude::*, schema};

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateInbox),
            Box::new(CreateFacts),
            Box::new(AddArrival),
            Box::new(AddUnreachable),
            Box::new(AddDecisions),
            Box::new(AddJournal),
            Box::new(RaiseWall),
        ]
    }
}

struct CreateFacts;

impl MigrationName for CreateFacts {
    fn name(&self) -> &str {
        "facts_1_create"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateFacts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_stays(manager).await?;
        create_intervals(manager).await?;
        let targets = Table::create()
            .table(queue_targets::Entity)
            .col(schema::text(queue_targets::Column::QueueId).primary_key())
            .col(schema::text(queue_targets::Column::Tenant))
            .col(schema::big_integer(queue_targets::Column::Version))
            .col(schema::big_integer(queue_targets::Column::WithinMs))
            .col(schema::big_integer(queue_targets::Column::ShortAbandonMs))
            .to_owned();
        manager.create_table(targets).await?;
        let mark = Table::create()
            .table(watermark::Entity)
            .col(schema::integer(watermark::Column::Id).primary_key())
            .col(schema::big_integer(watermark::Column::AtMs))
            .to_owned();
        manager.create_table(mark).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(stay::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(agent_interval::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(queue_targets::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(watermark::Entity).to_owned())
            .await
    }
}

struct AddUnreachable;

impl MigrationName for AddUnreachable {
    fn name(&self) -> &str {
        "facts_2_unreachable"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddUnreachable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(agent_interval::Entity)
            .add_column(schema::boolean(agent_interval::Column::Unreachable).default(false))
            .to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(agent_interval::Entity)
            .drop_column(agent_interval::Column::Unreachable)
            .to_owned();
        manager.alter_table(table).await
    }
}

struct AddDecisions;

impl MigrationName for AddDecisions {
    fn name(&self) -> &str {
        "facts_3_decisions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddDecisions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use decision::Column;
        let table = Table::create()
            .table(decision::Entity)
            .col(schema::text(Column::AgentId))
            .col(schema::big_integer(Column::Reservation))
            .col(schema::text(Column::Tenant))
            .col(schema::big_integer(Column::AtMs))
            .col(schema::text_null(Column::ContactId))
            .col(schema::text_null(Column::QueueId))
            .col(schema::blob_null(Column::Decision))
            .col(schema::blob_null(Column::Bids))
            .primary_key(
                Index::create()
                    .col(Column::AgentId)
                    .col(Column::Reservation),
            )
            .to_owned();
        manager.create_table(table).await?;
        // Of a contact the latest; of those without a contact, which sort together, the oldest.
        let of_contact = Index::create()
            .name("decision_of_contact")
            .table(decision::Entity)
            .col(Column::ContactId)
            .col(Column::AtMs)
            .to_owned();
        manager.create_index(of_contact).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::drop().table(decision::Entity).to_owned();
        manager.drop_table(table).await
    }
}

struct AddJournal;

impl MigrationName for AddJournal {
    fn name(&self) -> &str {
        "facts_4_journal"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddJournal {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use journal::Column;
        let place = schema::big_integer(Column::Place)
            .auto_increment()
            .primary_key()
            .to_owned();
        let table = Table::create()
            .table(journal::Entity)
            .col(place)
            .col(schema::text(Column::Tenant))
            .col(schema::text(Column::Kind))
            .col(schema::big_integer(Column::AtMs))
            .col(schema::blob(Column::Data))
            .to_owned();
        manager.create_table(table).await?;
        let by_time = Index::create()
            .name("journal_by_time")
            .table(journal::Entity)
            .col(Column::AtMs)
            .to_owned();
        manager.create_index(by_time).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::drop().table(journal::Entity).to_owned();
        manager.drop_table(table).await
    }
}

async fn create_stays(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use stay::Column;
    let table = Table::create()
        .table(stay::Entity)
        .col(schema::text(Column::ContactId))
        .col(schema::integer(Column::Ordinal))
        .col(schema::text(Column::Tenant))
        .col(schema::text(Column::QueueId))
        .col(schema::text(Column::CallerNumber))
        .col(schema::text(Column::CallerName))
        .col(schema::text(Column::Dialled))
        .col(schema::big_integer_null(Column::EnqueueMs))
        .col(schema::big_integer_null(Column::ConnectMs))
        .col(schema::big_integer_null(Column::LeaveMs))
        .col(schema::integer_null(Column::LeftReason))
        .col(schema::big_integer_null(Column::WaitMs))
        .col(schema::big_integer_null(Column::SettledMs))
        .col(schema::big_integer_null(Column::EndMs))
        .col(schema::integer_null(Column::EndedBy))
        .col(schema::text_null(Column::AgentId))
        .col(schema::big_integer(Column::TalkMs))
        .col(schema::big_integer(Column::HoldMs))
        .col(schema::big_integer(Column::WrapUpMs))
        .col(schema::big_integer(Column::RingMs))
        .col(schema::integer(Column::Offers))
        .col(schema::integer(Column::Missed))
        .col(schema::text_null(Column::RecordingId))
        .primary_key(Index::create().col(Column::ContactId).col(Column::Ordinal))
        .to_owned();
    manager.create_table(table).await?;
    let by_entry = Index::create()
        .name("stay_by_entry")
        .table(stay::Entity)
        .col(Column::Tenant)
        .col(Column::EnqueueMs)
        .to_owned();
    manager.create_index(by_entry).await?;
    // Not by tenant first: a start looks for what is open in all tenants.
    let by_outcome = Index::create()
        .name("stay_by_outcome")
        .table(stay::Entity)
        .col(Column::SettledMs)
        .col(Column::Tenant)
        .to_owned();
    manager.create_index(by_outcome).await
}

async fn create_intervals(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use agent_interval::Column;
    let table = Table::create()
        .table(agent_interval::Entity)
        .col(schema::text(Column::AgentId))
        .col(schema::big_integer(Column::StartMs))
        .col(schema::text(Column::Tenant))
        .col(schema::integer(Column::State))
        .col(schema::text(Column::PauseReason))
        .col(schema::big_integer_null(Column::EndMs))
        .primary_key(Index::create().col(Column::AgentId).col(Column::StartMs))
        .to_owned();
    manager.create_table(table).await?;
    let by_start = Index::create()
        .name("agent_interval_by_start")
        .table(agent_interval::Entity)
        .col(Column::Tenant)
        .col(Column::StartMs)
        .to_owned();
    manager.create_index(by_start).await
}
