//! The rows: the last number of each tenant and contact, and the numbers of events that may come again.

use sea_orm_migration::{prelude::*, schema};

pub mod told_tenant {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "told_tenant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        pub last: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod told_contact {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "told_contact")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub contact: String,
        pub tenant: String,
        pub last: i64,
        /// When it was numbered last.
        pub heard_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod told_event {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "told_event")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub event_id: String,
        pub tenant: String,
        pub number: i64,
        /// 0 where its subject is no contact.
        pub contact_number: i64,
        /// When it was numbered.
        pub told_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Makes the tables; part of the gateway's migrator.
pub struct CreateTold;

impl MigrationName for CreateTold {
    fn name(&self) -> &str {
        "gateway_3_told"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTold {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tenants = Table::create()
            .table(told_tenant::Entity)
            .col(schema::text(told_tenant::Column::Tenant).primary_key())
            .col(schema::big_integer(told_tenant::Column::Last))
            .to_owned();
        manager.create_table(tenants).await?;
        let contacts = Table::create()
            .table(told_contact::Entity)
            .col(schema::text(told_contact::Column::Contact).primary_key())
            .col(schema::text(told_contact::Column::Tenant))
            .col(schema::big_integer(told_contact::Column::Last))
            .col(schema::big_integer(told_contact::Column::HeardMs))
            .to_owned();
        manager.create_table(contacts).await?;
        let events = Table::create()
            .table(told_event::Entity)
            .col(schema::text(told_event::Column::EventId).primary_key())
            .col(schema::text(told_event::Column::Tenant))
            .col(schema::big_integer(told_event::Column::Number))
            .col(schema::big_integer(told_event::Column::ContactNumber))
            .col(schema::big_integer(told_event::Column::ToldMs))
            .to_owned();
        manager.create_table(events).await?;
        let heard = Index::create()
            .name("ix_told_contact_heard")
            .table(told_contact::Entity)
            .col(told_contact::Column::HeardMs)
            .to_owned();
        manager.create_index(heard).await?;
        let told = Index::create()
            .name("ix_told_event_told")
            .table(told_event::Entity)
            .col(told_event::Column::ToldMs)
            .to_owned();
        manager.create_index(told).await?;
        // No number twice, whatever goes wrong.
        let numbers = Index::create()
            .name("ix_told_event_number")
            .table(told_event::Entity)
            .col(told_event::Column::Tenant)
            .col(told_event::Column::Number)
            .unique()
            .to_owned();
        manager.create_index(numbers).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = |table: &'static str| Table::drop().table(table).to_owned();
        for table in ["told_event", "told_contact", "told_tenant"] {
            manager.drop_table(drop(table)).await?;
        }
        Ok(())
    }
}
