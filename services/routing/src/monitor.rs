//! The invariant monitor (spec U22): rules that must hold whatever happens (`centro_routing_core::invariants`), watched while
//! the centre works. A broken one becomes an incident with what led to it; nothing is stopped or repaired.
//!
//! What one step shows is judged in the step, by the actor's [`Onlooker`], in a time that does not grow with the queue. What
//! takes several actors to see, or has to last, is suspected first and confirmed later: messages are on their way, so a
//! suspicion must survive its grace, and then the actors themselves are asked. An actor that does not answer, or has
//! another owner, confirms nothing: a false alarm is worse than none.
//!
//! | part | does |
//! |---|---|
//! | `step` | what one step of a queue or agent is judged by, and how it is remembered |
//! | `onlooker` | one actor's side |
//! | `contacts` | where contacts are, over all actors |
//! | `sweep` | when is looked at what, and suspicions about contacts |
//! | `late` | deadlines that passed |
//! | `beside` | contacts beside free agents |
//! | `round` | everybody's turn, when not all can be looked at together |
//! | `unseen` | what could not be looked at |
//! | `incident` | what is told, and how often |

mod beside;
mod contacts;
mod incident;
mod late;
mod onlooker;
mod round;
mod step;
mod sweep;
#[cfg(test)]
mod tests;
mod unseen;

pub use onlooker::Onlooker;
pub use step::{Seen, Watched};
pub use unseen::Unseen;

use crate::{
    metrics,
    router::{Actor, Router},
};
use centro_kernel::{ContactId, TenantId, Timestamp, UserId};
use centro_routing_core::invariants::Broken;
use contacts::Contacts;
use incident::Incidents;
use onlooker::Cell;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use unseen::Unlooked;

/// Breaches that may wait to be told; more are counted only.
const REPORTS: usize = 256;
/// How often suspicions are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// A broken rule, as it was found.
#[derive(Debug, Clone)]
pub struct Breach {
    /// Which rule.
    pub rule: Broken,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub tenant: TenantId,
    /// Who was found to break it.
    pub actor: Actor,
    /// Others whom it takes to see it.
    pub others: Vec<Actor>,
    /// The contact, if it is about one.
    pub contact: Option<ContactId>,
    /// What led to it, as far as the finder knows; the steps of others are added.
    pub window: Vec<(Actor, Seen)>,
}

/// Watches over a process.
pub struct Monitor {
    /// Everybody who acts, in the order of the rounds.
    cells: Mutex<BTreeMap<Actor, Arc<Cell>>>,
    contacts: Contacts,
    unlooked: Arc<Unlooked>,
    breaches: mpsc::Sender<Breach>,
    /// Read by [`watch_over`].
    found: Mutex<Option<mpsc::Receiver<Breach>>>,
    /// Breaches that found no room.
    untold: AtomicU64,
}

impl Monitor {
    pub fn new() -> Arc<Self> {
        metrics::show_rules();
        let (breaches, found) = mpsc::channel(REPORTS);
        let unlooked = Arc::<Unlooked>::default();
        Arc::new(Self {
            cells: Mutex::default(),
            contacts: Contacts::new(unlooked.clone()),
            unlooked,
            breaches,
            found: Mutex::new(Some(found)),
            untold: AtomicU64::new(0),
        })
    }

    /// A rule was broken. Never waits.
    fn broken(&self, breach: Breach) {
        metrics::broken(breach.rule);
        if self.breaches.try_send(breach).is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whose an actor is that runs here.
    fn tenant_of(&self, actor: Actor) -> Option<TenantId> {
        self.cells.lock().get(&actor).map(|cell| cell.tenant)
    }

    /// The earliest deadline of an actor that runs here.
    fn due_of(&self, actor: Actor) -> Option<Timestamp> {
        self.cells.lock().get(&actor).map(|cell| cell.due())
    }

    /// The last steps of these actors, in the order of time.
    fn window(&self, of: impl Iterator<Item = Actor>) -> Vec<(Actor, Seen)> {
        let cells = self.cells.lock();
        let known = of.filter_map(|actor| Some((actor, cells.get(&actor)?.clone())));
        let known: Vec<_> = known.collect();
        drop(cells);
        let steps = known.iter().flat_map(|(actor, cell)| {
            let steps = cell.steps();
            steps.into_iter().map(|step| (*actor, step))
        });
        steps.collect()
    }
}

/// An agent, as an actor.
const fn agent(agent: UserId) -> Actor {
    Actor::Agent(agent)
}

/// Tells of broken rules and looks for those that no single step shows, until the process stops.
pub async fn watch_over(router: Arc<Router>) {
    let Some(monitor) = router.monitor.clone() else {
        return;
    };
    let Some(mut found) = monitor.found.lock().take() else {
        return;
    };
    let mut incidents = Incidents::default();
    let mut sweep = sweep::Sweep::default();
    let mut next = tokio::time::Instant::now() + SWEEP;
    loop {
        tokio::select! {
            biased;
            breach = found.recv() => {
                let Some(breach) = breach else { return };
                incidents.tell(&router, &monitor, breach).await;
            }
            () = tokio::time::sleep_until(next) => {
                sweep.look(&router, &monitor).await;
                next = tokio::time::Instant::now() + SWEEP;
            }
        }
    }
}
