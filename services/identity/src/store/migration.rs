//! The tables of identity.

use super::entity::{api_key, refresh_token, revocation, session, tenant, user};
use centro_store::{RaiseWall, outbox::CreateOutbox};
use sea_orm_migration::{prelude::*, schema};

/// Every migration of this service, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateOutbox),
            Box::new(CreateIdentity),
            Box::new(CreateRevocations),
            Box::new(RaiseWall),
        ]
    }
}

struct CreateIdentity;

impl MigrationName for CreateIdentity {
    fn name(&self) -> &str {
        "identity_1_create"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateIdentity {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tenants = Table::create()
            .table(tenant::Entity)
            .col(schema::text(tenant::Column::Id).primary_key())
            .col(schema::text(tenant::Column::Slug).unique_key())
            .col(schema::text(tenant::Column::DisplayName))
            .col(schema::big_integer(tenant::Column::CreateMs))
            .to_owned();
        manager.create_table(tenants).await?;
        let users = Table::create()
            .table(user::Entity)
            .col(schema::text(user::Column::Id).primary_key())
            .col(schema::text(user::Column::Tenant))
            .col(schema::text(user::Column::Login))
            .col(schema::text(user::Column::LoginKey))
            .col(schema::text(user::Column::DisplayName))
            .col(schema::small_integer(user::Column::Roles))
            .col(schema::text(user::Column::PasswordHash))
            .col(schema::boolean(user::Column::Disabled))
            .col(schema::big_integer(user::Column::CreateMs))
            .col(schema::big_integer(user::Column::Version))
            .to_owned();
        manager.create_table(users).await?;
        let sessions = Table::create()
            .table(session::Entity)
            .col(schema::text(session::Column::Id).primary_key())
            .col(schema::text(session::Column::Tenant))
            .col(schema::text(session::Column::UserId))
            .col(schema::big_integer(session::Column::CreateMs))
            .col(schema::big_integer(session::Column::ExpireMs))
            .to_owned();
        manager.create_table(sessions).await?;
        let tokens = Table::create()
            .table(refresh_token::Entity)
            .col(schema::text(refresh_token::Column::Fingerprint).primary_key())
            .col(schema::text(refresh_token::Column::SessionId))
            .col(schema::big_integer(refresh_token::Column::ExpireMs))
            .col(schema::big_integer_null(refresh_token::Column::UsedMs))
            .to_owned();
        manager.create_table(tokens).await?;
        let keys = Table::create()
            .table(api_key::Entity)
            .col(schema::text(api_key::Column::Id).primary_key())
            .col(schema::text(api_key::Column::Tenant))
            .col(schema::text(api_key::Column::DisplayName))
            .col(schema::small_integer(api_key::Column::Role))
            .col(schema::text(api_key::Column::Fingerprint).unique_key())
            .col(schema::big_integer(api_key::Column::CreateMs))
            .col(schema::big_integer_null(api_key::Column::ExpireMs))
            .col(schema::big_integer_null(api_key::Column::LastUseMs))
            .to_owned();
        manager.create_table(keys).await?;
        create_indexes(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(api_key::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(refresh_token::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(session::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(user::Entity).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(tenant::Entity).to_owned())
            .await
    }
}

async fn create_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let logins = Index::create()
        .name("ux_users_login")
        .table(user::Entity)
        .col(user::Column::Tenant)
        .col(user::Column::LoginKey)
        .unique()
        .to_owned();
    manager.create_index(logins).await?;
    let pages = Index::create()
        .name("ix_users_page")
        .table(user::Entity)
        .col(user::Column::Tenant)
        .col(user::Column::Id)
        .to_owned();
    manager.create_index(pages).await?;
    let of_user = Index::create()
        .name("ix_sessions_user")
        .table(session::Entity)
        .col(session::Column::UserId)
        .to_owned();
    manager.create_index(of_user).await?;
    let of_session = Index::create()
        .name("ix_refresh_tokens_session")
        .table(refresh_token::Entity)
        .col(refresh_token::Column::SessionId)
        .to_owned();
    manager.create_index(of_session).await?;
    let keys = Index::create()
        .name("ix_api_keys_page")
        .table(api_key::Entity)
        .col(api_key::Column::Tenant)
        .col(api_key::Column::Id)
        .to_owned();
    manager.create_index(keys).await
}

struct CreateRevocations;

impl MigrationName for CreateRevocations {
    fn name(&self) -> &str {
        "identity_2_revocations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateRevocations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let revocations = Table::create()
            .table(revocation::Entity)
            .col(schema::text(revocation::Column::Subject).primary_key())
            .col(schema::big_integer(revocation::Column::BeforeVersion))
            .col(schema::big_integer(revocation::Column::ExpireMs))
            .to_owned();
        manager.create_table(revocations).await?;
        let parent = Table::alter()
            .table(refresh_token::Entity)
            .add_column(schema::text_null(refresh_token::Column::Parent))
            .to_owned();
        manager.alter_table(parent).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let parent = Table::alter()
            .table(refresh_token::Entity)
            .drop_column(refresh_token::Column::Parent)
            .to_owned();
        manager.alter_table(parent).await?;
        manager
            .drop_table(Table::drop().table(revocation::Entity).to_owned())
            .await
    }
}
