//! The rows behind `Idempotency-Key`.

use centro_kernel::{Fault, Timestamp};
use centro_store::{Db, Records, Refused, fault};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    TryInsertResult,
};
use sea_orm_migration::{prelude::*, schema};

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "repeats")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Digest of what was asked.
        pub request: String,
        /// What the service said, sealed.
        pub reply: Option<Vec<u8>>,
        pub expire_ms: i64,
        /// The process that asks the service.
        pub owner: String,
        /// Since when.
        pub begin_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How often a row is looked for that was in the way.
const TRIES: u32 = 5;

/// What is known of a request.
pub enum Found {
    /// Nothing; from now on it is known.
    New,
    /// It came before.
    Known {
        /// Digest of what was asked.
        request: String,
        /// What the service said, sealed.
        reply: Option<Vec<u8>>,
        /// The process that asks the service, and since when.
        owner: (String, Timestamp),
    },
}

/// The table.
#[derive(Clone)]
pub struct Store(Db);

impl Store {
    /// Opens and migrates it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open(records: &Records) -> Result<Self, Refused> {
        let db = records.open("gateway").await?;
        centro_store::migrate::<Migrator>(&db).await?;
        Ok(Self(db))
    }

    /// The gateway's database.
    pub fn db(&self) -> Db {
        self.0.clone()
    }

    /// Makes a row for the request unless there is one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn enter(
        &self,
        id: &str,
        request: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Found, Fault> {
        // The row that is in the way may be gone when it is read: another process has just forgotten it.
        for _ in 0..TRIES {
            if let Some(found) = self.try_enter(id, request, owner, now, until).await? {
                return Ok(found);
            }
        }
        Err(Fault::internal("a row of repeats comes and goes"))
    }

    async fn try_enter(
        &self,
        id: &str,
        request: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Found>, Fault> {
        let db = &self.0;
        row::Entity::delete_many()
            .filter(row::Column::Id.eq(id))
            .filter(row::Column::ExpireMs.lte(now.as_millis()))
            .exec(db)
            .await
            .map_err(fault)?;
        let new = row::ActiveModel {
            id: Set(id.to_owned()),
            request: Set(request.to_owned()),
            reply: Set(None),
            expire_ms: Set(until.as_millis()),
            owner: Set(owner.to_owned()),
            begin_ms: Set(now.as_millis()),
        };
        let done = row::Entity::insert(new)
            .on_conflict_do_nothing()
            .exec_without_returning(db)
            .await
            .map_err(fault)?;
        if matches!(done, TryInsertResult::Inserted(1)) {
            return Ok(Some(Found::New));
        }
        let found = row::Entity::find_by_id(id).one(db).await.map_err(fault)?;
        Ok(found.map(|row| Found::Known {
            request: row.request,
            reply: row.reply,
            owner: (row.owner, Timestamp::from_millis(row.begin_ms)),
        }))
    }

    /// Adds the reply.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn answer(&self, id: &str, reply: Vec<u8>) -> Result<(), Fault> {
        row::Entity::update_many()
            .col_expr(row::Column::Reply, reply.into())
            .filter(row::Column::Id.eq(id))
            .exec(&self.0)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Forgets a request.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove(&self, id: &str) -> Result<(), Fault> {
        row::Entity::delete_by_id(id)
            .exec(&self.0)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Forgets what is past its time, and the oldest beyond `most`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget(&self, now: Timestamp, most: u64) -> Result<(), Fault> {
        let db = &self.0;
        let mut bound = now.as_millis();
        if row::Entity::find().count(db).await.map_err(fault)? > most {
            let oldest = row::Entity::find()
                .select_only()
                .column(row::Column::ExpireMs)
                .order_by_desc(row::Column::ExpireMs)
                .offset(most)
                .limit(1)
                .into_tuple::<i64>();
            let oldest = oldest.one(db).await.map_err(fault)?;
            bound = Ord::max(bound, oldest.unwrap_or(bound));
        }
        row::Entity::delete_many()
            .filter(row::Column::ExpireMs.lte(bound))
            .exec(db)
            .await
            .map_err(fault)?;
        Ok(())
    }
}

/// Looks whether the store could be opened on these records, and changes nothing.
///
/// # Errors
/// What [`centro_store::migrate`] would refuse.
pub async fn first_look(records: &Records) -> Result<(), Refused> {
    centro_store::first_look::<Migrator>(records, "gateway").await
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateRepeats),
            Box::new(AddOwner),
            Box::new(crate::integrations::CreateTold),
        ]
    }
}

struct CreateRepeats;

impl MigrationName for CreateRepeats {
    fn name(&self) -> &str {
        "gateway_1_repeats"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateRepeats {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(row::Entity)
            .col(schema::text(row::Column::Id).primary_key())
            .col(schema::text(row::Column::Request))
            .col(schema::blob_null(row::Column::Reply))
            .col(schema::big_integer(row::Column::ExpireMs))
            .to_owned();
        manager.create_table(table).await?;
        let ends = Index::create()
            .name("ix_repeats_expire")
            .table(row::Entity)
            .col(row::Column::ExpireMs)
            .to_owned();
        manager.create_index(ends).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(row::Entity).to_owned())
            .await
    }
}

struct AddOwner;

impl MigrationName for AddOwner {
    fn name(&self) -> &str {
        "gateway_2_owner"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddOwner {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [
            schema::text(row::Column::Owner).default("").to_owned(),
            schema::big_integer(row::Column::BeginMs)
                .default(0)
                .to_owned(),
        ] {
            let table = Table::alter()
                .table(row::Entity)
                .add_column(column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [row::Column::Owner, row::Column::BeginMs] {
            let table = Table::alter()
                .table(row::Entity)
                .drop_column(column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_store::Limits;
    use centro_testkit::engines::{self, on_both_engines};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    async fn enter(store: &Store, id: &str, after: u64) -> bool {
        let now = NOW + Duration::from_secs(after);
        let until = now + Duration::from_secs(60);
        matches!(store.enter(id, "r", "me", now, until).await, Ok(Found::New))
    }

    #[on_both_engines]
    async fn a_row_is_known_until_its_time_and_the_oldest_give_way() {
        let data = tempfile::tempdir().unwrap();
        let url = engines::records().await;
        let records = Records::at(&url, data.path(), Limits::default()).unwrap();
        let store = Store::open(&records).await.unwrap();
        assert!(enter(&store, "a", 0).await);
        assert!(!enter(&store, "a", 59).await);
        assert!(enter(&store, "a", 60).await, "its time has passed");
        for (n, id) in ["b", "c", "d"].into_iter().enumerate() {
            assert!(enter(&store, id, 61 + n as u64).await);
        }
        let now = NOW + Duration::from_secs(64);
        store.forget(now, 2).await.unwrap();
        assert!(!enter(&store, "d", 64).await && !enter(&store, "c", 64).await);
        assert!(enter(&store, "a", 64).await, "it gave way");
    }
}
