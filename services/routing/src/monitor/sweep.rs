//! When the monitor looks at what, and suspicions about contacts whose grace is over.

use super::{
    Actor, Breach, Monitor,
    beside::Beside,
    contacts::{Place, Suspicion},
    late::Late,
};
use crate::router::Router;
use centro_kernel::{ContactId, TenantId, Timestamp};
use centro_routing_core::{Queue, SlotPhase, invariants::Broken};
use futures::future::{join, join_all};
use std::{sync::Arc, time::Duration};

/// The slow questions are asked every so many sweeps.
const SLOW: u32 = 5;
/// Suspicions of each rule that one sweep asks about.
const MOST: usize = 32;
/// How long it may be from one sweep to the next, and how long one may take when nobody answers.
const PAUSE: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(30);

/// What was seen at the sweeps before.
#[derive(Default)]
pub struct Sweep {
    count: u32,
    /// When the last one ended.
    ended: Option<Timestamp>,
    late: Late,
    beside: Beside,
    /// When was said what could not be looked at.
    said: Option<Timestamp>,
}

impl Sweep {
    /// Looks around once.
    pub async fn look(&mut self, router: &Arc<Router>, monitor: &Monitor) {
        let now = router.now();
        if self.ended.is_some_and(|ended| now.since(ended) > PAUSE) {
            self.forget();
        }
        self.suspicions(router, monitor, now).await;
        self.count += 1;
        if self.count >= SLOW {
            self.count = 0;
            let late = self.late.look(router, monitor, now);
            join(late, self.beside.look(router, monitor, now)).await;
        }
        let ended = router.now();
        if ended.since(now) > LONG {
            self.forget();
        }
        self.ended = Some(ended);
        self.say(monitor, ended);
    }

    /// The whole machine slept: everything is late, and nobody's fault.
    fn forget(&mut self) {
        self.count = 0;
        self.late.forget();
        self.beside.forget();
    }

    async fn suspicions(&self, router: &Arc<Router>, monitor: &Monitor, now: Timestamp) {
        let due = monitor.contacts.due(now, MOST);
        let asked = due.iter().map(|s| is_confirmed(router, monitor, s));
        let confirmed = join_all(asked).await;
        for (suspicion, _) in due.iter().zip(confirmed).filter(|(_, is)| *is) {
            tell_places(monitor, now, suspicion);
        }
    }

    /// Says what could not be looked at.
    fn say(&mut self, monitor: &Monitor, now: Timestamp) {
        let Some([suspicions, deadlines, queues, lost_suspicions, contacts]) =
            monitor.unlooked.news(now, &mut self.said)
        else {
            return;
        };
        tracing::warn!(
            suspicions,
            deadlines,
            queues,
            lost_suspicions,
            contacts,
            "the invariant monitor could not look at everything when it was due"
        );
    }
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

/// A broken rule that was found by looking around.
pub fn breach(
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
