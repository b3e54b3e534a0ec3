//! Who has which number. An event's id is written beside its number, so it has one for good.

mod row;

pub use row::CreateTold;

use centro_bus::Event;
use centro_kernel::{ContactId, Fault, TenantId, Timestamp};
use centro_store::{Db, Transaction, fault};
use row::{told_contact, told_event, told_tenant};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// How long an event's number is known after it was given. A repeat comes well within it.
const KEEP: Duration = Duration::from_secs(2 * 24 * 3_600);
/// How long a contact's number goes on when nothing is heard of it.
const KEEP_CONTACT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The tables. Cheap to clone.
#[derive(Clone)]
pub struct Numbers(Db);

/// A number per tenant, and one per contact; 0 where the event's subject is no contact.
#[derive(Clone, Copy)]
struct Pair {
    tenant: i64,
    contact: i64,
}

impl Numbers {
    /// On the gateway's database. One batch holds events of several tenants, so it works on the rows of all.
    pub fn new(db: &Db) -> Self {
        Self(db.of_all())
    }

    /// The events with the numbers they have, or have from now on, in their order. Those of no tenant are left out.
    ///
    /// # Errors
    /// Those of the database; then nothing was given.
    pub async fn give(&self, events: &[Event], now: Timestamp) -> Result<Vec<Event>, Fault> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let txn = self.0.begin().await.map_err(fault)?;
        let known = give(&txn, events, now).await.map_err(fault)?;
        txn.commit().await.map_err(fault)?;
        let numbered = events.iter().filter_map(|event| {
            let pair = known.get(&event.id.to_string())?;
            let number = |number| u64::try_from(number).unwrap_or_default();
            Some(Event {
                sequence: number(pair.tenant),
                contact_sequence: number(pair.contact),
                ..event.clone()
            })
        });
        Ok(numbered.collect())
    }

    /// The last number of a tenant; 0 before the first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn last(&self, tenant: TenantId) -> Result<u64, Fault> {
        let row = told_tenant::Entity::find_by_id(tenant.to_string())
            .one(&self.0.of(tenant))
            .await
            .map_err(fault)?;
        Ok(row.map_or(0, |row| u64::try_from(row.last).unwrap_or_default()))
    }

    /// When a number was given; `None` when that is forgotten.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn given_at(
        &self,
        tenant: TenantId,
        number: u64,
    ) -> Result<Option<Timestamp>, Fault> {
        let row = told_event::Entity::find()
            .filter(told_event::Column::Tenant.eq(tenant.to_string()))
            .filter(told_event::Column::Number.eq(i64::try_from(number).unwrap_or(i64::MAX)))
            .one(&self.0.of(tenant))
            .await
            .map_err(fault)?;
        Ok(row.map(|row| Timestamp::from_millis(row.told_ms)))
    }

    /// Forgets what nobody will ask for any more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget(&self, now: Timestamp) -> Result<(), Fault> {
        told_event::Entity::delete_many()
            .filter(told_event::Column::ToldMs.lt((now - KEEP).as_millis()))
            .exec(&self.0)
            .await
            .map_err(fault)?;
        told_contact::Entity::delete_many()
            .filter(told_contact::Column::HeardMs.lt((now - KEEP_CONTACT).as_millis()))
            .exec(&self.0)
            .await
            .map_err(fault)?;
        Ok(())
    }
}

async fn give(
    txn: &Transaction,
    events: &[Event],
    now: Timestamp,
) -> Result<HashMap<String, Pair>, DbErr> {
    let of_tenant = |event: &Event| event.tenant.map(|tenant| tenant.to_string());
    let tenants = events.iter().filter_map(of_tenant);
    let mut last: BTreeMap<String, i64> = tenants.map(|tenant| (tenant, 0)).collect();
    // In one order everywhere; from here to the commit nobody else numbers these tenants' events.
    for (tenant, last) in &mut last {
        *last = lock(txn, tenant).await?;
    }
    let ids = events.iter().map(|event| event.id.to_string());
    let mut known = known(txn, ids).await?;
    let contacts = events.iter().filter_map(contact);
    let mut contacts = last_of_contacts(txn, contacts).await?;

    let mut given = Vec::new();
    for event in events {
        let (id, Some(tenant)) = (event.id.to_string(), of_tenant(event)) else {
            continue;
        };
        if known.contains_key(&id) {
            continue;
        }
        let number = last.entry(tenant.clone()).or_default();
        *number += 1;
        let of_contact = contact(event).map(|contact| {
            let (last, _) = contacts.entry(contact).or_insert((0, tenant.clone()));
            *last += 1;
            *last
        });
        let pair = Pair {
            tenant: *number,
            contact: of_contact.unwrap_or_default(),
        };
        given.push(told_event::ActiveModel {
            event_id: Set(id.clone()),
            tenant: Set(tenant),
            number: Set(pair.tenant),
            contact_number: Set(pair.contact),
            told_ms: Set(now.as_millis()),
        });
        known.insert(id, pair);
    }
    if given.is_empty() {
        return Ok(known);
    }
    for (tenant, last) in last {
        told_tenant::Entity::update_many()
            .col_expr(told_tenant::Column::Last, Expr::value(last))
            .filter(told_tenant::Column::Tenant.eq(tenant))
            .exec(txn)
            .await?;
    }
    keep_contacts(txn, contacts, now).await?;
    told_event::Entity::insert_many(given)
        .exec_without_returning(txn)
        .await?;
    Ok(known)
}

/// The contact that the event is about, if it is about one.
fn contact(event: &Event) -> Option<String> {
    event.subject.parse::<ContactId>().ok()?;
    Some(event.subject.clone())
}

/// The tenant's last number. Its row is locked until the transaction ends.
async fn lock(txn: &Transaction, tenant: &str) -> Result<i64, DbErr> {
    let row = told_tenant::ActiveModel {
        tenant: Set(tenant.to_owned()),
        last: Set(0),
    };
    let last = told_tenant::Column::Last;
    let same = Expr::col((told_tenant::Entity, last)).add(0);
    let row = told_tenant::Entity::insert(row)
        .on_conflict(
            OnConflict::column(told_tenant::Column::Tenant)
                .value(last, same)
                .to_owned(),
        )
        .exec_with_returning(txn)
        .await?;
    Ok(row.last)
}

async fn known(
    txn: &Transaction,
    ids: impl Iterator<Item = String>,
) -> Result<HashMap<String, Pair>, DbErr> {
    let rows = told_event::Entity::find()
        .filter(told_event::Column::EventId.is_in(ids))
        .all(txn)
        .await?;
    let pairs = rows.into_iter().map(|row| {
        let pair = Pair {
            tenant: row.number,
            contact: row.contact_number,
        };
        (row.event_id, pair)
    });
    Ok(pairs.collect())
}

/// Last numbers and tenants of those contacts of which something was told before.
async fn last_of_contacts(
    txn: &Transaction,
    contacts: impl Iterator<Item = String>,
) -> Result<HashMap<String, (i64, String)>, DbErr> {
    let rows = told_contact::Entity::find()
        .filter(told_contact::Column::Contact.is_in(contacts))
        .all(txn)
        .await?;
    let last = rows
        .into_iter()
        .map(|row| (row.contact, (row.last, row.tenant)));
    Ok(last.collect())
}

async fn keep_contacts(
    txn: &Transaction,
    contacts: HashMap<String, (i64, String)>,
    now: Timestamp,
) -> Result<(), DbErr> {
    if contacts.is_empty() {
        return Ok(());
    }
    let rows = contacts
        .into_iter()
        .map(|(contact, (last, tenant))| told_contact::ActiveModel {
            contact: Set(contact),
            tenant: Set(tenant),
            last: Set(last),
            heard_ms: Set(now.as_millis()),
        });
    told_contact::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(told_contact::Column::Contact)
                .update_columns([told_contact::Column::Last, told_contact::Column::HeardMs])
                .to_owned(),
        )
        .exec_without_returning(txn)
        .await?;
    Ok(())
}
