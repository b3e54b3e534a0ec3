//! Persistence of identity behind one type. Each method is one transaction; events leave through the outbox in it.

mod api_keys;
pub mod entity;
mod migration;
mod revocations;
mod sessions;
mod users;

pub use migration::Migrator;
pub use sessions::Refreshed;
pub use users::{NewUser, UserChange};

use centro_kernel::{Code, Fault, TenantId, Timestamp};
use centro_store::{
    Db, Transaction, fault,
    outbox::{self, Wake},
    page::Pages,
};
use entity::tenant;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, SqlErr,
};

/// Tenants, people, sessions and keys.
#[derive(Clone)]
pub struct Store {
    db: Db,
    wake: Wake,
    pages: Pages,
}

impl Store {
    /// On a migrated database; `wake` belongs to its relay.
    pub fn new(db: Db, wake: Wake, pages: Pages) -> Self {
        Self { db, wake, pages }
    }

    async fn begin(&self, tenant: TenantId) -> Result<Transaction, Fault> {
        self.db.of(tenant).begin().await.map_err(fault)
    }

    /// For what is not known whose it is, or is everybody's.
    async fn begin_of_all(&self) -> Result<Transaction, Fault> {
        self.db.of_all().begin().await.map_err(fault)
    }

    async fn commit(&self, txn: Transaction) -> Result<(), Fault> {
        txn.commit().await.map_err(fault)?;
        self.wake.nudge();
        Ok(())
    }

    /// A new tenant and the person who owns it.
    ///
    /// # Errors
    /// `slug_taken`.
    pub async fn create_tenant(
        &self,
        slug: &str,
        display_name: &str,
        owner: NewUser,
        now: Timestamp,
    ) -> Result<tenant::Model, Fault> {
        let id = TenantId::generate();
        let row = tenant::Model {
            id: id.to_string(),
            slug: slug.to_owned(),
            display_name: display_name.to_owned(),
            create_ms: now.as_millis(),
        };
        let txn = self.begin(id).await?;
        row.clone()
            .into_active_model()
            .insert(&txn)
            .await
            .map_err(|error| match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => Fault::new(
                    Code::Conflict,
                    "slug_taken",
                    "another tenant has this short name",
                )
                .at("/slug"),
                _ => fault(error),
            })?;
        users::insert(&txn, id, owner, now).await?;
        self.commit(txn).await?;
        Ok(row)
    }

    /// Every tenant, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tenants(&self) -> Result<Vec<tenant::Model>, Fault> {
        tenant::Entity::find()
            .order_by_asc(tenant::Column::Id)
            .all(&self.db)
            .await
            .map_err(fault)
    }

    /// One tenant.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn tenant(&self, id: TenantId) -> Result<tenant::Model, Fault> {
        let row = tenant::Entity::find_by_id(id.to_string())
            .one(&self.db)
            .await
            .map_err(fault)?;
        row.ok_or_else(|| Fault::not_found("tenant", id))
    }

    /// The tenant somebody signs in to: by its short name, or the only one when none is given. `None` when there is no
    /// such tenant.
    ///
    /// # Errors
    /// `tenant_needed` when none is given and there is not exactly one.
    pub async fn tenant_for_sign_in(&self, slug: &str) -> Result<Option<tenant::Model>, Fault> {
        if !slug.is_empty() {
            let found = tenant::Entity::find().filter(tenant::Column::Slug.eq(slug.to_lowercase()));
            return found.one(&self.db).await.map_err(fault);
        }
        let mut some = tenant::Entity::find()
            .limit(2)
            .all(&self.db)
            .await
            .map_err(fault)?;
        match (some.pop(), some.is_empty()) {
            (Some(only), true) => Ok(Some(only)),
            _ => Err(Fault::new(
                Code::Invalid,
                "tenant_needed",
                "say which tenant you belong to: give its short name",
            )
            .at("/tenant")),
        }
    }

    /// Tells the world that a sign-in failed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_refused(&self, event: &centro_bus::Event) -> Result<(), Fault> {
        let txn = match event.tenant {
            Some(tenant) => self.begin(tenant).await?,
            None => self.begin_of_all().await?,
        };
        outbox::append(&txn, event).await?;
        self.commit(txn).await
    }
}

/// The id in a row that this service wrote.
pub fn id<T: std::str::FromStr>(text: &str) -> Result<T, Fault> {
    text.parse()
        .map_err(|_| Fault::internal(format_args!("a row holds a malformed id: {text}")))
}
