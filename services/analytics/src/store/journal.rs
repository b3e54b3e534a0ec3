//! The events that live figures are made of, kept for a day and a little: whoever keeps figures in memory reads them
//! after a restart.

use super::{Store, entity::journal};
use crate::core::stay::Left;
use centro_bus::Event;
use centro_kernel::{ContactId, Fault, QueueId, Timestamp};
use centro_proto::{events as pb, types};
use centro_store::fault;
use prost::Message;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use std::time::Duration;

/// How long events are kept: the longest day has 25 hours.
pub(crate) const KEPT: Duration = Duration::from_secs(26 * 3600);
/// Events read at once.
pub(crate) const PAGE: u64 = 500;
/// Rows written by one statement.
const ROWS: usize = 500;
/// The watermark that says since when the journal is complete.
const BEGAN: i32 = 2;
/// What figures are made of.
const KINDS: &[&str] = &[
    "routing.contact.queued",
    "routing.contact.offer_ended",
    "routing.contact.connected",
    "routing.contact.left",
    "routing.contact.wrap_up_ended",
    "routing.agent.state_changed",
];

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub kind: String,
    pub at: Timestamp,
    /// The encoded message of its kind.
    pub data: Vec<u8>,
}

impl Kept {
    /// `None`: no figure is made of it.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        KINDS.contains(&event.kind.as_str()).then(|| Self {
            kind: event.kind.clone(),
            at: event.time,
            data: event.data.to_vec(),
        })
    }

    /// A contact that waited when its process died.
    pub(super) fn left(contact: ContactId, queue: QueueId, left: Left) -> Self {
        let data = pb::ContactLeft {
            contact_id: contact.to_string(),
            queue_id: queue.to_string(),
            agent_id: String::new(),
            outcome: types::Outcome::EvictedSystem.into(),
            reason: crate::words::left_reason_out(left.reason).into(),
            enqueue_time: Some(crate::words::time_out(left.at - left.wait)),
            wait_ms: u64::try_from(left.wait.as_millis()).unwrap_or(u64::MAX),
        };
        Self {
            kind: "routing.contact.left".to_owned(),
            at: left.at,
            data: data.encode_to_vec(),
        }
    }

    /// An agent who was logged in when the process died, and did this.
    pub(super) fn logged_out(agent: String, state: i32, at: Timestamp) -> Self {
        let data = pb::AgentStateChanged {
            agent_id: agent,
            state: types::AgentState::LoggedOut.into(),
            since: Some(crate::words::time_out(at)),
            chosen: types::AgentState::LoggedOut.into(),
            previous_state: state,
            ..Default::default()
        };
        Self {
            kind: "routing.agent.state_changed".to_owned(),
            at,
            data: data.encode_to_vec(),
        }
    }
}

/// An event of the journal, and where it stands there.
pub(crate) struct Read {
    pub place: i64,
    pub tenant: String,
    pub kept: Kept,
}

/// When the latest event that is kept happened.
pub(super) async fn last(txn: &impl ConnectionTrait) -> Result<Option<Timestamp>, Fault> {
    use journal::Column;
    let last = journal::Entity::find()
        .select_only()
        .column(Column::AtMs)
        .order_by_desc(Column::AtMs)
        .into_tuple::<i64>()
        .one(txn)
        .await;
    Ok(last.map_err(fault)?.map(Timestamp::from_millis))
}

impl Store {
    /// From here on everything is kept, unless it was before.
    pub(super) async fn begin_journal(&self, now: Timestamp) -> Result<(), Fault> {
        use super::entity::watermark;
        let row = watermark::ActiveModel {
            id: Set(BEGAN),
            at_ms: Set(now.as_millis()),
        };
        watermark::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(&self.writer)
            .await
            .map_err(fault)?;
        Ok(())
    }

    /// Since when nothing is missing.
    pub(crate) async fn journal_complete_since(&self, now: Timestamp) -> Result<Timestamp, Fault> {
        let began = super::entity::watermark::Entity::find_by_id(BEGAN)
            .one(&self.readers)
            .await
            .map_err(fault)?;
        let began = began.map_or(now, |row| Timestamp::from_millis(row.at_ms));
        Ok(began.max(now - KEPT))
    }

    /// The next events of the span after this place, in the order in which they were heard.
    pub(crate) async fn journal(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: i64,
    ) -> Result<Vec<Read>, Fault> {
        use journal::Column;
        let rows = journal::Entity::find()
            .filter(Column::Place.gt(after))
            .filter(Column::AtMs.gte(from.as_millis()))
            .filter(Column::AtMs.lt(to.as_millis()))
            .order_by_asc(Column::Place)
            .limit(PAGE)
            .all(&self.readers.of_all())
            .await
            .map_err(fault)?;
        let read = rows.into_iter().map(|row| Read {
            place: row.place,
            tenant: row.tenant,
            kept: Kept {
                kind: row.kind,
                at: Timestamp::from_millis(row.at_ms),
                data: row.data,
            },
        });
        Ok(read.collect())
    }

    /// Forgets events from before `before`.
    pub(crate) async fn forget_journal(&self, before: Timestamp) -> Result<u64, Fault> {
        let gone = journal::Entity::delete_many()
            .filter(journal::Column::AtMs.lt(before.as_millis()))
            .exec(&self.writer.of_all())
            .await
            .map_err(fault)?;
        Ok(gone.rows_affected)
    }
}

/// Keeps events, in the transaction that counts them.
pub(super) async fn keep(
    txn: &impl ConnectionTrait,
    kept: Vec<(String, Kept)>,
) -> Result<(), Fault> {
    let mut rows = kept.into_iter().map(|(tenant, kept)| journal::ActiveModel {
        tenant: Set(tenant),
        kind: Set(kept.kind),
        at_ms: Set(kept.at.as_millis()),
        data: Set(kept.data),
        ..Default::default()
    });
    loop {
        let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        journal::Entity::insert_many(chunk)
            .exec_without_returning(txn)
            .await
            .map_err(fault)?;
    }
}
