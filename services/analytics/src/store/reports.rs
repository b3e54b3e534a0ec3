//! Reading facts, always for one tenant.

use super::{
    Store,
    entity::{agent_interval, stay},
};
use crate::core::{Booking, Interval, Span, Stay};
use centro_kernel::{Fault, QueueId, TenantId, Timestamp, UserId};
use centro_store::{Db, fault};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Rows read at once for a sum.
const CHUNK: u64 = 2_000;

/// The key of a list of stays: entry, contact, ordinal.
pub(crate) type StayKey = (i64, String, i32);
/// The key of a list of intervals: start, agent.
pub(crate) type IntervalKey = (i64, String);
/// A stay that has begun, and its place in a list.
pub(crate) type StayRow = (Stay, StayKey);
/// An agent's interval.
pub(crate) type IntervalRow = (UserId, Interval);

/// Which stays or intervals.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filter {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Empty: all of them.
    pub queues: Vec<QueueId>,
}

impl Filter {
    fn of_tenant(&self, tenant: TenantId) -> Condition {
        let of_tenant = Condition::all().add(stay::Column::Tenant.eq(tenant.to_string()));
        if self.queues.is_empty() {
            return of_tenant;
        }
        of_tenant.add(stay::Column::QueueId.is_in(self.queues.iter().map(ToString::to_string)))
    }
}

impl Store {
    /// Stays by entry, the latest first, after `after`.
    pub(crate) async fn stays(
        &self,
        tenant: TenantId,
        filter: &Filter,
        after: Option<StayKey>,
        limit: u64,
    ) -> Result<Vec<StayRow>, Fault> {
        use stay::Column;
        let mut wanted = filter
            .of_tenant(tenant)
            .add(Column::EnqueueMs.is_not_null());
        if let Some(from) = filter.from {
            wanted = wanted.add(Column::EnqueueMs.gte(from.as_millis()));
        }
        if let Some(to) = filter.to {
            wanted = wanted.add(Column::EnqueueMs.lt(to.as_millis()));
        }
        if let Some((entry, contact, ordinal)) = after {
            // The first condition is implied, but lets the index begin at the right place.
            let later = Condition::any()
                .add(Column::EnqueueMs.lt(entry))
                .add(Column::ContactId.lt(contact.as_str()))
                .add(
                    Condition::all()
                        .add(Column::ContactId.eq(contact))
                        .add(Column::Ordinal.lt(ordinal)),
                );
            wanted = wanted.add(Column::EnqueueMs.lte(entry)).add(later);
        }
        let rows = stay::Entity::find()
            .filter(wanted)
            .order_by_desc(Column::EnqueueMs)
            .order_by_desc(Column::ContactId)
            .order_by_desc(Column::Ordinal)
            .limit(limit)
            .all(&self.readers.of(tenant))
            .await
            .map_err(fault)?;
        Ok(rows.into_iter().filter_map(placed).collect())
    }

    /// Shows every stay that a summary of the span may count, each once, in chunks so that memory is bounded.
    pub(crate) async fn each_stay(
        &self,
        tenant: TenantId,
        span: Span,
        queues: &[QueueId],
        booking: Booking,
        mut show: impl FnMut(&Stay) + Send,
    ) -> Result<(), Fault> {
        use stay::Column;
        let filter = Filter {
            queues: queues.to_vec(),
            ..Filter::default()
        };
        let (from, to) = (span.from.as_millis(), span.to.as_millis());
        let entered = filter
            .of_tenant(tenant)
            .add(Column::EnqueueMs.gte(from))
            .add(Column::EnqueueMs.lt(to));
        let db = self.readers.of(tenant);
        walk(&db, entered, Column::EnqueueMs, &mut show).await?;
        if booking == Booking::Event {
            let settled = filter
                .of_tenant(tenant)
                .add(Column::SettledMs.gte(from))
                .add(Column::SettledMs.lt(to))
                .add(Column::EnqueueMs.lt(from));
            walk(&db, settled, Column::SettledMs, &mut show).await?;
        }
        Ok(())
    }

    /// Intervals that touch the span, by start, the oldest first, after `after`.
    pub(crate) async fn intervals(
        &self,
        tenant: TenantId,
        agent: Option<UserId>,
        filter: &Filter,
        after: Option<IntervalKey>,
        limit: u64,
    ) -> Result<Vec<IntervalRow>, Fault> {
        use agent_interval::{Column, Entity};
        let mut wanted = Condition::all().add(Column::Tenant.eq(tenant.to_string()));
        if let Some(agent) = agent {
            wanted = wanted.add(Column::AgentId.eq(agent.to_string()));
        }
        if let Some(from) = filter.from {
            let goes_on = Column::EndMs.is_null();
            wanted = wanted.add(
                Condition::any()
                    .add(goes_on)
                    .add(Column::EndMs.gt(from.as_millis())),
            );
        }
        if let Some(to) = filter.to {
            wanted = wanted.add(Column::StartMs.lt(to.as_millis()));
        }
        if let Some((start, agent)) = after {
            let later = Condition::any()
                .add(Column::StartMs.gt(start))
                .add(Column::AgentId.gt(agent));
            wanted = wanted.add(Column::StartMs.gte(start)).add(later);
        }
        let rows = Entity::find()
            .filter(wanted)
            .order_by_asc(Column::StartMs)
            .order_by_asc(Column::AgentId)
            .limit(limit)
            .all(&self.readers.of(tenant))
            .await
            .map_err(fault)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.agent_id.parse().ok()?, row.into_interval())))
            .collect())
    }
}

async fn walk(
    db: &Db,
    wanted: Condition,
    by: stay::Column,
    show: &mut (impl FnMut(&Stay) + Send),
) -> Result<(), Fault> {
    use stay::Column;
    let mut after: Option<StayKey> = None;
    loop {
        let mut wanted = wanted.clone();
        if let Some((at, contact, ordinal)) = after.take() {
            let later = Condition::any()
                .add(by.gt(at))
                .add(Column::ContactId.gt(contact.as_str()))
                .add(
                    Condition::all()
                        .add(Column::ContactId.eq(contact))
                        .add(Column::Ordinal.gt(ordinal)),
                );
            wanted = wanted.add(by.gte(at)).add(later);
        }
        let rows = stay::Entity::find()
            .filter(wanted)
            .order_by_asc(by)
            .order_by_asc(Column::ContactId)
            .order_by_asc(Column::Ordinal)
            .limit(CHUNK)
            .all(db)
            .await
            .map_err(fault)?;
        let full = rows.len() as u64 == CHUNK;
        after = rows.last().and_then(|row| {
            let at = if matches!(by, Column::SettledMs) {
                row.settled_ms
            } else {
                row.enqueue_ms
            };
            Some((at?, row.contact_id.clone(), row.ordinal))
        });
        rows.into_iter()
            .filter_map(stay::Model::into_stay)
            .for_each(|stay| show(&stay));
        if !full {
            return Ok(());
        }
    }
}

fn placed(row: stay::Model) -> Option<StayRow> {
    let key = (row.enqueue_ms?, row.contact_id.clone(), row.ordinal);
    Some((row.into_stay()?, key))
}
