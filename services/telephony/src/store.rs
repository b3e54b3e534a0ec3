//! The index of recordings.

use centro_store::{
    Db, Records, Refused, fault,
    sea_orm::{self, entity::prelude::*},
};

/// One recording.
pub mod recording {
    use super::*;

    /// A row; ids as text, times in milliseconds since 1970.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "recording")]
    pub struct Model {
        /// `rec_…`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Whose.
        pub tenant_id: String,
        /// Which contact.
        pub contact_id: String,
        /// Which queue; empty without one.
        pub queue_id: String,
        /// Which agent; empty without one.
        pub agent_id: String,
        /// When it began.
        pub started_ms: i64,
        /// How long it is.
        pub duration_ms: i64,
        /// Whether it is complete.
        pub finished: bool,
        /// Whether something of the call is missing.
        pub failed: bool,
        /// File, relative to the folder of recordings.
        pub path: String,
        /// The process that records and has the file; empty for those from before this was kept.
        pub node: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Tables and their history.
mod migration {
    use centro_store::{RaiseWall, sea_orm_migration::prelude::*};

    /// Telephony's tables.
    pub struct Migrator;

    #[async_trait::async_trait]
    impl MigratorTrait for Migrator {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            vec![
                Box::new(CreateRecording),
                Box::new(AddFailed),
                Box::new(AddNode),
                Box::new(RaiseWall),
            ]
        }
    }

    struct CreateRecording;

    impl MigrationName for CreateRecording {
        fn name(&self) -> &str {
            "m20261123_000001_create_recording"
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for CreateRecording {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let text = |name: &str| {
                ColumnDef::new(Alias::new(name))
                    .text()
                    .not_null()
                    .to_owned()
            };
            let number = |name: &str| {
                ColumnDef::new(Alias::new(name))
                    .big_integer()
                    .not_null()
                    .to_owned()
            };
            let table = Table::create()
                .table(Alias::new("recording"))
                .if_not_exists()
                .col(text("id").primary_key().to_owned())
                .col(text("tenant_id"))
                .col(text("contact_id"))
                .col(text("queue_id"))
                .col(text("agent_id"))
                .col(number("started_ms"))
                .col(number("duration_ms"))
                .col(ColumnDef::new(Alias::new("finished")).boolean().not_null())
                .col(text("path"))
                .to_owned();
            manager.create_table(table).await?;
            let index = Index::create()
                .name("recording_tenant_id")
                .table(Alias::new("recording"))
                .col(Alias::new("tenant_id"))
                .col(Alias::new("id"))
                .if_not_exists()
                .to_owned();
            manager.create_index(index).await?;
            let index = Index::create()
                .name("recording_contact")
                .table(Alias::new("recording"))
                .col(Alias::new("contact_id"))
                .if_not_exists()
                .to_owned();
            manager.create_index(index).await
        }
    }

    struct AddFailed;

    impl MigrationName for AddFailed {
        fn name(&self) -> &str {
            "m20261127_000001_add_failed"
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for AddFailed {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let failed = ColumnDef::new(Alias::new("failed"))
                .boolean()
                .not_null()
                .default(false)
                .to_owned();
            let table = Table::alter()
                .table(Alias::new("recording"))
                .add_column(failed)
                .to_owned();
            manager.alter_table(table).await
        }
    }

    struct AddNode;

    impl MigrationName for AddNode {
        fn name(&self) -> &str {
            "m20261127_000002_add_node"
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for AddNode {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let node = ColumnDef::new(Alias::new("node"))
                .text()
                .not_null()
                .default("")
                .to_owned();
            let table = Table::alter()
                .table(Alias::new("recording"))
                .add_column(node)
                .to_owned();
            manager.alter_table(table).await
        }
    }
}

/// Looks whether this service could start on these records, and changes nothing.
///
/// # Errors
/// What [`centro_store::migrate`] would refuse.
pub async fn first_look(records: &Records) -> Result<(), Refused> {
    centro_store::first_look::<migration::Migrator>(records, "telephony").await
}

/// Opens and migrates the database.
///
/// # Errors
/// When it cannot be reached.
pub async fn open(records: &Records) -> Result<Db, Refused> {
    let db = records.open("telephony").await?;
    centro_store::migrate::<migration::Migrator>(&db).await?;
    Ok(db)
}

/// Recordings of this process that were not finished. Those of others may be running.
pub async fn unfinished(
    db: &Db,
    node: &str,
) -> Result<Vec<recording::Model>, centro_kernel::Fault> {
    recording::Entity::find()
        .filter(recording::Column::Finished.eq(false))
        .filter(recording::Column::Node.is_in([node, ""]))
        .all(&db.of_all())
        .await
        .map_err(fault)
}
