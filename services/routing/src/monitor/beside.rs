//! Contacts that wait although a free agent could serve them, for longer than it takes to ask the agent.

use super::{Actor, Monitor, agent, round::Round, sweep::breach, unseen::Unseen};
use crate::router::Router;
use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, UserId};
use centro_routing_core::{
    Queue, Strategy,
    invariants::{self, Broken},
};
use futures::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Looks in a row at which the same pair is seen before its agent is asked. They are 5 s apart: 10 s are twice what it takes
/// to notice that a message was lost.
const LOOKS: u32 = 3;
/// Queues that one look asks: those with a pair at the look before, and as many others as there is room for.
pub const MOST: usize = 64;
/// Queues and agents that one look passes when it looks for them.
const WALKED: usize = 16_384;
/// Free agents of one queue that are looked at, and pairs that are told of it.
const AGENTS: usize = 16;
const PAIRS: usize = 4;

/// A contact and a free agent, with the agent's version.
pub type Pair = (UserId, u64, ContactId);

/// A queue in which pairs were seen.
struct Suspect {
    tenant: TenantId,
    pairs: Vec<Pair>,
    /// At how many looks in a row.
    looks: u32,
}

/// What was seen at the looks before.
#[derive(Default)]
pub struct Beside {
    round: Round<Actor>,
    suspects: BTreeMap<QueueId, Suspect>,
}

impl Beside {
    /// What was seen is no longer true.
    pub fn forget(&mut self) {
        self.suspects.clear();
    }

    /// Looks at the suspects again and at the queues whose turn it is. A queue is a suspect for [`LOOKS`] looks at most,
    /// with the pairs of the first: so the turn of every other comes.
    pub async fn look(&mut self, router: &Arc<Router>, monitor: &Monitor, now: Timestamp) {
        let mut asked = std::mem::take(&mut self.suspects);
        self.add_next(router, monitor, &mut asked);
        let seen = join_all(asked.iter().map(|(queue, suspect)| {
            let seen = router.look_at_queue(suspect.tenant, *queue, pairs);
            async { seen.await.unwrap_or_default() }
        }));
        let mut long = Vec::new();
        for ((queue, mut suspect), seen) in asked.into_iter().zip(seen.await) {
            match suspect.looks {
                0 => suspect.pairs = seen,
                _ => suspect.pairs.retain(|pair| seen.contains(pair)),
            }
            suspect.looks += 1;
            if suspect.looks >= LOOKS {
                let pairs = suspect.pairs.into_iter();
                long.extend(pairs.map(|pair| (suspect.tenant, queue, pair)));
            } else if !suspect.pairs.is_empty() {
                self.suspects.insert(queue, suspect);
            }
        }
        let free = long
            .iter()
            .map(|(tenant, queue, (agent, ver, _))| is_free(router, *tenant, *queue, *agent, *ver));
        let free = join_all(free).await;
        for ((tenant, queue, (free, _, contact)), _) in
            long.into_iter().zip(free).filter(|(_, free)| *free)
        {
            let who = (Actor::Queue(queue), vec![agent(free)]);
            let rule = Broken::WaitsBesideFree;
            monitor.broken(breach(rule, now, tenant, who, Some(contact)));
        }
    }

    /// Adds those whose turn it is.
    fn add_next(
        &mut self,
        router: &Router,
        monitor: &Monitor,
        asked: &mut BTreeMap<QueueId, Suspect>,
    ) {
        let room = MOST.saturating_sub(asked.len());
        let cells = monitor.cells.lock();
        let (next, more) = self.round.next(&cells, WALKED, room, |actor, cell| {
            let Actor::Queue(queue) = actor else {
                return None;
            };
            let new = !asked.contains_key(&queue) && router.live.waits_beside_ready(queue);
            new.then_some((queue, cell.tenant))
        });
        drop(cells);
        monitor.unlooked.add(Unseen::Queue, more);
        asked.extend(next.into_iter().map(|(queue, tenant)| {
            let suspect = Suspect {
                tenant,
                pairs: Vec::new(),
                looks: 0,
            };
            (queue, suspect)
        }));
    }
}

/// Contacts that wait for nobody's answer, each beside an agent who is free as far as the queue knows.
pub fn pairs(queue: &Queue) -> Vec<Pair> {
    if queue.settings().strategy == Strategy::ManualPick {
        return Vec::new();
    }
    let asked = queue.bids().filter(|(.., stands)| *stands);
    let asked: BTreeSet<_> = asked.map(|(agent, ..)| agent).collect();
    let free = queue
        .agents()
        .filter(|a| a.free && !asked.contains(&a.agent));
    let beside = free.take(AGENTS).filter_map(|a| {
        let contact = invariants::asks_for(queue, a.agent)?;
        Some((a.agent, a.ver, contact))
    });
    beside.take(PAIRS).collect()
}

/// Whether the agent's own record says so.
async fn is_free(
    router: &Arc<Router>,
    tenant: TenantId,
    queue: QueueId,
    agent: UserId,
    ver: u64,
) -> bool {
    let free = router.look_at_agent(tenant, agent, move |agent| {
        let record = agent.record();
        let membership = record.membership(queue);
        record.ver == ver
            && !agent.is_soliciting()
            && membership.is_some_and(|m| record.room_for(m))
    });
    free.await.unwrap_or(false)
}
