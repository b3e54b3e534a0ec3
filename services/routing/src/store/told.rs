//! What a step tells the world, on its way to the outbox.

use crate::{directory::Directory, notify};
use centro_bus::Event as Published;
use centro_kernel::{TenantId, Timestamp};
use centro_routing_core::Event;
use std::sync::Arc;

/// What one step said.
pub struct Said {
    /// Whose queue or agent said it.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// What, in this order.
    pub events: Vec<Event>,
    /// How the tenant's things are called.
    pub directory: Arc<Directory>,
}

impl Said {
    /// One event each.
    pub fn told(self: &Arc<Self>) -> Vec<Told> {
        (0..self.events.len())
            .map(|at| Told::Said(self.clone(), at))
            .collect()
    }
}

/// One event. It is put into the world's words by whoever writes or publishes it, which need not be the actor's thread.
#[derive(Clone)]
pub enum Told {
    /// One of those that a step said.
    Said(Arc<Said>, usize),
    /// In the world's words already.
    Made(Box<Published>),
}

impl Told {
    /// In the world's words; its id is new. `None` for a place at which nothing was said.
    pub fn made(self) -> Option<Published> {
        match self {
            Self::Made(event) => Some(*event),
            Self::Said(said, at) => {
                let event = said.events.get(at)?;
                let (tenant, at) = (said.tenant, said.at);
                Some(notify::publish(tenant, at, event, &said.directory))
            }
        }
    }
}

impl From<Published> for Told {
    fn from(event: Published) -> Self {
        Self::Made(Box::new(event))
    }
}
