//! Persistence of the configuration behind one type.
//!
//! Reads go straight to the tables. Every write is a [`Writer`]: rows, the installation's growing version and the events
//! that tell of them, in one transaction.

mod entity;
mod feed;
mod migration;
mod object;
mod writer;

pub use migration::Migrator;
pub use object::{Kind, Object};
pub use writer::Writer;

use centro_kernel::{Fault, TenantId, Timestamp};
use centro_proto::configuration::Credentials;
use centro_store::{Db, fault, inbox, outbox::Wake, page::Pages};
use entity::{extension, object as row};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;

/// Queues, numbers, dial plans, devices, trunks, skills, who serves which queue and who has which skill.
#[derive(Clone)]
pub struct Store {
    db: Db,
    wake: Wake,
    pages: Pages,
}

/// Which objects of a kind to list.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// Those of this queue.
    pub queue_id: Option<String>,
    /// Those of this person.
    pub user_id: Option<String>,
    /// Those about this skill.
    pub skill_id: Option<String>,
}

impl Store {
    /// On a migrated database; `wake` belongs to its relay.
    pub fn new(db: Db, wake: Wake, pages: Pages) -> Self {
        Self { db, wake, pages }
    }

    /// Begins a write. Writers take turns.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(&self, tenant: TenantId, now: Timestamp) -> Result<Writer, Fault> {
        Writer::begin(&self.db, self.wake.clone(), tenant, now).await
    }

    /// Forgets the ids of events that came before `before`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_events(&self, before: Timestamp) -> Result<u64, Fault> {
        inbox::forget_before(&self.db, before).await
    }

    /// One object of the tenant.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn get<T: Object>(&self, tenant: TenantId, key: &str) -> Result<T, Fault> {
        find::<T>(&self.db.of(tenant), tenant, key).await
    }

    /// A page of the tenant's objects of a kind, oldest first, and the token of the next.
    ///
    /// # Errors
    /// `page_token_unknown`.
    pub async fn list<T: Object>(
        &self,
        tenant: TenantId,
        only: Only,
        limit: u64,
        token: &str,
    ) -> Result<(Vec<T>, String), Fault> {
        let filter = (&only.queue_id, &only.user_id, &only.skill_id);
        let pages = self.pages.list(T::WHAT, tenant, &filter);
        let mut query = row::Entity::find()
            .filter(row::Column::Tenant.eq(tenant.to_string()))
            .filter(row::Column::Kind.eq(T::KIND as i16))
            .order_by_asc(row::Column::Id)
            .limit(limit + 1);
        if let Some(after) = pages.after::<String>(token)? {
            query = query.filter(row::Column::Id.gt(after));
        }
        if let Some(queue) = only.queue_id {
            query = query.filter(row::Column::QueueId.eq(queue));
        }
        if let Some(user) = only.user_id {
            query = query.filter(row::Column::UserId.eq(user));
        }
        if let Some(skill) = only.skill_id {
            query = query.filter(row::Column::SkillId.eq(skill));
        }
        let mut rows = query.all(&self.db.of(tenant)).await.map_err(fault)?;
        let next = pages.next(&mut rows, limit, |row| row.id.clone());
        let objects = rows.iter().map(decode::<T>).collect::<Result<_, _>>()?;
        Ok((objects, next))
    }

    /// The extensions of the tenant that are taken.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn extensions(&self, tenant: TenantId) -> Result<BTreeSet<String>, Fault> {
        extensions(&self.db.of(tenant), tenant).await
    }

    /// The digests of a device or trunk.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn credentials(&self, tenant: TenantId, id: &str) -> Result<Credentials, Fault> {
        row::Entity::find_by_id(id)
            .filter(row::Column::Tenant.eq(tenant.to_string()))
            .one(&self.db.of(tenant))
            .await
            .map_err(fault)?
            .and_then(|row| digests(&row))
            .ok_or_else(|| Fault::not_found("device or trunk with a secret", id))
    }
}

/// One object of the tenant, or `not_found`.
async fn find<T: Object>(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    key: &str,
) -> Result<T, Fault> {
    let found = row::Entity::find_by_id(key)
        .filter(row::Column::Tenant.eq(tenant.to_string()))
        .filter(row::Column::Kind.eq(T::KIND as i16))
        .one(db)
        .await
        .map_err(fault)?;
    decode(&found.ok_or_else(|| Fault::not_found(T::WHAT, key))?)
}

async fn extensions(
    db: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<BTreeSet<String>, Fault> {
    let taken = extension::Entity::find()
        .select_only()
        .column(extension::Column::Extension)
        .filter(extension::Column::Tenant.eq(tenant.to_string()))
        .into_tuple::<String>();
    Ok(taken.all(db).await.map_err(fault)?.into_iter().collect())
}

fn decode<T: Object>(row: &row::Model) -> Result<T, Fault> {
    T::decode(row.body.as_slice())
        .map(Object::completed)
        .map_err(|error| Fault::internal(format_args!("row {}: {error}", row.id)))
}

fn digests(row: &row::Model) -> Option<Credentials> {
    Some(Credentials {
        ha1_md5: row.ha1_md5.clone()?,
        ha1_sha256: row.ha1_sha256.clone()?,
    })
}
