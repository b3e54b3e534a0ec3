//! One write: rows, versions and events together, or nothing.

use super::{
    Kind, Object, decode,
    entity::{extension, link, object as row, version},
    extensions, find,
};
use crate::{core::extension as rule, notify};
use centro_bus::Event;
use centro_kernel::{Code, EventId, Fault, TenantId, Timestamp};
use centro_proto::configuration::{Credentials, Device, QueueAgent};
use centro_store::{
    Db, Transaction, fault, inbox,
    outbox::{self, Wake},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Set, SqlErr, sea_query::OnConflict,
};
use std::collections::BTreeSet;

/// A write that has begun. Dropped without [`Writer::commit`], it changes nothing.
pub struct Writer {
    txn: Transaction,
    wake: Wake,
    tenant: TenantId,
    now: Timestamp,
    version: i64,
    events: Vec<Event>,
}

/// At most this many users of an object are named when it cannot be deleted.
const SHOWN: u64 = 10;

impl Writer {
    /// Takes the installation's version first: writers take turns, so that a version seen is never overtaken by a lower
    /// one that is committed later.
    pub(super) async fn begin(
        db: &Db,
        wake: Wake,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let txn = db.of(tenant).begin().await.map_err(fault)?;
        let last = version::Entity::find_by_id(1)
            .lock_exclusive()
            .one(&txn)
            .await
            .map_err(fault)?;
        let last = last.ok_or_else(|| Fault::internal("the version row is missing"))?;
        Ok(Self {
            txn,
            wake,
            tenant,
            now,
            version: last.last,
            events: Vec::new(),
        })
    }

    /// One object of the tenant, as this write sees it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn get<T: Object>(&self, key: &str) -> Result<T, Fault> {
        find::<T>(&self.txn, self.tenant, key).await
    }

    /// Which of these keys are objects of this kind of the tenant.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn existing(
        &self,
        kind: Kind,
        keys: &BTreeSet<&str>,
    ) -> Result<BTreeSet<String>, Fault> {
        let found = row::Entity::find()
            .select_only()
            .column(row::Column::Id)
            .filter(row::Column::Tenant.eq(self.tenant.to_string()))
            .filter(row::Column::Kind.eq(kind as i16))
            .filter(row::Column::Id.is_in(keys.iter().copied()))
            .into_tuple::<String>();
        Ok(found
            .all(&self.txn)
            .await
            .map_err(fault)?
            .into_iter()
            .collect())
    }

    /// The next free extension of the tenant.
    ///
    /// # Errors
    /// `extensions_exhausted`.
    pub async fn free_extension(&self) -> Result<String, Fault> {
        rule::next_free(&extensions(&self.txn, self.tenant).await?)
    }

    /// Writes an object, new or changed, and tells of it. Credentials that are not given stay as they were.
    ///
    /// # Errors
    /// `name_duplicate` and `extension_taken` with the `existing_id`, `number_taken`.
    pub async fn put<T: Object>(
        &mut self,
        mut object: T,
        credentials: Option<Credentials>,
    ) -> Result<T, Fault> {
        let key = object.key();
        self.check_name(&object, &key).await?;
        self.take_extension(&object, &key).await?;
        self.check_claim(&object, &key).await?;
        let version = self.next_version();
        object.stamp(version.to_string());
        let mut model = row::ActiveModel {
            id: Set(key.clone()),
            tenant: Set(self.tenant.to_string()),
            kind: Set(T::KIND as i16),
            name_key: Set(object.name_key()),
            claim: Set(object.claim()),
            queue_id: Set(object.queue_id()),
            user_id: Set(object.user_id()),
            skill_id: Set(object.skill_id()),
            body: Set(object.encode_to_vec()),
            version: Set(version),
            ..Default::default()
        };
        use row::Column as C;
        let mut updated = vec![
            C::NameKey,
            C::Claim,
            C::QueueId,
            C::UserId,
            C::SkillId,
            C::Body,
            C::Version,
        ];
        if let Some(credentials) = credentials {
            model.ha1_md5 = Set(Some(credentials.ha1_md5));
            model.ha1_sha256 = Set(Some(credentials.ha1_sha256));
            updated.extend([C::Ha1Md5, C::Ha1Sha256]);
        }
        row::Entity::insert(model)
            .on_conflict(OnConflict::column(C::Id).update_columns(updated).to_owned())
            .exec_without_returning(&self.txn)
            .await
            .map_err(|error| race(error, &object))?;
        self.relink(&key, object.links()).await?;
        self.tell(version, false, object.clone(), &key);
        Ok(object)
    }

    /// Ends the write with what an object became, unless that is what it was: the same said twice is one change.
    ///
    /// # Errors
    /// As of [`Writer::put`].
    pub async fn change<T: Object + PartialEq>(mut self, before: T, after: T) -> Result<T, Fault> {
        if after == before {
            return Ok(before);
        }
        let after = self.put(after, None).await?;
        self.commit().await?;
        Ok(after)
    }

    /// Removes an object that nothing leads to, and tells of it.
    ///
    /// # Errors
    /// `not_found`, `in_use` naming what leads to it.
    pub async fn remove<T: Object>(&mut self, key: &str) -> Result<(), Fault> {
        let object = self.get::<T>(key).await?;
        self.refuse_in_use(&object, key).await?;
        if T::KIND == Kind::CallQueue {
            let of_queue = row::Column::QueueId.eq(key);
            for agent in self.of_kind::<QueueAgent>(of_queue).await? {
                self.erase(&agent).await?;
            }
        }
        self.erase(&object).await
    }

    /// Removes every object of a kind that belongs to a person, and tells of each.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_of_user<T: Object>(&mut self, user: &str) -> Result<(), Fault> {
        for object in self.of_kind::<T>(row::Column::UserId.eq(user)).await? {
            self.erase(&object).await?;
        }
        Ok(())
    }

    /// Suspends a person's devices, or lets them in again, and tells of each that changes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn suspend(&mut self, user: &str, suspended: bool) -> Result<(), Fault> {
        for device in self.of_kind::<Device>(row::Column::UserId.eq(user)).await? {
            if device.suspended != suspended {
                let device = Device {
                    suspended,
                    ..device
                };
                self.put(device, None).await?;
            }
        }
        Ok(())
    }

    /// Whether this event comes for the first time, which is `now`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn first_time(&self, event: EventId, now: Timestamp) -> Result<bool, Fault> {
        inbox::first_time(&self.txn, event, now).await
    }

    /// Makes it so, and has the events published.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn commit(self) -> Result<(), Fault> {
        let last = version::ActiveModel {
            id: Set(1),
            last: Set(self.version),
        };
        last.update(&self.txn).await.map_err(fault)?;
        outbox::append_all(&self.txn, &self.events).await?;
        self.txn.commit().await.map_err(fault)?;
        self.wake.nudge();
        Ok(())
    }

    /// When this write happens.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    fn tell<T: Object>(&mut self, version: i64, deleted: bool, object: T, key: &str) {
        // Credentials never travel in events.
        let object = object.into_change(None);
        let event = notify::changed(self.tenant, version, deleted, object, key, self.now);
        self.events.push(event);
    }

    async fn erase<T: Object>(&mut self, object: &T) -> Result<(), Fault> {
        let key = object.key();
        row::Entity::delete_by_id(&key)
            .exec(&self.txn)
            .await
            .map_err(fault)?;
        extension::Entity::delete_many()
            .filter(extension::Column::ObjectId.eq(&key))
            .exec(&self.txn)
            .await
            .map_err(fault)?;
        self.relink(&key, Vec::new()).await?;
        let version = self.next_version();
        self.tell(version, true, object.remains(), &key);
        Ok(())
    }

    async fn of_kind<T: Object>(
        &self,
        filter: impl sea_orm::sea_query::IntoCondition,
    ) -> Result<Vec<T>, Fault> {
        let rows = row::Entity::find()
            .filter(row::Column::Tenant.eq(self.tenant.to_string()))
            .filter(row::Column::Kind.eq(T::KIND as i16))
            .filter(filter.into_condition())
            .order_by_asc(row::Column::Id)
            .all(&self.txn)
            .await
            .map_err(fault)?;
        rows.iter().map(decode).collect()
    }

    async fn check_name<T: Object>(&self, object: &T, key: &str) -> Result<(), Fault> {
        let Some(name) = object.name_key() else {
            return Ok(());
        };
        let same = row::Entity::find()
            .filter(row::Column::Tenant.eq(self.tenant.to_string()))
            .filter(row::Column::Kind.eq(T::KIND as i16))
            .filter(row::Column::NameKey.eq(name))
            .filter(row::Column::Id.ne(key));
        match same.one(&self.txn).await.map_err(fault)? {
            Some(same) => Err(name_duplicate(object).with("existing_id", same.id)),
            None => Ok(()),
        }
    }

    async fn check_claim<T: Object>(&self, object: &T, key: &str) -> Result<(), Fault> {
        let Some(claim) = object.claim() else {
            return Ok(());
        };
        let same = row::Entity::find()
            .filter(row::Column::Claim.eq(claim))
            .filter(row::Column::Id.ne(key));
        match same.one(&self.txn).await.map_err(fault)? {
            Some(_) => Err(object.claimed()),
            None => Ok(()),
        }
    }

    async fn take_extension<T: Object>(&self, object: &T, key: &str) -> Result<(), Fault> {
        let wanted = object.extension();
        extension::Entity::delete_many()
            .filter(extension::Column::ObjectId.eq(key))
            .exec(&self.txn)
            .await
            .map_err(fault)?;
        if wanted.is_empty() {
            return Ok(());
        }
        let taken = extension::Entity::find_by_id((self.tenant.to_string(), wanted.to_owned()));
        if let Some(taken) = taken.one(&self.txn).await.map_err(fault)? {
            return Err(rule::taken(wanted, Some(&taken.object_id)));
        }
        let row = extension::Model {
            tenant: self.tenant.to_string(),
            extension: wanted.to_owned(),
            object_id: key.to_owned(),
        };
        row.into_active_model()
            .insert(&self.txn)
            .await
            .map_err(|error| match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => rule::taken(wanted, None),
                _ => fault(error),
            })?;
        Ok(())
    }

    async fn relink(&self, from: &str, to: Vec<String>) -> Result<(), Fault> {
        link::Entity::delete_many()
            .filter(link::Column::FromId.eq(from))
            .exec(&self.txn)
            .await
            .map_err(fault)?;
        if to.is_empty() {
            return Ok(());
        }
        let rows = to.into_iter().map(|to| {
            link::Model {
                from_id: from.to_owned(),
                to_id: to,
            }
            .into_active_model()
        });
        link::Entity::insert_many(rows)
            .exec_without_returning(&self.txn)
            .await
            .map_err(fault)?;
        Ok(())
    }

    async fn refuse_in_use<T: Object>(&self, object: &T, key: &str) -> Result<(), Fault> {
        let links = link::Entity::find()
            .filter(link::Column::ToId.eq(key))
            .limit(SHOWN);
        let users: Vec<String> = links
            .all(&self.txn)
            .await
            .map_err(fault)?
            .into_iter()
            .map(|link| link.from_id)
            .collect();
        if users.is_empty() {
            return Ok(());
        }
        let rows = row::Entity::find()
            .filter(row::Column::Id.is_in(&users))
            .all(&self.txn)
            .await
            .map_err(fault)?;
        let names: Vec<String> = rows.iter().map(title).collect::<Result<_, _>>()?;
        let (what, names) = (T::WHAT, names.join(", "));
        let message = format!(
            "the {what} {} is used by {names}; change that first",
            object.title()
        );
        Err(Fault::new(Code::Conflict, "in_use", message)
            .with("used_by", names)
            .with("used_by_ids", users.join(",")))
    }
}

/// Kind and name of an object that leads to another.
fn title(row: &row::Model) -> Result<String, Fault> {
    use centro_proto::configuration::{DialPlan, Number, UserSkill};
    Ok(if row.kind == Kind::DialPlan as i16 {
        format!("{} {}", DialPlan::WHAT, decode::<DialPlan>(row)?.title())
    } else if row.kind == Kind::UserSkill as i16 {
        format!("person {}", decode::<UserSkill>(row)?.title())
    } else {
        format!("{} {}", Number::WHAT, decode::<Number>(row)?.title())
    })
}

fn name_duplicate<T: Object>(object: &T) -> Fault {
    let message = format!("another {} is called {}", T::WHAT, object.title());
    Fault::new(Code::Conflict, "name_duplicate", message).at("/displayName")
}

/// What the unique indexes say when the checks before them were overtaken.
fn race<T: Object>(error: DbErr, object: &T) -> Fault {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(text)) if text.contains("claim") => object.claimed(),
        Some(SqlErr::UniqueConstraintViolation(_)) => name_duplicate(object),
        _ => fault(error),
    }
}
