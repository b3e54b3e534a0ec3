//! Events that are true because they were written with the state they tell of, and told once the bus takes them.
//!
//! [`append`] writes into the service's own transaction; [`relay`] publishes in order and deletes what was published, so
//! an event is delivered at least once and consumers know repeats by its id. Each event gets the next `sequence` of its
//! tenant, without a gap, so that a reader can see that it missed one.

mod entity;
mod migration;
mod relay;

pub use migration::CreateOutbox;
pub use relay::{Wake, relay};

use crate::fault;
use centro_bus::Event;
use centro_kernel::Fault;
use entity::{outbox, sequence};
use sea_orm::{ConnectionTrait, EntityTrait, ExprTrait, Set, sea_query::OnConflict};
use std::collections::BTreeMap;

/// The sequence's key of events that belong to no tenant.
const NO_TENANT: &str = "-";

/// Writes an event into `txn`. After the commit, [`Wake::nudge`] has it published.
///
/// # Errors
/// Those of the database, as [`fault`] makes them.
pub async fn append(txn: &impl ConnectionTrait, event: &Event) -> Result<(), Fault> {
    append_all(txn, std::slice::from_ref(event)).await
}

/// Writes several events into `txn`, in their order; cheaper than one by one.
///
/// # Errors
/// Those of the database, as [`fault`] makes them.
pub async fn append_all(txn: &impl ConnectionTrait, events: &[Event]) -> Result<(), Fault> {
    if events.is_empty() {
        return Ok(());
    }
    let mut next = BTreeMap::<String, i64>::new();
    for event in events {
        *next.entry(tenant_key(event)).or_default() += 1;
    }
    for (tenant, count) in &mut next {
        *count = reserve(txn, tenant, *count).await?;
    }
    let rows = events.iter().map(|event| {
        let slot = next.entry(tenant_key(event)).or_default();
        let sequence = *slot;
        *slot += 1;
        outbox::ActiveModel::of(event, sequence)
    });
    let rows: Vec<_> = rows.collect();
    outbox::Entity::insert_many(rows)
        .exec_without_returning(txn)
        .await
        .map_err(fault)?;
    Ok(())
}

/// Takes the tenant's next `count` numbers and returns the first. The row stays locked until the transaction ends, so
/// numbers are committed in their order.
async fn reserve(txn: &impl ConnectionTrait, tenant: &str, count: i64) -> Result<i64, Fault> {
    let row = sequence::ActiveModel {
        tenant: Set(tenant.to_owned()),
        last: Set(count),
    };
    let last = sequence::Column::Last;
    let grown = sea_orm::sea_query::Expr::col((sequence::Entity, last)).add(count);
    let row = sequence::Entity::insert(row)
        .on_conflict(
            OnConflict::column(sequence::Column::Tenant)
                .value(last, grown)
                .to_owned(),
        )
        .exec_with_returning(txn)
        .await
        .map_err(fault)?;
    Ok(row.last - count + 1)
}

fn tenant_key(event: &Event) -> String {
    event
        .tenant
        .map_or_else(|| NO_TENANT.to_owned(), |tenant| tenant.to_string())
}
