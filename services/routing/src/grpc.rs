//! The doors: validate, translate, ask an actor or the live view, answer.

/// Sends the request on to the process that has the key's actor, when that is another one.
macro_rules! at_its_owner {
    ($doors:ident, $key:expr, $client:ident.$rpc:ident($request:ident)) => {
        if let Some(conn) = $doors.elsewhere($key.as_u128(), &$request).await {
            let request = $crate::peers::elsewhere::sent_on($request);
            return $client::new(conn).$rpc(request).await;
        }
    };
}

mod agents;
mod contacts;
mod queues;
mod supervision;
#[cfg(test)]
mod tests;
mod waiting;

use crate::{router::Router, wire};
use centro_kernel::{Fault, QueueId, TenantId};
use centro_store::page::{List, Pages};
use std::sync::Arc;

/// Every door of routing. Cheap to clone.
#[derive(Clone)]
pub struct Doors(pub(crate) Arc<Router>);

impl Doors {
    /// The pages of a list; `filter` is what the caller narrowed it by.
    fn pages(&self, name: &str, tenant: TenantId, filter: &str) -> List {
        Pages::new(&self.0.node.keys().derive(Pages::PURPOSE)).list(name, tenant, &filter)
    }

    /// A queue of the tenant.
    fn queue_of(&self, tenant: TenantId, queue: &str, at: &str) -> Result<QueueId, Fault> {
        let id: QueueId = wire::id(queue, at)?;
        let known = self.0.directory.queue(id);
        if known.is_some_and(|queue| queue.tenant == tenant) {
            Ok(id)
        } else {
            Err(Fault::not_found("queue", id).at(at))
        }
    }
}
