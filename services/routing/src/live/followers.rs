//! Other routing processes that keep the actors here in their lists too.

use crate::wire;
use centro_kernel::{QueueId, TenantId, Timestamp};
use centro_proto::routing as pb;
use centro_routing_core::{Entry, Event, Place, QueueChange, View};
use parking_lot::Mutex;
use pb::live_change::What;
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::mpsc;
use tonic::Status;

/// Changes on their way to one process. One that is slower begins anew.
const UNREAD: usize = 16_384;
/// Changes sent in one go at the beginning.
const AT_ONCE: usize = 256;

/// Where changes go to.
type Sender = mpsc::Sender<Result<pb::LiveChanges, Status>>;

/// Who follows.
#[derive(Default)]
pub struct Followers {
    /// Whether anybody does, so that a process that is alone writes nothing.
    any: AtomicBool,
    all: Mutex<Vec<Sender>>,
}

impl Followers {
    /// One more, who hears of every change from now on.
    pub fn join(&self) -> (Sender, mpsc::Receiver<Result<pb::LiveChanges, Status>>) {
        let (sender, changes) = mpsc::channel(UNREAD);
        let mut all = self.all.lock();
        all.push(sender.clone());
        self.any.store(true, Ordering::Release);
        (sender, changes)
    }

    /// An agent is like this now.
    pub fn agent(&self, tenant: TenantId, view: &View) {
        self.tell(|| agent(tenant, view));
    }

    /// A queue's line is this now.
    pub fn line(&self, queue: QueueId, line: &[(Place, Arc<Entry>)]) {
        self.tell(|| self::line(queue, line));
    }

    /// A queue's line changed.
    pub fn changes(&self, queue: QueueId, changes: &[QueueChange]) {
        self.tell(|| change(What::Changes(json(changes)), queue));
    }

    /// Something happened.
    pub fn events(&self, tenant: TenantId, at: Timestamp, events: &[Event]) {
        self.tell(|| pb::LiveChange {
            tenant_id: tenant.to_string(),
            time: Some(wire::time(at)),
            queue_id: String::new(),
            what: Some(What::Events(json(events))),
        });
    }

    fn tell(&self, change: impl FnOnce() -> pb::LiveChange) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let changes = pb::LiveChanges {
            changes: vec![change()],
            complete: false,
        };
        let mut all = self.all.lock();
        // Whoever does not keep up hears that the stream ends, and begins anew.
        all.retain(|follower| follower.try_send(Ok(changes.clone())).is_ok());
        self.any.store(!all.is_empty(), Ordering::Release);
    }
}

/// Tells a new follower everything that there is.
pub async fn tell_all(to: Sender, all: Vec<pb::LiveChange>) {
    let mut left = all.into_iter().peekable();
    loop {
        let changes = left.by_ref().take(AT_ONCE).collect();
        let complete = left.peek().is_none();
        let sent = to.send(Ok(pb::LiveChanges { changes, complete })).await;
        if complete || sent.is_err() {
            return;
        }
    }
}

/// How an agent is.
pub fn agent(tenant: TenantId, view: &View) -> pb::LiveChange {
    pb::LiveChange {
        tenant_id: tenant.to_string(),
        what: Some(What::Agent(json(view))),
        ..pb::LiveChange::default()
    }
}

/// What a queue's line is.
pub fn line(queue: QueueId, line: &[(Place, Arc<Entry>)]) -> pb::LiveChange {
    change(What::Line(json(line)), queue)
}

fn change(what: What, queue: QueueId) -> pb::LiveChange {
    pb::LiveChange {
        queue_id: queue.to_string(),
        what: Some(what),
        ..pb::LiveChange::default()
    }
}

/// What actors are always has a JSON form; it is stored as such.
fn json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
