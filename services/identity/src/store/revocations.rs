//! What access tokens must not rest on any more. Written in the transaction that ends it, told by an event, and kept until
//! the last such token has expired, for processes that start in the meantime.

use super::{Store, entity::revocation};
use centro_bus::Event;
use centro_contract::revocation::{CAPACITY, LONGEST_LIFE};
use centro_kernel::{Fault, TenantId, Timestamp};
use centro_proto::{events::AccessRevoked, identity as pb};
use centro_store::{fault, outbox};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};

/// Entries written by one statement and told by one event.
const CHUNK: usize = 500;
/// Entries told at most: one more than a table holds. It lets the oldest give way and takes the tokens of that age for
/// void, so the still older ones are not missed.
const MOST: u64 = CAPACITY as u64 + 1;

/// What ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Id of a session, of an API key or of a person.
    pub subject: String,
    /// Of a person: tokens made from an older version of the row end.
    pub before_version: i64,
}

impl Ending {
    /// A session or an API key ends.
    pub fn of(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            before_version: 0,
        }
    }

    /// Tokens of a person end that were made before the row had this version.
    pub fn before(user: &str, version: i64) -> Self {
        Self {
            subject: user.to_owned(),
            before_version: version,
        }
    }
}

/// Writes down, inside `txn`, that tokens are void from now on, and tells of it. `about` is the person or the key.
pub(super) async fn revoke(
    txn: &impl ConnectionTrait,
    tenant: TenantId,
    about: &str,
    endings: Vec<Ending>,
    now: Timestamp,
) -> Result<(), Fault> {
    let expire_ms = (now + LONGEST_LIFE).as_millis();
    let rows = endings.into_iter().map(|ending| revocation::Model {
        subject: ending.subject,
        before_version: ending.before_version,
        expire_ms,
    });
    let rows: Vec<_> = rows.collect();
    for chunk in rows.chunks(CHUNK) {
        let again = OnConflict::column(revocation::Column::Subject)
            .update_columns([
                revocation::Column::BeforeVersion,
                revocation::Column::ExpireMs,
            ])
            .to_owned();
        revocation::Entity::insert_many(
            chunk
                .iter()
                .cloned()
                .map(IntoActiveModel::into_active_model),
        )
        .on_conflict(again)
        .exec_without_returning(txn)
        .await
        .map_err(fault)?;
        let data = AccessRevoked {
            revocations: chunk.iter().map(message).collect(),
        };
        let event = Event::new(Some(tenant), "identity.access.revoked", about, now, &data);
        outbox::append(txn, &event).await?;
    }
    Ok(())
}

/// A row as others see it.
pub fn message(row: &revocation::Model) -> pb::Revocation {
    pb::Revocation {
        subject: row.subject.clone(),
        before_version: u64::try_from(row.before_version).unwrap_or(0),
        expire_time: Some(prost_types::Timestamp {
            seconds: row.expire_ms.div_euclid(1000),
            nanos: i32::try_from(row.expire_ms.rem_euclid(1000) * 1_000_000).unwrap_or(0),
        }),
    }
}

impl Store {
    /// What is still of use to somebody, the newest of it when that is more than anybody can hold.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn revocations(&self, now: Timestamp) -> Result<Vec<pb::Revocation>, Fault> {
        let rows = revocation::Entity::find()
            .filter(revocation::Column::ExpireMs.gt(now.as_millis()))
            .order_by_desc(revocation::Column::ExpireMs)
            .limit(MOST)
            .all(&self.db)
            .await
            .map_err(fault)?;
        Ok(rows.iter().map(message).collect())
    }

    /// Ends so many sessions at once.
    #[cfg(test)]
    pub async fn revoke_many(&self, sessions: impl Iterator<Item = String>, now: Timestamp) {
        let endings = sessions.map(Ending::of).collect();
        let tenant = TenantId::from_u128(1);
        let txn = self.begin(tenant).await.unwrap();
        let done = revoke(&txn, tenant, "many", endings, now).await;
        done.unwrap();
        self.commit(txn).await.unwrap();
    }

    /// Forgets what no token can rest on any more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_old_revocations(&self, now: Timestamp) -> Result<(), Fault> {
        revocation::Entity::delete_many()
            .filter(revocation::Column::ExpireMs.lte(now.as_millis()))
            .exec(&self.db)
            .await
            .map_err(fault)?;
        Ok(())
    }
}
