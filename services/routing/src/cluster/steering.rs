//! Fulfils an operator's wish and measures what it meant to those who wait.

use super::{
    lines::{Comparison, Lines},
    plan::{Plan, Wish, owner, plan, token},
    status::status,
};
use crate::{
    store::{Active, HotStore, RedisStore, Shared},
    wire,
};
use centro_cluster::{
    Shard,
    lease::{Look, Token},
    redis::{Error, Settings, Table},
};
use centro_kernel::{Code, Fault, QueueId};
use centro_proto::routing::{ClusterStatus, HandOver};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a hand-over is watched. It takes less than a second; what has not happened by then follows by itself.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often it is looked whether it is done.
const STEP: Duration = Duration::from_millis(20);
/// Records read at once.
const AT_ONCE: usize = 16;

/// Sees and steers a cluster from outside. Cheap to clone.
#[derive(Clone)]
pub struct Steering {
    table: Table,
    store: RedisStore,
}

impl Steering {
    /// That of the cluster whose table is there. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn new(redis: &Settings) -> Result<Self, Error> {
        let table = Table::new(redis)?;
        let shared = Shared {
            redis: redis.clone(),
            nonce: Arc::from(""),
        };
        let store = RedisStore::new(&shared, 1);
        let store = store.map_err(|e| Error::Settings(format!("cluster.redis.url: {e}")))?;
        Ok(Self { table, store })
    }

    /// The cluster as it is now.
    ///
    /// # Errors
    /// `unavailable`: Redis is away.
    pub async fn status(&self) -> Result<ClusterStatus, Fault> {
        let look = self.look().await?;
        let outbox = self.store.backlog(Shard::all()).await.map_err(away)?;
        Ok(status(&look, outbox))
    }

    /// Moves a shard and pins it.
    ///
    /// # Errors
    /// `shard_unknown`, `node_unknown`, `node_role_missing`, `node_draining`, `shard_already_there`, `unavailable`.
    pub async fn move_shard(&self, shard: u32, node: &str) -> Result<HandOver, Fault> {
        self.fulfil(Wish::Move(shard, node)).await
    }

    /// Undoes a move.
    ///
    /// # Errors
    /// `shard_unknown`, `shard_not_pinned`, `unavailable`.
    pub async fn unpin(&self, shard: u32) -> Result<HandOver, Fault> {
        self.fulfil(Wish::Unpin(shard)).await
    }

    /// Gives all shards of a process to the others, for as long as it is not resumed.
    ///
    /// # Errors
    /// `node_unknown`, `node_draining`, `node_last`, `unavailable`.
    pub async fn drain(&self, node: &str) -> Result<HandOver, Fault> {
        self.fulfil(Wish::Drain(node)).await
    }

    /// Lets a drained process work again.
    ///
    /// # Errors
    /// `node_unknown`, `node_not_drained`, `unavailable`.
    pub async fn resume(&self, node: &str) -> Result<HandOver, Fault> {
        self.fulfil(Wish::Resume(node)).await
    }

    async fn fulfil(&self, wish: Wish<'_>) -> Result<HandOver, Fault> {
        let before = self.look().await?;
        let plan = plan(&before, wish)?;
        let lines = self.lines(&plan).await?;
        let began = Instant::now();
        let ordered = match (wish, plan.shard) {
            (Wish::Move(_, node), Some(shard)) => self.table.pin(shard, node).await,
            (Wish::Unpin(_), Some(shard)) => self.table.unpin(shard).await,
            (Wish::Drain(node), _) => self.table.set_aside(node).await,
            (Wish::Resume(node), _) => self.table.take_back(node).await,
            (Wish::Move(..) | Wish::Unpin(_), None) => Ok(()),
        };
        ordered.map_err(fault)?;
        let (now, compared) = self.watch(&before, &plan, &lines, began).await?;
        let took = began.elapsed();
        let moved = plan.moves.keys().filter(|s| has_moved(&before, &now, **s));
        let moved: Vec<_> = moved.copied().collect();
        let pauses = self.table.pauses().await.map_err(fault)?;
        let longest = moved.iter().filter_map(|shard| {
            let (epoch, pause) = pauses.get(shard)?;
            (token(&now, *shard)?.epoch == *epoch).then_some(*pause)
        });
        let calls = match wish {
            Wish::Drain(node) => now.sessions.iter().find(|s| *s.name == *node),
            Wish::Move(..) | Wish::Unpin(_) | Wish::Resume(_) => None,
        };
        Ok(HandOver {
            shards: count(moved.len()),
            shards_open: count(plan.moves.len() - moved.len()),
            contacts_before: compared.before,
            contacts_after: compared.after,
            contacts_left: compared.left,
            contacts_lost: compared.lost,
            positions_unchanged: compared.unchanged,
            contacts_attached: compared.attached,
            longest_pause: longest.max().map(wire::span),
            took: Some(wire::span(took)),
            node: (plan.shard)
                .and_then(|shard| owner(&now, shard))
                .map(|owner| owner.name.to_string())
                .unwrap_or_default(),
            calls: calls.map_or(0, |session| session.work),
        })
    }

    /// Waits until every shard of the plan has a new owner and everybody is attached to it.
    async fn watch(
        &self,
        before: &Look,
        plan: &Plan,
        lines: &Lines,
        began: Instant,
    ) -> Result<(Look, Comparison), Fault> {
        loop {
            let now = self.look().await?;
            let late = began.elapsed() >= PATIENCE;
            if late
                || plan
                    .moves
                    .keys()
                    .all(|shard| has_moved(before, &now, *shard))
            {
                let compared = lines.compare(&self.records(lines).await?);
                if late || compared.is_complete() {
                    return Ok((now, compared));
                }
            }
            tokio::time::sleep(STEP).await;
        }
    }

    async fn look(&self) -> Result<Look, Fault> {
        self.table.look().await.map_err(fault)
    }

    /// Who waits in the queues of the plan's shards.
    async fn lines(&self, plan: &Plan) -> Result<Lines, Fault> {
        let actives = stream::iter(plan.moves.keys().copied())
            .map(|shard| self.store.active(shard))
            .buffer_unordered(AT_ONCE);
        let actives: Vec<Vec<Active>> = actives.try_collect().await.map_err(|_| hot_away())?;
        let queues = actives
            .into_iter()
            .flatten()
            .filter_map(|active| match active {
                Active::Queue(_, queue) => Some(queue),
                Active::Agent(..) => None,
            });
        let mut lines = Lines::default();
        for (queue, record) in self.read(queues).await? {
            lines.add(queue, &record);
        }
        Ok(lines)
    }

    async fn records(
        &self,
        lines: &Lines,
    ) -> Result<BTreeMap<QueueId, centro_routing_core::QueueRecord>, Fault> {
        self.read(lines.queues()).await
    }

    async fn read(
        &self,
        queues: impl Iterator<Item = QueueId>,
    ) -> Result<BTreeMap<QueueId, centro_routing_core::QueueRecord>, Fault> {
        let read = async |queue| {
            Ok((
                queue,
                self.store.load_queue(queue).await.map_err(|_| hot_away())?,
            ))
        };
        let queues: Vec<_> = queues.collect();
        stream::iter(queues)
            .map(read)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// Whether somebody else has the shard now.
fn has_moved(before: &Look, now: &Look, shard: Shard) -> bool {
    let nonce = |token: Token| token.nonce;
    let was = token(before, shard).map(nonce);
    let is = owner(now, shard).map(|owner| owner.nonce.clone());
    is.is_some() && is != was
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn fault(error: Error) -> Fault {
    Fault::new(Code::Unavailable, "unavailable", error)
}

fn away(error: centro_cluster::redis::Away) -> Fault {
    Fault::new(Code::Unavailable, "unavailable", error)
}

fn hot_away() -> Fault {
    let text = "the hot state cannot be read; the log has the cause";
    Fault::new(Code::Unavailable, "unavailable", text)
}
