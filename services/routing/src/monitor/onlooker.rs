//! One actor's side of the monitor.

use super::{
    Breach, Monitor,
    contacts::Place,
    step::{Seen, Watched, told},
};
use crate::{decision_log::rules::Step, metrics, router::Actor};
use centro_kernel::{ContactId, TenantId, Timestamp};
use centro_routing_core::invariants::Broken;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Steps of one actor that are remembered.
const REMEMBERED: usize = 32;
/// The same rule of the same actor is told again after this; until then it is counted.
const AGAIN: Duration = Duration::from_secs(60);
/// No deadline.
const NEVER: i64 = i64::MAX;

/// What an actor leaves for others to see.
pub struct Cell {
    pub tenant: TenantId,
    steps: Mutex<VecDeque<Seen>>,
    /// Its earliest deadline, in ms.
    due: AtomicI64,
}

impl Cell {
    fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            steps: Mutex::default(),
            due: AtomicI64::new(NEVER),
        }
    }

    /// What it heard and told last.
    pub fn steps(&self) -> Vec<Seen> {
        self.steps.lock().iter().copied().collect()
    }

    /// Its earliest deadline, as it armed its wake-up for it.
    pub fn due(&self) -> Timestamp {
        Timestamp::from_millis(self.due.load(Ordering::Relaxed))
    }
}

/// Looks on at one actor.
pub struct Onlooker<R: Watched> {
    monitor: Arc<Monitor>,
    id: R::Id,
    cell: Arc<Cell>,
    /// Contacts that this actor says are with it.
    here: Vec<ContactId>,
    /// The rule that was told last, and when.
    told: Option<(Broken, Timestamp)>,
}

impl<R: Watched> Onlooker<R> {
    pub fn new(monitor: Arc<Monitor>, tenant: TenantId, id: R::Id) -> Self {
        let cell = Arc::new(Cell::new(tenant));
        monitor.cells.lock().insert(R::actor(id), cell.clone());
        Self {
            monitor,
            id,
            cell,
            here: Vec::new(),
            told: None,
        }
    }

    /// After a step.
    pub fn step(
        &mut self,
        now: Timestamp,
        heard: Seen,
        before: &R::Before,
        core: &R,
        out: &Step<R>,
    ) {
        {
            let mut steps = self.cell.steps.lock();
            if steps.capacity() == 0 {
                steps.reserve_exact(1); // most of 100,000 queues hear nothing else all day
            }
            let events = out.events.iter().map(|event| told(now, event));
            for seen in std::iter::once(heard).chain(events) {
                if steps.len() >= REMEMBERED {
                    steps.pop_front();
                }
                steps.push_back(seen);
            }
        }
        let (contacts, tenant) = (&self.monitor.contacts, self.cell.tenant);
        core.places(self.id, out, &mut self.here, &mut |contact, place, is| {
            contacts.tell(tenant, now, contact, place, is);
        });
        if let Err((rule, contact)) = core.judge(before, out) {
            self.broken(now, rule, contact.or(heard.contact));
        }
    }

    fn broken(&mut self, now: Timestamp, rule: Broken, contact: Option<ContactId>) {
        let again = |(last, at): (Broken, Timestamp)| last == rule && now.since(at) < AGAIN;
        if self.told.is_some_and(again) {
            metrics::broken(rule);
            return;
        }
        self.told = Some((rule, now));
        let actor = R::actor(self.id);
        let steps = self.cell.steps().into_iter();
        self.monitor.broken(Breach {
            rule,
            at: now,
            tenant: self.cell.tenant,
            actor,
            others: Vec::new(),
            contact,
            window: steps.map(|step| (actor, step)).collect(),
        });
    }

    /// The actor's earliest deadline.
    pub fn is_due(&self, due: Option<Timestamp>) {
        let due = due.map_or(NEVER, Timestamp::as_millis);
        self.cell.due.store(due, Ordering::Relaxed);
    }
}

impl<R: Watched> Drop for Onlooker<R> {
    fn drop(&mut self) {
        let (actor, tenant): (Actor, _) = (R::actor(self.id), self.cell.tenant);
        let (contacts, place) = (&self.monitor.contacts, Place::of(actor));
        for contact in self.here.drain(..) {
            contacts.tell(tenant, Timestamp::default(), contact, place, false);
        }
        let mut cells = self.monitor.cells.lock();
        // Another life of it may have begun.
        if cells
            .get(&actor)
            .is_some_and(|c| Arc::ptr_eq(c, &self.cell))
        {
            cells.remove(&actor);
        }
    }
}
