//! What no single step shows: suspicions whose grace is over, deadlines that passed, contacts beside free agents.

use super::{
    Actor, Breach, Monitor, SWEEP, agent,
    contacts::{Place, Suspicion},
};
use crate::router::Router;
use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, UserId};
use centro_routing_core::{
    Queue, SlotPhase, Strategy,
    invariants::{self, Broken},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

/// The slow questions are asked every so many sweeps.
const SLOW: u32 = 5;
/// How late a deadline may be, beside being late at two slow sweeps.
const LATE: Duration = Duration::from_secs(10);
/// How long a contact may wait beside a free agent: twice what it takes to notice that a message was lost.
const BESIDE: Duration = Duration::from_secs(10);
/// Actors that one sweep asks.
const MOST: usize = 64;
/// Free agents of one queue that are looked at, and pairs that are told of it.
const AGENTS: usize = 16;
const PAIRS: usize = 4;

/// A contact and a free agent, with the agent's version.
pub type Pair = (UserId, u64, ContactId);

/// What was seen at the sweeps before.
#[derive(Default)]
pub struct Sweep {
    count: u32,
    last: Option<Timestamp>,
    late: HashMap<Actor, Timestamp>,
    beside: HashMap<(QueueId, Pair), Timestamp>,
}

impl Sweep {
    /// Looks around once.
    pub async fn look(&mut self, router: &Arc<Router>, monitor: &Monitor) {
        let now = router.now();
        for suspicion in monitor.contacts.due(now).into_iter().take(MOST) {
            if is_confirmed(router, monitor, &suspicion).await {
                tell_places(monitor, now, &suspicion);
            }
        }
        self.count += 1;
        if self.count < SLOW {
            return;
        }
        self.count = 0;
        // After a sleep of the whole machine everything is late, and nobody's fault.
        let slept = |last: Timestamp| now.since(last) > SWEEP * SLOW * 2;
        if self.last.replace(now).is_some_and(slept) {
            self.late.clear();
            self.beside.clear();
            return;
        }
        self.late_ones(router, monitor, now).await;
        self.beside_free(router, monitor, now).await;
    }

    /// Who missed a deadline at this sweep and at the one before.
    async fn late_ones(&mut self, router: &Arc<Router>, monitor: &Monitor, now: Timestamp) {
        let limit = now - LATE;
        let late = monitor.late(limit, MOST);
        let mut still = HashMap::new();
        for (actor, tenant) in late {
            let due = match actor {
                Actor::Queue(queue) => {
                    let due = |queue: &Queue| queue.next_due().map(|(due, _)| due);
                    router.look_at_queue(tenant, queue, due).await
                }
                Actor::Agent(agent) => {
                    let look = router
                        .look_at_agent(tenant, agent, |agent| agent.next_due().map(|(due, _)| due));
                    look.await
                }
            };
            let Ok(Some(due)) = due else { continue };
            if due >= limit {
                continue;
            }
            still.insert(actor, due);
            if self.late.get(&actor) == Some(&due) {
                let rule = match actor {
                    Actor::Queue(_) => Broken::ContactStuck,
                    Actor::Agent(_) => Broken::AgentStuck,
                };
                monitor.broken(breach(rule, now, tenant, (actor, Vec::new()), None));
            }
        }
        self.late = still;
    }

    /// Contacts that wait although a free agent could serve them, for longer than it takes to ask the agent.
    async fn beside_free(&mut self, router: &Arc<Router>, monitor: &Monitor, now: Timestamp) {
        let mut still = HashMap::new();
        for queue in router.live.queues_beside_ready(MOST) {
            let tenant = monitor.tenant_of(Actor::Queue(queue));
            let Some(tenant) = tenant else { continue };
            let pairs = router.look_at_queue(tenant, queue, pairs).await;
            for pair in pairs.unwrap_or_default() {
                let since = *self.beside.get(&(queue, pair)).unwrap_or(&now);
                still.insert((queue, pair), since);
                let (free, ver, contact) = pair;
                if now.since(since) >= BESIDE && is_free(router, tenant, queue, free, ver).await {
                    let who = (Actor::Queue(queue), vec![agent(free)]);
                    let rule = Broken::WaitsBesideFree;
                    monitor.broken(breach(rule, now, tenant, who, Some(contact)));
                }
            }
        }
        self.beside = still;
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

/// Whether all who say that the contact is with them still say so.
async fn is_confirmed(router: &Arc<Router>, monitor: &Monitor, suspicion: &Suspicion) -> bool {
    let (tenant, contact) = (suspicion.tenant, suspicion.contact);
    for (place, _) in suspicion.places {
        // Whoever does not run here has another owner, or none: it is not asked.
        if monitor.tenant_of(place.actor()).is_none() {
            return false;
        }
        let says = match place {
            Place::Waits(queue) => {
                let look = move |queue: &Queue| queue.entry(contact).is_some();
                router.look_at_queue(tenant, queue, look).await
            }
            Place::Talks(agent) => {
                let look = router.look_at_agent(tenant, agent, move |agent| {
                    let mut slots = agent.record().slots.iter();
                    slots.any(|s| s.phase == SlotPhase::Connected && s.contact == Some(contact))
                });
                look.await
            }
        };
        if !says.unwrap_or(false) {
            return false;
        }
    }
    true
}

fn tell_places(monitor: &Monitor, now: Timestamp, suspicion: &Suspicion) {
    let [(first, _), (second, _)] = suspicion.places;
    let who = (first.actor(), vec![second.actor()]);
    let contact = Some(suspicion.contact);
    monitor.broken(breach(suspicion.rule, now, suspicion.tenant, who, contact));
}

fn breach(
    rule: Broken,
    at: Timestamp,
    tenant: TenantId,
    (actor, others): (Actor, Vec<Actor>),
    contact: Option<ContactId>,
) -> Breach {
    Breach {
        rule,
        at,
        tenant,
        actor,
        others,
        contact,
        window: Vec::new(),
    }
}
