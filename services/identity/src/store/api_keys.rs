//! Keys for programs.

use super::{
    Store,
    entity::api_key,
    revocations::{self, Ending},
};
use crate::{
    core::roles::{self, Roles},
    notify,
};
use centro_kernel::{ApiKeyId, Fault, TenantId, Timestamp};
use centro_store::{fault, outbox};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

impl Store {
    /// Keeps a new key.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn create_api_key(
        &self,
        tenant: TenantId,
        row: api_key::Model,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let txn = self.begin(tenant).await?;
        let event = notify::api_key_created(tenant, &row, now);
        row.into_active_model().insert(&txn).await.map_err(fault)?;
        outbox::append(&txn, &event).await?;
        self.commit(txn).await
    }

    /// A page of the tenant's keys, oldest first, and the token of the next.
    ///
    /// # Errors
    /// `page_token_unknown`.
    pub async fn api_keys(
        &self,
        tenant: TenantId,
        limit: u64,
        token: &str,
    ) -> Result<(Vec<api_key::Model>, String), Fault> {
        let pages = self.pages.list("api keys", tenant, &());
        let mut query = api_key::Entity::find()
            .filter(api_key::Column::Tenant.eq(tenant.to_string()))
            .order_by_asc(api_key::Column::Id)
            .limit(limit + 1);
        if let Some(after) = pages.after::<String>(token)? {
            query = query.filter(api_key::Column::Id.gt(after));
        }
        let mut rows = query.all(&self.db.of(tenant)).await.map_err(fault)?;
        let next = pages.next(&mut rows, limit, |row| row.id.clone());
        Ok((rows, next))
    }

    /// The key with this fingerprint: it says whose it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn api_key(&self, fingerprint: &str) -> Result<Option<api_key::Model>, Fault> {
        let found = api_key::Entity::find().filter(api_key::Column::Fingerprint.eq(fingerprint));
        found.one(&self.db.of_all()).await.map_err(fault)
    }

    /// Removes a key: it stops at once, and so do tokens made from it.
    ///
    /// # Errors
    /// `not_found`, `owner_only`.
    pub async fn delete_api_key(
        &self,
        tenant: TenantId,
        id: ApiKeyId,
        by_owner: bool,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let txn = self.begin(tenant).await?;
        let row = api_key::Entity::find_by_id(id.to_string())
            .filter(api_key::Column::Tenant.eq(tenant.to_string()))
            .one(&txn)
            .await
            .map_err(fault)?
            .ok_or_else(|| Fault::not_found("API key", id))?;
        let role = Roles::from_row(row.role);
        roles::may_touch(by_owner, role, role)?;
        api_key::Entity::delete_by_id(&row.id)
            .exec(&txn)
            .await
            .map_err(fault)?;
        let endings = vec![Ending::of(&row.id)];
        revocations::revoke(&txn, tenant, &row.id, endings, now).await?;
        outbox::append(&txn, &notify::api_key_deleted(tenant, &row, now)).await?;
        self.commit(txn).await
    }

    /// Writes down when keys were last used.
    ///
    /// # Errors
    /// Those of the database; then nothing is written.
    pub async fn note_api_key_uses(&self, uses: &[(String, Timestamp)]) -> Result<(), Fault> {
        let txn = self.begin_of_all().await?;
        for (id, time) in uses {
            api_key::Entity::update_many()
                .col_expr(api_key::Column::LastUseMs, time.as_millis().into())
                .filter(api_key::Column::Id.eq(id))
                .filter(
                    // Another process may have seen it used later.
                    Condition::any()
                        .add(api_key::Column::LastUseMs.is_null())
                        .add(api_key::Column::LastUseMs.lt(time.as_millis())),
                )
                .exec(&txn)
                .await
                .map_err(fault)?;
        }
        self.commit(txn).await
    }
}
