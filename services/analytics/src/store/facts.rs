//! Writing facts: a batch of events is one transaction, and counted once.

use super::{
    Store,
    decisions::{self, Bids, Offer},
    entity::{agent_interval, stay, watermark},
    journal::{self, Kept},
    millis,
};
use crate::core::{
    Doing, Fact, Stay, Timeline,
    stay::{self as stays, Caller},
};
use centro_kernel::{ContactId, EventId, Fault, TenantId, Timestamp, UserId};
use centro_store::{fault, inbox};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QueryOrder, QuerySelect, sea_query::OnConflict,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

/// Agents whose latest interval is kept at hand.
const AGENTS_AT_HAND: usize = 20_000;
/// Rows written by one statement: PostgreSQL binds at most 65,535 values, SQLite 32,766.
const ROWS: usize = 500;
/// How long before its death a process's conversations may have begun and still be closed.
const LONGEST_CONVERSATION: Duration = Duration::from_secs(24 * 3600);

/// A change of an agent's state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AgentChange {
    pub agent: UserId,
    pub doing: Doing,
    pub since: Timestamp,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Contact(Fact),
    Agent(AgentChange),
    /// An offer is a fact of the contact, and has its reasons.
    Offered(Fact, Offer),
    Bids(Bids),
}

/// An event, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub id: EventId,
    pub tenant: TenantId,
    pub said: Said,
    /// How the journal keeps it, if it does.
    pub kept: Option<Kept>,
}

/// What the writer keeps at hand between batches; only what was committed, and only while no other process writes.
#[derive(Default)]
pub(crate) struct AtHand {
    agents: HashMap<UserId, Timeline>,
    turn: i64,
}

impl Store {
    /// Writes a batch of events. Those that were written before change nothing. When it fails nothing was written.
    pub(crate) async fn learn(
        &self,
        at_hand: &mut AtHand,
        batch: &[Heard],
        callers: &HashMap<ContactId, Caller>,
    ) -> Result<(), Fault> {
        let txn = self.writer.of_all().begin().await.map_err(fault)?;
        let turn = self.turn(&txn).await?;
        if turn != at_hand.turn + 1 {
            at_hand.agents.clear();
        }
        let mut new =
            inbox::first_times(&txn, batch.iter().map(|heard| heard.id), self.clock.now()).await?;
        let first: Vec<_> = batch.iter().filter(|heard| new.remove(&heard.id)).collect();
        let fresh: Vec<_> = first.iter().map(|h| (h.tenant, &h.said)).collect();
        let kept = first
            .iter()
            .filter_map(|h| Some((h.tenant.to_string(), h.kept.clone()?)));
        journal::keep(&txn, kept.collect()).await?;
        learn_contacts(&txn, &fresh, callers).await?;
        learn_decisions(&txn, &fresh).await?;
        let agents = learn_agents(&txn, &at_hand.agents, &fresh).await?;
        txn.commit().await.map_err(fault)?;
        at_hand.turn = turn;
        if at_hand.agents.len() > AGENTS_AT_HAND {
            at_hand.agents.clear();
        }
        at_hand.agents.extend(agents);
        Ok(())
    }

    /// Closes what was open when the process died: it lived until the watermark, or until the last event that it told of.
    /// Returns how many stays and intervals.
    pub(crate) async fn close_open(&self) -> Result<(usize, u64), Fault> {
        let txn = self.writer.of_all().begin().await.map_err(fault)?;
        self.turn(&txn).await?;
        let Some(mark) = watermark::Entity::find_by_id(1)
            .one(&txn)
            .await
            .map_err(fault)?
        else {
            return Ok((0, 0));
        };
        // Whoever came after the watermark cannot have left before it was told to be there.
        let told = journal::last(&txn).await?;
        let died = Timestamp::from_millis(mark.at_ms).max(told.unwrap_or_default());
        let mark = died.as_millis();
        let talking = Condition::all()
            .add(stay::Column::SettledMs.gte(mark - millis(LONGEST_CONVERSATION)))
            .add(stay::Column::EndMs.is_null());
        let open = Condition::any()
            .add(stay::Column::SettledMs.is_null())
            .add(talking);
        let rows = stay::Entity::find()
            .filter(open)
            .all(&txn)
            .await
            .map_err(fault)?;
        let (mut closed, mut kept) = (Vec::new(), Vec::new());
        for row in rows {
            let tenant = row.tenant.clone();
            if let Some(mut stay) = row.into_stay()
                && stay.enqueued.is_some()
                && stay.is_open()
            {
                let waited = stay.left.is_none() && stay.connected.is_none();
                stay.close_at(died);
                if let Some(left) = stay.left.filter(|_| waited) {
                    kept.push((tenant.clone(), Kept::left(stay.contact, stay.queue, left)));
                }
                closed.push(stay::Model::of(&tenant, &stay));
            }
        }
        let stays = closed.len();
        write_stays(&txn, closed).await?;
        let intervals = close_intervals(&txn, mark, &mut kept).await?;
        journal::keep(&txn, kept).await?;
        txn.commit().await.map_err(fault)?;
        Ok((stays, intervals))
    }
}

async fn close_intervals(
    txn: &impl ConnectionTrait,
    mark: i64,
    kept: &mut Vec<(String, Kept)>,
) -> Result<u64, Fault> {
    use agent_interval::{Column, Entity};
    let open = Entity::find()
        .filter(Column::EndMs.is_null())
        .all(txn)
        .await
        .map_err(fault)?;
    let closed: Vec<_> = open
        .into_iter()
        .map(|row| agent_interval::Model {
            end_ms: Some(Ord::max(mark, row.start_ms)),
            ..row
        })
        .collect();
    let logged_out = i32::from(centro_proto::types::AgentState::LoggedOut);
    for row in closed.iter().filter(|row| row.state != logged_out) {
        let at = Timestamp::from_millis(row.end_ms.unwrap_or(mark));
        let out = Kept::logged_out(row.agent_id.clone(), row.state, at);
        kept.push((row.tenant.clone(), out));
    }
    let count = closed.len() as u64;
    write_intervals(txn, closed).await?;
    Ok(count)
}

async fn learn_decisions(
    txn: &impl ConnectionTrait,
    fresh: &[(TenantId, &Said)],
) -> Result<(), Fault> {
    let offers: Vec<_> = fresh
        .iter()
        .filter_map(|(tenant, said)| match said {
            Said::Offered(_, offer) => Some((*tenant, offer)),
            _ => None,
        })
        .collect();
    let bids: Vec<_> = fresh
        .iter()
        .filter_map(|(tenant, said)| match said {
            Said::Bids(bids) => Some((*tenant, bids)),
            _ => None,
        })
        .collect();
    decisions::learn_offers(txn, &offers).await?;
    decisions::learn_bids(txn, &bids).await
}

async fn learn_contacts(
    txn: &impl ConnectionTrait,
    fresh: &[(TenantId, &Said)],
    callers: &HashMap<ContactId, Caller>,
) -> Result<(), Fault> {
    let facts: Vec<_> = fresh
        .iter()
        .filter_map(|(tenant, said)| match said {
            Said::Contact(fact) | Said::Offered(fact, _) => Some((*tenant, fact)),
            Said::Agent(_) | Said::Bids(_) => None,
        })
        .collect();
    if facts.is_empty() {
        return Ok(());
    }
    let contacts: BTreeSet<_> = facts.iter().map(|(_, fact)| fact.contact).collect();
    let mut known: BTreeMap<ContactId, Vec<Stay>> = BTreeMap::new();
    let rows = stay::Entity::find()
        .filter(stay::Column::ContactId.is_in(contacts.iter().map(ToString::to_string)))
        .order_by_asc(stay::Column::ContactId)
        .order_by_asc(stay::Column::Ordinal)
        .all(txn)
        .await
        .map_err(fault)?;
    for stay in rows.into_iter().filter_map(stay::Model::into_stay) {
        known.entry(stay.contact).or_default().push(stay);
    }
    let mut touched = BTreeMap::new();
    for (tenant, fact) in facts {
        let of_contact = known.entry(fact.contact).or_default();
        for ordinal in stays::learn(of_contact, fact) {
            touched.insert((fact.contact, ordinal), tenant);
        }
    }
    let mut rows = Vec::with_capacity(touched.len());
    for ((contact, ordinal), tenant) in touched {
        let of_contact = known.get_mut(&contact);
        let Some(stay) = of_contact.and_then(|all| all.iter_mut().find(|s| s.ordinal == ordinal))
        else {
            continue;
        };
        if stay.caller == Caller::default()
            && let Some(caller) = callers.get(&contact)
        {
            stay.caller = caller.clone();
        }
        rows.push(stay::Model::of(&tenant.to_string(), stay));
    }
    write_stays(txn, rows).await
}

async fn learn_agents(
    txn: &impl ConnectionTrait,
    at_hand: &HashMap<UserId, Timeline>,
    fresh: &[(TenantId, &Said)],
) -> Result<HashMap<UserId, Timeline>, Fault> {
    let mut timelines: HashMap<UserId, Timeline> = HashMap::new();
    let mut touched: HashSet<(UserId, Timestamp)> = HashSet::new();
    let mut tenants = HashMap::new();
    let changes = || {
        fresh.iter().filter_map(|(tenant, said)| match said {
            Said::Agent(change) => Some((*tenant, change)),
            Said::Contact(_) | Said::Offered(..) | Said::Bids(_) => None,
        })
    };
    let mut earliest: BTreeMap<UserId, Timestamp> = BTreeMap::new();
    for (tenant, change) in changes() {
        tenants.insert(change.agent, tenant);
        let first = earliest.entry(change.agent).or_insert(change.since);
        *first = Ord::min(*first, change.since);
    }
    for (agent, since) in earliest {
        let latest = at_hand.get(&agent).filter(|timeline| {
            timeline
                .latest()
                .is_some_and(|latest| latest.start <= since)
        });
        let timeline = match latest {
            Some(timeline) => timeline.clone(),
            None => read_timeline(txn, agent, since).await?,
        };
        timelines.insert(agent, timeline);
    }
    for (_, change) in changes() {
        if let Some(timeline) = timelines.get_mut(&change.agent) {
            let starts = timeline.place(&change.doing, change.since);
            touched.extend(starts.into_iter().map(|start| (change.agent, start)));
        }
    }
    let rows = touched.into_iter().filter_map(|(agent, start)| {
        let interval = timelines.get(&agent)?.get(start)?;
        Some(agent_interval::Model::of(
            *tenants.get(&agent)?,
            agent,
            interval,
        ))
    });
    write_intervals(txn, rows.collect()).await?;
    for timeline in timelines.values_mut() {
        timeline.trim();
    }
    Ok(timelines)
}

/// The agent's intervals from the one that `since` falls into.
async fn read_timeline(
    txn: &impl ConnectionTrait,
    agent: UserId,
    since: Timestamp,
) -> Result<Timeline, Fault> {
    use agent_interval::{Column, Entity};
    let of_agent = || Entity::find().filter(Column::AgentId.eq(agent.to_string()));
    let before = of_agent()
        .filter(Column::StartMs.lt(since.as_millis()))
        .order_by_desc(Column::StartMs)
        .limit(1)
        .all(txn)
        .await
        .map_err(fault)?;
    let after = of_agent()
        .filter(Column::StartMs.gte(since.as_millis()))
        .all(txn)
        .await
        .map_err(fault)?;
    Ok(Timeline::of(
        before
            .into_iter()
            .chain(after)
            .map(agent_interval::Model::into_interval),
    ))
}

async fn write_stays(txn: &impl ConnectionTrait, rows: Vec<stay::Model>) -> Result<(), Fault> {
    use stay::Column;
    let key = [Column::ContactId, Column::Ordinal];
    let replace = OnConflict::columns(key)
        .update_columns(
            Column::iter().filter(|column| !matches!(column, Column::ContactId | Column::Ordinal)),
        )
        .to_owned();
    for chunk in rows.chunks(ROWS) {
        stay::Entity::insert_many(chunk.iter().cloned().map(all_set))
            .on_conflict(replace.clone())
            .exec_without_returning(txn)
            .await
            .map_err(fault)?;
    }
    Ok(())
}

async fn write_intervals(
    txn: &impl ConnectionTrait,
    rows: Vec<agent_interval::Model>,
) -> Result<(), Fault> {
    use agent_interval::Column;
    let replace = OnConflict::columns([Column::AgentId, Column::StartMs])
        .update_columns([
            Column::State,
            Column::PauseReason,
            Column::Unreachable,
            Column::EndMs,
        ])
        .to_owned();
    for chunk in rows.chunks(ROWS) {
        agent_interval::Entity::insert_many(chunk.iter().cloned().map(all_set))
            .on_conflict(replace.clone())
            .exec_without_returning(txn)
            .await
            .map_err(fault)?;
    }
    Ok(())
}

/// A row with every column to be written, as an insert that replaces needs it.
fn all_set<M, A>(model: M) -> A
where
    M: IntoActiveModel<A>,
    A: sea_orm::ActiveModelTrait,
{
    model.into_active_model().reset_all()
}
