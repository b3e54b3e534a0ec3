//! The tables of the configuration.

use super::entity::{extension, link, object, version};
use centro_store::{
    inbox::{AddArrival, CreateInbox},
    outbox::CreateOutbox,
};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use sea_orm_migration::{prelude::*, schema};

/// Every migration of this service, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateOutbox),
            Box::new(CreateInbox),
            Box::new(CreateConfiguration),
            Box::new(AddArrival),
        ]
    }
}

struct CreateConfiguration;

impl MigrationName for CreateConfiguration {
    fn name(&self) -> &str {
        "configuration_1_create"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateConfiguration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let objects = Table::create()
            .table(object::Entity)
            .col(schema::text(object::Column::Id).primary_key())
            .col(schema::text(object::Column::Tenant))
            .col(schema::small_integer(object::Column::Kind))
            .col(schema::text_null(object::Column::NameKey))
            .col(schema::text_null(object::Column::Claim).unique_key())
            .col(schema::text_null(object::Column::QueueId))
            .col(schema::text_null(object::Column::UserId))
            .col(schema::blob(object::Column::Body))
            .col(schema::text_null(object::Column::Ha1Md5))
            .col(schema::text_null(object::Column::Ha1Sha256))
            .col(schema::big_integer(object::Column::Version).unique_key())
            .to_owned();
        manager.create_table(objects).await?;
        let extensions = Table::create()
            .table(extension::Entity)
            .col(schema::text(extension::Column::Tenant))
            .col(schema::text(extension::Column::Extension))
            .col(schema::text(extension::Column::ObjectId).unique_key())
            .primary_key(
                Index::create()
                    .col(extension::Column::Tenant)
                    .col(extension::Column::Extension),
            )
            .to_owned();
        manager.create_table(extensions).await?;
        let links = Table::create()
            .table(link::Entity)
            .col(schema::text(link::Column::FromId))
            .col(schema::text(link::Column::ToId))
            .primary_key(
                Index::create()
                    .col(link::Column::FromId)
                    .col(link::Column::ToId),
            )
            .to_owned();
        manager.create_table(links).await?;
        let versions = Table::create()
            .table(version::Entity)
            .col(schema::integer(version::Column::Id).primary_key())
            .col(schema::big_integer(version::Column::Last))
            .to_owned();
        manager.create_table(versions).await?;
        let first = version::Model { id: 1, last: 0 }.into_active_model();
        first.insert(manager.get_connection()).await?;
        create_indexes(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(version::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(link::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(extension::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(object::Entity).to_owned())
            .await
    }
}

async fn create_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let names = Index::create()
        .name("ux_objects_name")
        .table(object::Entity)
        .col(object::Column::Tenant)
        .col(object::Column::Kind)
        .col(object::Column::NameKey)
        .unique()
        .to_owned();
    manager.create_index(names).await?;
    let pages = Index::create()
        .name("ix_objects_page")
        .table(object::Entity)
        .col(object::Column::Tenant)
        .col(object::Column::Kind)
        .col(object::Column::Id)
        .to_owned();
    manager.create_index(pages).await?;
    let of_queue = Index::create()
        .name("ix_objects_queue")
        .table(object::Entity)
        .col(object::Column::QueueId)
        .to_owned();
    manager.create_index(of_queue).await?;
    let of_user = Index::create()
        .name("ix_objects_user")
        .table(object::Entity)
        .col(object::Column::UserId)
        .to_owned();
    manager.create_index(of_user).await?;
    let users_of = Index::create()
        .name("ix_links_to")
        .table(link::Entity)
        .col(link::Column::ToId)
        .to_owned();
    manager.create_index(users_of).await
}
