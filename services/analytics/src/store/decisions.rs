//! Why contacts were offered to whom: each offer with its decision, of a contact the latest.

use super::{
    Store,
    entity::{decision, stay},
};
use centro_kernel::{ContactId, Fault, QueueId, TenantId, Timestamp, UserId};
use centro_store::fault;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{ExprTrait, OnConflict},
};
use std::collections::{BTreeMap, BTreeSet};

/// Offers kept of one contact. Who declined long ago explains nothing any more.
pub(crate) const OFFERS: u64 = 50;
/// Offers removed at once; what is left over goes with the next offer.
const REMOVED: u64 = 1_000;
/// Contacts asked for by one statement: SQLite binds at most 32,766 values.
const CONTACTS: usize = 500;

/// The reservation of an agent: the name of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reservation {
    pub agent: UserId,
    pub number: i64,
}

/// An offer was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub reservation: Reservation,
    pub contact: ContactId,
    pub queue: QueueId,
    pub at: Timestamp,
    /// The encoded `centro.types.v1.Decision`.
    pub decision: Vec<u8>,
}

/// An agent had bids of several queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bids {
    pub reservation: Reservation,
    pub at: Timestamp,
    /// The encoded `centro.events.v1.BidsCompared`.
    pub compared: Vec<u8>,
}

/// What is kept of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    pub agent: String,
    pub reservation: i64,
    pub at: Timestamp,
    pub queue: String,
    pub decision: Vec<u8>,
    pub bids: Option<Vec<u8>>,
}

impl Store {
    /// Why the contact was offered to whom: its latest offers, oldest first.
    ///
    /// # Errors
    /// `not_found` for a contact that the tenant never had.
    pub(crate) async fn decisions(
        &self,
        tenant: TenantId,
        contact: ContactId,
    ) -> Result<Vec<Decided>, Fault> {
        let known = stay::Entity::find()
            .filter(stay::Column::ContactId.eq(contact.to_string()))
            .filter(stay::Column::Tenant.eq(tenant.to_string()))
            .limit(1)
            .one(&self.readers.of(tenant))
            .await
            .map_err(fault)?;
        if known.is_none() {
            return Err(Fault::not_found("contact", contact));
        }
        let mut rows = latest(contact)
            .filter(decision::Column::Tenant.eq(tenant.to_string()))
            .limit(OFFERS)
            .all(&self.readers.of(tenant))
            .await
            .map_err(fault)?;
        rows.reverse();
        Ok(rows.into_iter().map(decided).collect())
    }

    /// Forgets bids whose offer never came, from before `before`.
    pub(crate) async fn forget_bids(&self, before: Timestamp) -> Result<u64, Fault> {
        let gone = decision::Entity::delete_many()
            .filter(decision::Column::ContactId.is_null())
            .filter(decision::Column::AtMs.lt(before.as_millis()))
            .exec(&self.writer.of_all())
            .await
            .map_err(fault)?;
        Ok(gone.rows_affected)
    }
}

/// Keeps offers, and of each contact the latest.
pub(super) async fn learn_offers(
    txn: &impl ConnectionTrait,
    offers: &[(TenantId, &Offer)],
) -> Result<(), Fault> {
    use decision::Column;
    let told = OnConflict::columns([Column::AgentId, Column::Reservation])
        .update_columns([
            Column::AtMs,
            Column::ContactId,
            Column::QueueId,
            Column::Decision,
        ])
        .to_owned();
    // One statement must not name a row twice.
    let offers: BTreeMap<_, _> = offers
        .iter()
        .map(|(tenant, offer)| (offer.reservation, (*tenant, *offer)))
        .collect();
    let offers: Vec<_> = offers.into_values().collect();
    for chunk in offers.chunks(CONTACTS) {
        let rows = chunk.iter().map(|(tenant, offer)| decision::ActiveModel {
            agent_id: Set(offer.reservation.agent.to_string()),
            reservation: Set(offer.reservation.number),
            tenant: Set(tenant.to_string()),
            at_ms: Set(offer.at.as_millis()),
            contact_id: Set(Some(offer.contact.to_string())),
            queue_id: Set(Some(offer.queue.to_string())),
            decision: Set(Some(offer.decision.clone())),
            bids: Set(None),
        });
        decision::Entity::insert_many(rows)
            .on_conflict(told.clone())
            .exec_without_returning(txn)
            .await
            .map_err(fault)?;
        let contacts: BTreeSet<_> = chunk.iter().map(|(_, offer)| offer.contact).collect();
        trim(txn, &contacts).await?;
    }
    Ok(())
}

/// Keeps what agents had bids of.
pub(super) async fn learn_bids(
    txn: &impl ConnectionTrait,
    bids: &[(TenantId, &Bids)],
) -> Result<(), Fault> {
    use decision::Column;
    let told = OnConflict::columns([Column::AgentId, Column::Reservation])
        .update_column(Column::Bids)
        .to_owned();
    let bids: BTreeMap<_, _> = bids
        .iter()
        .map(|(tenant, bids)| (bids.reservation, (*tenant, *bids)))
        .collect();
    let bids: Vec<_> = bids.into_values().collect();
    for chunk in bids.chunks(CONTACTS) {
        let rows = chunk.iter().map(|(tenant, bids)| decision::ActiveModel {
            agent_id: Set(bids.reservation.agent.to_string()),
            reservation: Set(bids.reservation.number),
            tenant: Set(tenant.to_string()),
            at_ms: Set(bids.at.as_millis()),
            contact_id: Set(None),
            queue_id: Set(None),
            decision: Set(None),
            bids: Set(Some(bids.compared.clone())),
        });
        decision::Entity::insert_many(rows)
            .on_conflict(told.clone())
            .exec_without_returning(txn)
            .await
            .map_err(fault)?;
    }
    Ok(())
}

/// Removes the offers of these contacts that are too many. Few contacts have so many, so one question finds them.
async fn trim(txn: &impl ConnectionTrait, contacts: &BTreeSet<ContactId>) -> Result<(), Fault> {
    use decision::Column;
    let many = decision::Entity::find()
        .select_only()
        .column(Column::ContactId)
        .filter(Column::ContactId.is_in(contacts.iter().map(ToString::to_string)))
        .group_by(Column::ContactId)
        .having(Column::Reservation.count().gt(OFFERS))
        .into_tuple::<String>()
        .all(txn)
        .await
        .map_err(fault)?;
    let many: BTreeSet<_> = many.into_iter().filter_map(|id| id.parse().ok()).collect();
    for contact in many {
        let old = latest(contact)
            .offset(OFFERS)
            .limit(REMOVED)
            .all(txn)
            .await
            .map_err(fault)?;
        for row in old {
            decision::Entity::delete_by_id((row.agent_id, row.reservation))
                .exec(txn)
                .await
                .map_err(fault)?;
        }
    }
    Ok(())
}

/// The offers of a contact, the latest first.
fn latest(contact: ContactId) -> sea_orm::Select<decision::Entity> {
    use decision::Column;
    decision::Entity::find()
        .filter(Column::ContactId.eq(contact.to_string()))
        .order_by_desc(Column::AtMs)
        .order_by_desc(Column::AgentId)
        .order_by_desc(Column::Reservation)
}

fn decided(row: decision::Model) -> Decided {
    Decided {
        agent: row.agent_id,
        reservation: row.reservation,
        at: Timestamp::from_millis(row.at_ms),
        queue: row.queue_id.unwrap_or_default(),
        decision: row.decision.unwrap_or_default(),
        bids: row.bids,
    }
}
