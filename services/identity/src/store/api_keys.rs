//! Keys for programs.

use super::{Store, entity::api_key};
use centro_kernel::{ApiKeyId, Fault, TenantId, Timestamp};
use centro_store::{fault, page::Token};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

impl Store {
    /// Keeps a new key.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn create_api_key(&self, row: api_key::Model) -> Result<(), Fault> {
        row.into_active_model()
            .insert(&self.db)
            .await
            .map_err(fault)?;
        Ok(())
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
        let mut query = api_key::Entity::find()
            .filter(api_key::Column::Tenant.eq(tenant.to_string()))
            .order_by_asc(api_key::Column::Id)
            .limit(limit + 1);
        if let Some(after) = Token::decode::<String>(token)? {
            query = query.filter(api_key::Column::Id.gt(after));
        }
        let mut rows = query.all(&self.db).await.map_err(fault)?;
        let next = Token::next(&mut rows, limit, |row| row.id.clone());
        Ok((rows, next))
    }

    /// The key with this fingerprint.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn api_key(&self, fingerprint: &str) -> Result<Option<api_key::Model>, Fault> {
        let found = api_key::Entity::find().filter(api_key::Column::Fingerprint.eq(fingerprint));
        found.one(&self.db).await.map_err(fault)
    }

    /// Removes a key: it stops at once, tokens made from it within their time.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_api_key(&self, tenant: TenantId, id: ApiKeyId) -> Result<(), Fault> {
        let done = api_key::Entity::delete_many()
            .filter(api_key::Column::Id.eq(id.to_string()))
            .filter(api_key::Column::Tenant.eq(tenant.to_string()))
            .exec(&self.db)
            .await
            .map_err(fault)?;
        if done.rows_affected == 0 {
            return Err(Fault::not_found("API key", id));
        }
        Ok(())
    }

    /// Writes down when keys were last used.
    ///
    /// # Errors
    /// Those of the database; then nothing is written.
    pub async fn note_api_key_uses(&self, uses: &[(String, Timestamp)]) -> Result<(), Fault> {
        let txn = self.begin().await?;
        for (id, time) in uses {
            api_key::Entity::update_many()
                .col_expr(api_key::Column::LastUseMs, time.as_millis().into())
                .filter(api_key::Column::Id.eq(id))
                .exec(&txn)
                .await
                .map_err(fault)?;
        }
        self.commit(txn).await
    }
}
