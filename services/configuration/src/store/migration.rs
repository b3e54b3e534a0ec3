//! The tables of the configuration.

use super::entity::{extension, link, object, version};
use centro_store::{
    RaiseWall,
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
            Box::new(AddSkills),
            Box::new(RaiseWall),
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

/// Who has a skill is looked for by the skill, too.
struct AddSkills;

impl MigrationName for AddSkills {
    fn name(&self) -> &str {
        "configuration_2_skills"
    }
}

const OF_SKILL: &str = "ix_objects_skill";

#[async_trait::async_trait]
impl MigrationTrait for AddSkills {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter()
            .table(object::Entity)
            .add_column(schema::text_null(object::Column::SkillId))
            .to_owned();
        manager.alter_table(column).await?;
        let of_skill = Index::create()
            .name(OF_SKILL)
            .table(object::Entity)
            .col(object::Column::SkillId)
            .to_owned();
        manager.create_index(of_skill).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of_skill = Index::drop()
            .name(OF_SKILL)
            .table(object::Entity)
            .to_owned();
        manager.drop_index(of_skill).await?;
        let column = Table::alter()
            .table(object::Entity)
            .drop_column(object::Column::SkillId)
            .to_owned();
        manager.alter_table(column).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_store::{Limits, Records};
    use centro_testkit::engines::{self, on_both_engines};
    use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

    /// Migrations of an installation that knows no skills.
    const BEFORE_SKILLS: usize = 4;

    /// As it started once.
    struct BeforeSkills;

    #[async_trait::async_trait]
    impl MigratorTrait for BeforeSkills {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            Migrator::migrations()
                .into_iter()
                .take(BEFORE_SKILLS)
                .collect()
        }
    }

    #[on_both_engines]
    async fn an_older_installation_learns_skills_and_keeps_its_objects() {
        let data = tempfile::tempdir().unwrap();
        let url = engines::records().await;
        let records = Records::at(&url, data.path(), Limits::default()).unwrap();
        let db = records.open("old").await.unwrap().of_all();
        centro_store::migrate::<BeforeSkills>(&db).await.unwrap();
        let mut old = Query::insert();
        use object::Column as C;
        old.into_table(object::Entity)
            .columns([C::Id, C::Tenant, C::Kind, C::Body, C::Version])
            .values_panic([
                "que_1".into(),
                "ten_1".into(),
                1_i16.into(),
                Vec::<u8>::new().into(),
                1_i64.into(),
            ]);
        db.execute(&old).await.unwrap();
        centro_store::migrate::<Migrator>(&db).await.unwrap();
        let kept = object::Entity::find_by_id("que_1").one(&db).await.unwrap();
        let kept = kept.unwrap();
        assert_eq!((kept.version, &kept.skill_id), (1, &None));
        let mut skilled = kept.into_active_model();
        skilled.skill_id = sea_orm::Set(Some("ski_1".to_owned()));
        skilled.update(&db).await.unwrap();
        let of_skill = object::Column::SkillId.eq("ski_1");
        let found = object::Entity::find().filter(of_skill);
        assert_eq!(found.all(&db).await.unwrap().len(), 1);
        Migrator::down(db.pool(), Some(2)).await.unwrap();
        centro_store::migrate::<Migrator>(&db).await.unwrap();
    }
}
