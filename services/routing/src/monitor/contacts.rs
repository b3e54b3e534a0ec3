//! Where contacts are, over all actors of this process: a contact waits in one queue or talks with one agent, never two of
//! it. Bounded; what finds no room is not watched, and that is counted.

use super::{Unseen, unseen::Unlooked};
use crate::{by_id::ById, router::Actor};
use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, UserId};
use centro_routing_core::invariants::Broken;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// Parts, so that actors of different threads seldom meet.
const PARTS: usize = 64;
/// Contacts in one part.
const MOST: usize = 8_192;
/// Suspicions that may wait.
const MOST_SUSPICIONS: usize = 65_536;
/// Suspicions of one kind of which one look learns whether they still seem so. Nearly all have dissolved by then.
const EXAMINED: usize = 4_096;
/// How long two agents may seem to talk with one contact.
const TWO_AGENTS: Duration = Duration::from_secs(2);
/// How long a contact may seem to be in two places: its edge repeats that it left one until it is heard.
const TWO_PLACES: Duration = Duration::from_secs(30);

/// Where a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the line of a queue.
    Waits(QueueId),
    /// With an agent, by the agent's record.
    Talks(UserId),
}

impl Place {
    /// Where a contact is that this actor says is with it.
    pub const fn of(actor: Actor) -> Self {
        match actor {
            Actor::Queue(queue) => Self::Waits(queue),
            Actor::Agent(agent) => Self::Talks(agent),
        }
    }

    /// Who says so.
    pub const fn actor(self) -> Actor {
        match self {
            Self::Waits(queue) => Actor::Queue(queue),
            Self::Talks(agent) => Actor::Agent(agent),
        }
    }
}

/// A contact that seems to be in two places.
#[derive(Debug, Clone, Copy)]
pub struct Suspicion {
    /// When it is looked at again.
    pub due: Timestamp,
    /// Which rule would be broken.
    pub rule: Broken,
    /// Whose.
    pub tenant: TenantId,
    /// Which contact.
    pub contact: ContactId,
    /// Where it is, and since when: who leaves a place and comes again is there anew.
    pub places: [(Place, Timestamp); 2],
}

/// Some of the contacts, each with where it is and since when.
type Part = ById<ContactId, Vec<(Place, Timestamp)>>;

/// Where all are.
pub struct Contacts {
    parts: Vec<Mutex<Part>>,
    /// One line for each grace, so that the first is the first due.
    suspicions: [Mutex<VecDeque<Suspicion>>; 2],
    unlooked: Arc<Unlooked>,
}

impl Contacts {
    pub fn new(unlooked: Arc<Unlooked>) -> Self {
        Self {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            suspicions: Default::default(),
            unlooked,
        }
    }

    /// A contact came to a place, or left it.
    pub fn tell(
        &self,
        tenant: TenantId,
        now: Timestamp,
        contact: ContactId,
        place: Place,
        is: bool,
    ) {
        let id = contact.as_u128();
        let part = (id ^ (id >> 64)) as usize % PARTS;
        let Some(part) = self.parts.get(part) else {
            return;
        };
        let mut part = part.lock();
        if !is {
            if let Some(places) = part.get_mut(&contact) {
                places.retain(|(p, _)| *p != place);
                if places.is_empty() {
                    part.remove(&contact);
                }
            }
            return;
        }
        if part.len() >= MOST && !part.contains_key(&contact) {
            self.unlooked.add(Unseen::Contact, 1);
            return;
        }
        let places = part.entry(contact).or_default();
        if places.iter().any(|(p, _)| *p == place) {
            return;
        }
        for other in places.iter() {
            self.suspect(tenant, now, contact, [*other, (place, now)]);
        }
        places.push((place, now));
    }

    fn suspect(
        &self,
        tenant: TenantId,
        now: Timestamp,
        contact: ContactId,
        places: [(Place, Timestamp); 2],
    ) {
        let (line, rule, grace) = match places {
            [(Place::Talks(_), _), (Place::Talks(_), _)] => (0, Broken::TwoAgents, TWO_AGENTS),
            _ => (1, Broken::TwoStates, TWO_PLACES),
        };
        let mut line = self.suspicions[line].lock();
        if line.len() >= MOST_SUSPICIONS {
            self.unlooked.add(Unseen::LostSuspicion, 1);
            return;
        }
        line.push_back(Suspicion {
            due: now + grace,
            rule,
            tenant,
            contact,
            places,
        });
    }

    /// What was suspected, its grace is over, and it still seems so: the first due, up to `most` of each rule. The others
    /// wait for the next time.
    pub fn due(&self, now: Timestamp, most: usize) -> Vec<Suspicion> {
        let mut due = Vec::new();
        for line in &self.suspicions {
            // Who tells of a contact holds its part and asks for the line, so the line is let go before a part is asked for.
            let next = || line.lock().pop_front_if(|first| first.due <= now);
            let overdue = std::iter::from_fn(next).take(EXAMINED);
            due.extend(overdue.filter(|s| self.still_seems(s)).take(most));
            let left = line.lock().partition_point(|other| other.due <= now);
            self.unlooked.add(Unseen::Suspicion, left as u64);
        }
        due
    }

    fn still_seems(&self, suspicion: &Suspicion) -> bool {
        let mut places = suspicion.places.iter();
        places.all(|place| self.is_in(suspicion.contact, *place))
    }

    fn is_in(&self, contact: ContactId, place: (Place, Timestamp)) -> bool {
        let id = contact.as_u128();
        let part = self.parts.get((id ^ (id >> 64)) as usize % PARTS);
        part.is_some_and(|part| {
            part.lock()
                .get(&contact)
                .is_some_and(|p| p.contains(&place))
        })
    }
}
