//! Deadlines that passed, and nobody acted.

use super::{Actor, Monitor, round::Round, sweep::breach, unseen::Unseen};
use crate::router::Router;
use centro_kernel::{TenantId, Timestamp};
use centro_routing_core::{Agent, Queue, invariants::Broken};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};

/// How late a deadline may be, beside being late at two looks.
const LATE: Duration = Duration::from_secs(10);
/// Those whose deadline passed that one look takes down, and the next one asks.
pub const MOST: usize = 64;
/// Queues and agents whose deadline one look reads.
const WALKED: usize = 16_384;

/// Somebody whose deadline passed.
#[derive(Clone, Copy)]
struct Overdue {
    actor: Actor,
    tenant: TenantId,
    due: Timestamp,
}

/// Who was late at the look before.
#[derive(Default)]
pub struct Late {
    round: Round<Actor>,
    seen: Vec<Overdue>,
}

impl Late {
    /// What was seen is no longer true.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Tells of those who were late at the look before and have still not acted, and takes down who is late now.
    pub async fn look(&mut self, router: &Arc<Router>, monitor: &Monitor, now: Timestamp) {
        let seen = std::mem::take(&mut self.seen);
        let asked = join_all(seen.iter().map(|late| is_stuck(router, monitor, *late)));
        for (late, stuck) in seen.iter().zip(asked.await) {
            if stuck {
                let rule = match late.actor {
                    Actor::Queue(_) => Broken::ContactStuck,
                    Actor::Agent(_) => Broken::AgentStuck,
                };
                let who = (late.actor, Vec::new());
                monitor.broken(breach(rule, now, late.tenant, who, None));
            }
        }
        let limit = now - LATE;
        let cells = monitor.cells.lock();
        let (late, more) = self.round.next(&cells, WALKED, MOST, |actor, cell| {
            let (tenant, due) = (cell.tenant, cell.due());
            (due < limit).then_some(Overdue { actor, tenant, due })
        });
        drop(cells);
        self.seen = late;
        monitor.unlooked.add(Unseen::Deadline, more);
    }
}

/// Whether the deadline is still what the actor has to act on. Who runs here and has not even answered by now is stuck all
/// the more: its thread is blocked, or it waits for a store that hangs.
async fn is_stuck(router: &Arc<Router>, monitor: &Monitor, late: Overdue) -> bool {
    let Overdue { actor, tenant, due } = late;
    let unmoved = || monitor.due_of(actor) == Some(due);
    if !unmoved() {
        return false;
    }
    let says = match actor {
        Actor::Queue(queue) => {
            let due = |queue: &Queue| queue.next_due().map(|(due, _)| due);
            router.look_at_queue(tenant, queue, due).await
        }
        Actor::Agent(agent) => {
            let due = |agent: &Agent| agent.next_due().map(|(due, _)| due);
            router.look_at_agent(tenant, agent, due).await
        }
    };
    match says {
        Ok(says) => says == Some(due),
        Err(_) => unmoved() && router.epoch(actor.key()).is_some(),
    }
}
