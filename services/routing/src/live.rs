//! The floor as it is now, for lists: updated after each step was stored, so that a list asks no actor.

use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, UserId};
use centro_routing_core::{Entry, Place, QueueChange, View};
use parking_lot::RwLock;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The line of one queue.
#[derive(Default)]
struct Line {
    order: BTreeMap<Place, Arc<Entry>>,
    places: HashMap<ContactId, Place>,
}

/// A queue as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many wait.
    pub waiting: u32,
    /// When the contact that waits longest entered.
    pub longest_since: Option<Timestamp>,
    /// The first in order of service.
    pub first: Vec<Arc<Entry>>,
}

/// What is known of every queue and agent that ever acted.
#[derive(Default)]
pub struct Live {
    queues: RwLock<HashMap<QueueId, Line>>,
    agents: RwLock<HashMap<TenantId, BTreeMap<UserId, View>>>,
}

impl Live {
    /// A queue's step was stored.
    pub fn queue_changed(&self, queue: QueueId, changes: &[QueueChange]) {
        let mut queues = self.queues.write();
        for change in changes {
            match change {
                QueueChange::Put(entry) => {
                    let line = queues.entry(queue).or_default();
                    let place = entry.place();
                    if let Some(old) = line.places.insert(entry.contact, place) {
                        line.order.remove(&old);
                    }
                    line.order.insert(place, entry.clone());
                }
                QueueChange::Remove(contact) => {
                    if let Some(line) = queues.get_mut(&queue)
                        && let Some(place) = line.places.remove(contact)
                    {
                        line.order.remove(&place);
                    }
                }
                QueueChange::Bury(..) | QueueChange::Forget(_) => {}
            }
        }
    }

    /// An agent's step was stored.
    pub fn agent_changed(&self, tenant: TenantId, view: View) {
        self.agents
            .write()
            .entry(tenant)
            .or_default()
            .insert(view.agent, view);
    }

    /// A queue with its first `limit` contacts.
    pub fn queue(&self, queue: QueueId, limit: usize) -> Waiting {
        let queues = self.queues.read();
        let Some(line) = queues.get(&queue) else {
            return Waiting::default();
        };
        Waiting {
            waiting: u32::try_from(line.order.len()).unwrap_or(u32::MAX),
            longest_since: line.order.keys().map(|place| place.1).min(),
            first: line.order.values().take(limit).cloned().collect(),
        }
    }

    /// An agent, when it ever acted.
    pub fn agent(&self, tenant: TenantId, agent: UserId) -> Option<View> {
        self.agents.read().get(&tenant)?.get(&agent).cloned()
    }

    /// Calls `see` with every agent of the tenant that ever acted, in order of id.
    pub fn agents(&self, tenant: TenantId, mut see: impl FnMut(&View)) {
        if let Some(agents) = self.agents.read().get(&tenant) {
            agents.values().for_each(&mut see);
        }
    }
}
